/**
 * `npm run check:bigquery [-- words]`: a second opinion on the GoogleSQL that leat ships, from a BigQuery emulator by
 * others (`bqemulator`, from Python's registry, put into a cache folder).
 *
 * What leat sent to our own BigQuery is sent to theirs, request by request; landed lines are inserted, since it cannot
 * load them. Then the shipped views are asked in both, and the rows compared.
 */

import { warehouseContract } from "../src/testing/warehouse-contract.ts";
import { type BigQueryPlace, openPlace } from "../test/contract/bigquery-place.ts";
import { openEmulator } from "./bigquery/emulator.ts";
import { ownScenarios, shownKinds } from "./bigquery/own-scenarios.ts";
import { type Comparison, replayPlace } from "./bigquery/replay-place.ts";

/**
 * Tests whose views are compared unless words are given: one of each kind of statement. Wide numbers are not among them,
 * since the emulator fails to make a column of BIGNUMERIC with precision and scale.
 */
const wordsDefault = [
  "rows carry tenant",
  "I20 the current row",
  "I12 a generation",
  "the history has every version",
  "a record is out of current",
  "keys of several parts",
  "records without a key",
  "a reject is loaded",
  "make a column of DOUBLE",
  "make a column of TIMESTAMP",
  "after every load (seed 1)",
  ...ownScenarios.map(({ name }) => name),
];

const words = process.argv.slice(2);
const emulator = await openEmulator();
if (emulator === undefined) {
  console.error(
    "THE SECOND OPINION ON BIGQUERY DID NOT RUN: no emulator could be installed or started here.",
  );
  process.exit(1);
}
const tests: (readonly [string, () => Promise<void>])[] = [];
let place: BigQueryPlace | undefined;
const compared: Comparison = { views: new Map(), rows: 0, refused: [], different: [] };
warehouseContract(
  (name, run) => tests.push([name, async () => void (await run())]),
  async () => {
    place = await openPlace();
    const { dispose } = place;
    // Compared at the end of the test, while its place is still there.
    return {
      ...place,
      dispose: async () => {
        await replayPlace(emulator, place!, compared);
        await dispose();
      },
    };
  },
);
for (const { name, run } of ownScenarios)
  tests.push([
    name,
    async () => {
      const own = await openPlace();
      try {
        await run(own, (shown) => replayPlace(emulator, own, compared, shown));
      } finally {
        await own.dispose();
      }
    },
  ]);

const chosen = tests.filter(([name]) =>
  (words.length === 0 ? wordsDefault : words).some((word) => name.includes(word)),
);
for (const [name, run] of chosen) {
  const before = compared.refused.length + compared.different.length;
  await run().catch((error: unknown) => compared.refused.push(`${name}: ${String(error)}`));
  const found = [...compared.refused, ...compared.different].length - before;
  console.log(`${found === 0 ? "ok" : "NOT EQUAL"}: ${name}`);
}
await emulator.close();
for (const line of [...compared.refused, ...compared.different].slice(0, 20))
  console.error(line.slice(0, 1_500));
const counts = shownKinds.map((kind) => [kind, compared.views.get(kind) ?? 0] as const);
console.log(
  `${compared.rows} rows compared in ${chosen.length} tests: ${counts.map((count) => count.join(" ")).join(", ")}; ` +
    `${compared.different.length} differ, ${compared.refused.length} requests were refused.`,
);
// With words only what they name is looked at; without, each kind of thing that people ask must have been.
const isWhole = counts.every(([, count]) => count > 0);
if ((words.length === 0 && !isWhole) || compared.rows === 0) process.exitCode = 1;
if (compared.different.length > 0 || compared.refused.length > 0) process.exitCode = 1;
