/**
 * `npm run check:googlesql [-- words]`: every GoogleSQL statement that the contract of warehouses and work of BigQuery's own
 * make leat write is analysed by the real analyser, names and types included. With words, only tests whose name has them.
 *
 * Without words it also holds the sources against what was analysed: a piece of SQL in them that is in no statement was
 * written by nobody here, and fails the check.
 */
import { warehouseContract } from "../src/testing/warehouse-contract.ts";
import { openPlace } from "../test/contract/bigquery-place.ts";
import type { Exchange } from "../test/fakes/bigquery/bigquery-server.ts";
import { ownScenarios } from "./bigquery/own-scenarios.ts";
import { analyseExchanges, type Finding } from "./googlesql/analyse-exchanges.ts";
import { openAnalyser } from "./googlesql/analyser.ts";
import { listFragments } from "./googlesql/list-fragments.ts";

process.env["METADATA_SERVER_DETECTION"] = "none";
const words = process.argv.slice(2);
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
for (const { name, run } of ownScenarios)
  tests.push([
    name,
    async () => {
      const place = await openPlace();
      exchanges = place.server.exchanges;
      await run(place, async () => {}).finally(() => place.dispose());
    },
  ]);

const chosen = tests.filter(([name]) => words.length === 0 || words.some((word) => name.includes(word)));
const total = { statements: 0, findings: [] as Finding[] };
const own = new Set(ownScenarios.map(({ name }) => name));
const seen = new Set<string>();
for (const [name, run] of chosen) {
  // Whether the contract passes is for its tests to say: here it only writes SQL.
  await run().catch((error: unknown) => {
    if (own.has(name)) throw error;
  });
  const { statements, findings } = await analyseExchanges(analyser, exchanges, seen, own.has(name));
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
if (words.length === 0) {
  const all = [...seen].join("\n");
  const fragments = listFragments();
  const unseen = fragments.filter(({ text }) => !all.includes(text));
  for (const { file, text } of unseen) console.error(`NEVER ANALYSED: ${file}: ${text}`);
  console.log(
    `${fragments.length} pieces of SQL in the sources, ${fragments.length - unseen.length} of them in what was analysed.`,
  );
  if (unseen.length > 0 || fragments.length === 0) process.exitCode = 1;
}
