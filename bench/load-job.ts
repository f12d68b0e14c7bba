/**
 * One job of the load benchmark in a process of its own, so that time and memory are its own:
 * `node bench/load-job.ts WAY SHAPE FOLDER`. Prints one line of JSON.
 *
 * Ways: `plain`: the engine's typed read_ndjson of the landed files into a table, leat's columns left out. `leat`: the
 * warehouse's load of the same files, with ledger, schema check, leat's columns and views.
 */
import { createReadStream, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { decodePart } from "../src/landing/part-reader.ts";
import type { PackageToLoad } from "../src/ports/warehouse.ts";
import { quoteExactColumns } from "../src/scan/quote-exact.ts";
import { makeStreamSpec } from "../src/testing/warehouse-under-test.ts";
import { openDuckDb } from "../src/warehouses/duckdb/open-duckdb.ts";
import { packageOf, peakMb } from "./load-packages.ts";
import { type LoadShape, partRows, plainTypes } from "./load-parts.ts";

const [way = "", shape = "narrow", folder = ""] = process.argv.slice(2) as [string, LoadShape, string]; // As load.ts starts it.
const target = mkdtempSync(join(folder, "target-"));
const file = join(target, "bench.duckdb");
const names = readdirSync(folder).filter((name) => name.startsWith(shape));

/** Plain bytes of one load's transaction, as `src/load` bounds it. */
const batchPlainBytes = 1024 ** 3;

async function plain(): Promise<void> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  const files = names.map((name) => `'${join(folder, name)}'`).join(", ");
  await connection.run(
    `CREATE TABLE records AS SELECT * FROM read_ndjson([${files}], columns = ${plainTypes(shape)},
     format = 'newline_delimited', compression = 'zstd')`,
  );
  connection.closeSync();
  instance.closeSync();
}

async function leat(): Promise<void> {
  const spec = makeStreamSpec({ source: "bench", name: "records", landingTable: "bench_records" });
  const warehouse = openDuckDb(`duckdb:${file}`, {
    quoteExact: quoteExactColumns,
    readPart: (part) => decodePart(createReadStream(part.path), part.entry.key),
    workFolder: target,
  });
  const packages = names.map((name, at) => packageOf(folder, name, shape, at + 1));
  let batch: PackageToLoad[] = [];
  let bytes = 0;
  const load = async () => {
    const reopen = async () => Promise.reject(new Error("no type changes here"));
    await warehouse.load(spec, batch, reopen, new AbortController().signal);
    batch = [];
    bytes = 0;
  };
  for (const pack of packages) {
    bytes += pack.parts[0]!.entry.plainBytes;
    if (bytes > batchPlainBytes && batch.length > 0) await load();
    batch.push(pack);
  }
  await load();
  await warehouse.close();
}

const startMs = performance.now();
await (way === "plain" ? plain() : leat());
const seconds = (performance.now() - startMs) / 1000;
const { user, system } = process.cpuUsage();
rmSync(target, { recursive: true });
const rows = names.length * partRows;
process.stdout.write(
  `${JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peakMb: peakMb(), rows })}\n`,
);
