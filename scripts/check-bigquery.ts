/**
 * `npm run check:bigquery [-- words]`: a second opinion on the GoogleSQL that leat ships, from a BigQuery emulator by
 * others (`bqemulator`, from Python's registry, put into a cache folder).
 *
 * What leat sent to our own BigQuery is sent to theirs, request by request; landed lines are inserted, since it cannot
 * load them. Then the shipped views are asked in both, and the rows compared.
 */

import { landPackage } from "../src/testing/landed-package.ts";
import { warehouseContract } from "../src/testing/warehouse-contract.ts";
import { makeStreamSpec, plant } from "../src/testing/warehouse-under-test.ts";
import { type BigQueryPlace, openPlace } from "../test/contract/bigquery-place.ts";
import { makeTransfer, transferFiles } from "../test/contract/make-transfer.ts";
import { openEmulator } from "./bigquery/emulator.ts";
import { replayPlace } from "./bigquery/replay-place.ts";

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
  "own transfer loads twice",
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
const compared = { views: 0, rows: 0, refused: [] as string[], different: [] as string[] };
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
tests.push([
  "files that Google's own transfer loads twice",
  async () => {
    place = await openPlace();
    const { folder } = place;
    const columns = { id: { type: "bigint" }, modified: { type: "timestamptz" } } as const;
    const plan = await makeTransfer(place, "shop-1", makeStreamSpec({ columns }));
    const options = { folder, tenant: "414", compression: "gzip" } as const;
    const first = await landPackage({
      ...options,
      seq: 1,
      records: [plant(1, "2024-01-01T00:00:00Z"), plant(2, "2024-01-01T00:00:00Z")],
    });
    const second = await landPackage({ ...options, seq: 2, records: [plant(1, "2024-01-02T00:00:00Z")] });
    for (const packages of [[first], [second], [first, second]])
      await transferFiles(place, "shop-1", plan, packages);
    await replayPlace(emulator, place, compared);
    await place.dispose();
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
console.log(
  `${compared.rows} rows of ${compared.views} views compared in ${chosen.length} tests: ` +
    `${compared.different.length} views differ, ${compared.refused.length} requests were refused.`,
);
if (compared.views === 0 || compared.different.length > 0 || compared.refused.length > 0)
  process.exitCode = 1;
