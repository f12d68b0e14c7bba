/**
 * `npm run check:googlesql [-- words]`: every GoogleSQL statement that the contract of warehouses makes leat write is
 * analysed by the real analyser, names and types included. With words, only the contract's tests whose name has them.
 */
import { warehouseContract } from "../src/testing/warehouse-contract.ts";
import { makeStreamSpec } from "../src/testing/warehouse-under-test.ts";
import { type BigQueryPlace, openPlace } from "../test/contract/bigquery-place.ts";
import { makeDatasetVersion } from "../test/contract/dataset-version.ts";
import { makeTransfer } from "../test/contract/make-transfer.ts";
import type { Exchange } from "../test/fakes/bigquery/bigquery-server.ts";
import { type Analysis, analyseExchanges } from "./googlesql/analyse-exchanges.ts";
import { openAnalyser } from "./googlesql/analyser.ts";

process.env["METADATA_SERVER_DETECTION"] = "none";
const words = process.argv.slice(2);
/** The statements of the contract's own tests stop a query, or send what is wrong on purpose. */
const findingsShown = 20;

const analyser = await openAnalyser();
if (analyser === undefined) {
  console.error("THE GOOGLESQL ANALYSER DID NOT RUN: its package could not be installed or started here.");
  process.exit(1);
}
const tests: (readonly [string, () => Promise<void>])[] = [];
let exchanges: readonly Exchange[] = [];
warehouseContract(
  (name, run) => tests.push([name, async () => void (await run())]),
  async () => {
    const place = await openPlace();
    exchanges = place.server.exchanges;
    return place;
  },
);
/** Statements that the contract does not make leat write. */
const alone = (name: string, run: (place: BigQueryPlace) => Promise<void>) =>
  tests.push([
    name,
    async () => {
      const place = await openPlace();
      exchanges = place.server.exchanges;
      await run(place).finally(() => place.dispose());
    },
  ]);
alone("versions of datasets", async ({ own, folder }) => {
  const { signal } = new AbortController();
  for (const [seq, schema] of [
    [1, "main"],
    [2, "main"],
    [3, "ons"],
  ] as const) {
    const version = await makeDatasetVersion(folder, `v${seq}`, `SELECT ${seq} AS n`, { seq, schema });
    await own.publishDataset!(version, signal);
  }
});
alone("tables that Google's own transfer loads", async (place) => {
  const columns = {
    id: { type: "bigint" },
    modified: { type: "timestamptz" },
    at: { type: "timestamp" },
    day: { type: "date" },
    ratio: { type: "double" },
    gone: { type: "boolean" },
    more: { type: "json" },
  } as const;
  await makeTransfer(place, "dts-1", makeStreamSpec({ columns, deletedField: "gone" }));
  await makeTransfer(place, "dts-2", makeStreamSpec({ columns, currentBy: "arrival" }));
});

const chosen = tests.filter(([name]) => words.length === 0 || words.some((word) => name.includes(word)));
const total: Analysis = { statements: 0, findings: [] };
const seen = new Set<string>();
for (const [name, run] of chosen) {
  await run().catch(() => {}); // Whether it passes is for the tests to say; here it only writes SQL.
  const { statements, findings } = await analyseExchanges(analyser, exchanges, seen);
  total.statements += statements;
  total.findings.push(...findings);
  if (findings.length > 0) console.error(`${name}: ${findings.length} statements are refused`);
}
analyser.close();
for (const { sql, message } of total.findings.slice(0, findingsShown))
  console.error(`\n${message}\n${sql.slice(0, 2_000)}`);
console.log(
  `${total.statements} different statements of ${chosen.length} tests analysed, ${total.findings.length} refused.`,
);
if (total.findings.length > 0 || total.statements === 0) process.exitCode = 1;
