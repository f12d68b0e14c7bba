/**
 * `node full-disk-process.ts FOLDER`, where FOLDER is on a small disk: fills it through a ledger, says what it was told,
 * makes room, and says what was kept and whether the ledger goes on.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/cli/system-world.ts";
import { openSqliteLedger } from "../../src/ledgers/sqlite/open-sqlite-ledger.ts";
import { newRun } from "../../src/testing/ledger-under-test.ts";

const folder = process.argv[2] ?? "";
const ballast = join(folder, "ballast");
writeFileSync(ballast, Buffer.alloc(1024 * 1024, 1));
const ledger = await openSqliteLedger(join(folder, "ledger.db"), systemClock);
let written = 0;
let told: unknown;
while (told === undefined && written < 10_000) {
  try {
    await ledger.submitRun(newRun(ledger, { params: { noise: "x".repeat(20_000) } }));
    written += 1;
  } catch (error) {
    told = error;
  }
}
rmSync(ballast);
const kept = await countRuns();
await ledger.submitRun(newRun(ledger));
console.log(JSON.stringify({ told, written, kept, after: await countRuns() }));
await ledger.close();

async function countRuns(): Promise<number> {
  return (await ledger.listRuns({ limit: 1000 })).length;
}
