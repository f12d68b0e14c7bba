/**
 * `node test/torture/flows.ts [SEED] [sqlite|postgres]`: parallel branches whose workers are killed two hundred times at random moments,
 * and workers that are killed before and after every write for a run, over both ledgers or one of them. Some two minutes each.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newSqlitePath, openFlowStand, type StandPlace } from "../flow/flow-stand.ts";
import { killBranches } from "../flow/kill-branches.ts";
import { dieAtEach, listKillPoints } from "../flow/kill-points.ts";
import { startPostgres } from "../services/postgres.ts";

/** Workers that are killed under parallel branches, for each ledger: two hundred together. */
const killsMax = 100;

const seed = Number(process.argv[2] ?? Date.now() % 1e6);
const only = process.argv[3];
const say = (line: string): void => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
const folder = mkdtempSync(join(tmpdir(), "leat-torture-"));
const server = await startPostgres();
const allPlaces: Readonly<Record<string, () => Promise<StandPlace>>> = {
  sqlite: async () => ({
    ledger: { kind: "sqlite", path: newSqlitePath(folder) },
    dispatcher: { kind: "local" },
  }),
  postgres: async () => {
    const url = await server.newDatabase();
    return { ledger: { kind: "postgres", url }, dispatcher: { kind: "pg-boss", url } };
  },
};
const places = Object.entries(allPlaces).flatMap(([name, newPlace]) =>
  only === undefined || only === name ? [newPlace] : [],
);
let faultCount = 0;
const tell = (faults: readonly string[]): void => {
  faultCount += faults.length;
  for (const fault of faults) say(`FAULT ${fault}`);
};
try {
  for (const newPlace of places) {
    const place = await newPlace();
    say(`${place.ledger.kind}, ${place.dispatcher.kind}, seed ${seed}`);
    await using stand = await openFlowStand(place);
    const report = await killBranches(stand, { killsMax, seed, say });
    say(`${report.kills} killed, ${report.runs} runs, at most ${report.attemptsMost} attempts of one`);
    tell(report.faults);
  }
  for (const newPlace of places) {
    const place = await newPlace();
    await using stand = await openFlowStand(place);
    const points = await listKillPoints(stand);
    say(`${place.ledger.kind}: killed at each of ${points.length} points`);
    tell(await dieAtEach(stand, points));
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
say(faultCount === 0 ? "no faults" : `${faultCount} faults; the seed was ${seed}`);
process.exitCode = faultCount === 0 ? 0 : 1;
