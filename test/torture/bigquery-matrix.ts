/**
 * A load into BigQuery with a fault at every HTTP exchange: the connection cut before or after it took effect, the
 * request carried out twice or late, the service busy, and the process dead before or after it. Afterwards another
 * process loads what is waiting, and every row is there once.
 *
 * `node test/torture/bigquery-matrix.ts` plays all; the test draws some.
 */
import assert from "node:assert/strict";
import { isLeatError } from "../../src/errors/leat-error.ts";
import type { PackageToLoad } from "../../src/ports/warehouse.ts";
import { makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { type BigQueryPlace, openPlace } from "../contract/bigquery-place.ts";
import type { ExchangeFault } from "../fakes/bigquery/bigquery-server.ts";

/** Faults of an exchange, and deaths of the process at it. */
export const matrixFaults = [
  "before",
  "after",
  "twice",
  "late",
  429,
  503,
  "dies before",
  "dies after",
] as const;
type MatrixFault = (typeof matrixFaults)[number];

/** What was played. */
export type MatrixReport = Readonly<{ cases: number; exchanges: number; faults: readonly string[] }>;

const spec = makeStreamSpec({ isMaterialized: true });

/** A load that makes everything happen: two tenants, a new column, a type that moves the table, a reload. */
async function landWork(bench: WarehouseBench): Promise<{ first: PackageToLoad[]; second: PackageToLoad[] }> {
  const first = [
    await bench.land([plant(1, "2024-01-01", '"v":1'), plant(2, "2024-01-01", '"v":0.5')], { tenant: "414" }),
    await bench.land([plant(1, "2024-01-01", '"v":7')], { tenant: "41" }),
  ];
  const second = [
    await bench.land([plant(1, "2024-01-02", '"v":"text"')], { tenant: "414", compression: "gzip" }),
    await bench.land([plant(3, "2024-01-02", '"w":true'), plant(1, "2024-01-03")], { tenant: "41" }),
  ];
  return { first, second };
}

const expected = [
  ["41", 1, 0, 1, "7", null],
  ["41", 2, 0, 3, null, true],
  ["41", 2, 1, 1, null, null],
  ["414", 1, 0, 1, "1", null],
  ["414", 1, 1, 2, "0.5", null],
  ["414", 2, 0, 1, "text", null],
];

/** Plays cases `from, from + step, …` of all pairs of exchange and fault. */
export async function runBigQueryMatrix(
  from: number,
  step: number,
  say: (line: string) => void,
): Promise<MatrixReport> {
  const place = await openPlace();
  const faults: string[] = [];
  let cases = 0;
  let exchanges = 1;
  try {
    exchanges = (await playCase(place, "shop-base", Number.MAX_SAFE_INTEGER, "before")).exchanges;
    const all = exchanges * matrixFaults.length;
    for (let at = from; at < all; at += step) {
      const fault = matrixFaults[at % matrixFaults.length]!;
      const nth = Math.floor(at / matrixFaults.length);
      cases += 1;
      try {
        await playCase(place, `shop-case-${at}`, nth, fault);
      } catch (error) {
        faults.push(`exchange ${nth}, ${fault}: ${error instanceof Error ? error.message : String(error)}`);
        say(faults.at(-1)!);
      }
      if (cases % 50 === 0) say(`${cases} of ${Math.ceil(all / step)} cases, ${faults.length} faults`);
    }
  } finally {
    await place.dispose();
  }
  return { cases, exchanges, faults };
}

/** One load with one fault, and what comes after it. */
async function playCase(place: BigQueryPlace, project: string, nth: number, fault: MatrixFault) {
  const { server } = place;
  await server.addDataset(project, "warehouse");
  const bench = new WarehouseBench({ ...place, warehouse: place.open("", project) });
  const { first, second } = await landWork(bench);
  await bench.load(spec, first);
  const death = new AbortController();
  const begun = server.exchanges.length;
  server.setFaults((exchange) => {
    const at = exchange.number - begun;
    if (death.signal.aborted) return "before"; // A dead process hears nothing, and nobody hears it.
    if (at !== nth) return undefined;
    if (fault !== "dies before" && fault !== "dies after") return fault satisfies ExchangeFault;
    death.abort();
    return fault === "dies before" ? "before" : "after";
  });
  const dying = place.open("", project);
  const reopen = async (tenant: string, seq: number) =>
    first.concat(second).find((pack) => pack.tenant === tenant && pack.seq === seq)!;
  const outcome = await dying.load(spec, second, reopen, death.signal).catch((error) => error);
  const exchanges = server.exchanges.length - begun;
  server.setFaults(undefined);
  await server.jobs.settle();
  if (outcome instanceof Error) {
    assert.ok(isLeatError(outcome), `no LeatError: ${outcome.stack}`);
    assert.ok(death.signal.aborted, `failed with ${outcome.code}: ${outcome.message}`);
  }
  await checkRows(bench, project, second);
  // The engine's statements take longer with every table that there is.
  for (const dataset of ["warehouse", "metrc"]) await server.tables.dropDataset(project, dataset);
  return { exchanges };
}

/** The next process loads what is waiting, or looks and finds nothing; and everything is there once. */
async function checkRows(
  bench: WarehouseBench,
  project: string,
  second: readonly PackageToLoad[],
): Promise<void> {
  const next = bench.warehouse as ReturnType<BigQueryPlace["open"]>;
  await bench.load(spec, second);
  await next.settle!(spec); // As a look that finds nothing waiting.
  const own = "tenant_id, _leat_package, _leat_row, id, v, w";
  const order = "ORDER BY tenant_id, _leat_package, _leat_row";
  const landed = await next.query(`SELECT ${own} FROM gcs_metrc_plants ${order}`);
  assert.deepEqual(landed.rows, expected, `landed rows of ${project}`);
  const current = await next.query(`SELECT tenant_id, id, v FROM metrc.metrc_plants ORDER BY tenant_id, id`);
  const newest = [
    ["41", 1, null],
    ["41", 3, null],
    ["414", 1, "text"],
    ["414", 2, "0.5"],
  ];
  assert.deepEqual(current.rows, newest, `current rows of ${project}`);
  const ledger = await next.query("SELECT tenant, seq, loaded FROM _leat_loads ORDER BY tenant, seq");
  const counts = [
    ["41", 1, 1],
    ["41", 2, 2],
    ["414", 1, 2],
    ["414", 2, 1],
  ];
  assert.deepEqual(ledger.rows, counts, `ledger of ${project}`);
  await next.checkLedger(spec);
}

if (import.meta.main) {
  const report = await runBigQueryMatrix(0, 1, console.log);
  console.log(`${report.cases} cases at ${report.exchanges} exchanges, ${report.faults.length} faults`);
  if (report.faults.length > 0) process.exitCode = 1;
}
