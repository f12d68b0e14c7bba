/**
 * One job of the load benchmark in a process of its own, so that time and memory are its own:
 * `node bench/load-job.ts WAY SHAPE FOLDER`. Prints one line of JSON.
 *
 * Ways: `plain`: the engine's typed read_ndjson of the landed files into a table, leat's columns left out. `leat`: the
 * warehouse's load of the same files, with ledger, schema check, leat's columns and views.
 */
import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { decodePart } from "../src/landing/part-reader.ts";
import { toTenantId } from "../src/model/ids.ts";
import type { PackageToLoad, StagedPart } from "../src/ports/warehouse.ts";
import { quoteExactColumns } from "../src/scan/quote-exact.ts";
import { makeStreamSpec } from "../src/testing/warehouse-under-test.ts";
import { openDuckDb } from "../src/warehouses/duckdb/open-duckdb.ts";
import { columnsOf, type LoadShape, partRows, plainTypes } from "./load-parts.ts";

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
  const packages = names.map((name, at) => packageOf(name, at + 1));
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

function packageOf(name: string, seq: number): PackageToLoad {
  // The name ends in the numbers of records and plain bytes; see `landParts`.
  const [records, plainBytes] = name.split(".")[0]!.split("-").slice(-2).map(Number) as [number, number];
  const exactColumns = shape === "exact" ? ["price", "weight"] : [];
  const entry = { key: name, bytes: 0, plainBytes, records, crc32c: "00000000", exactColumns };
  const part: StagedPart = { entry, path: join(folder, name), compression: "zstd" };
  return {
    tenant: toTenantId("414"),
    seq,
    manifestHash: String(seq).padStart(64, "0"),
    landed: records,
    generation: 0,
    completesGeneration: false,
    columns: columnsOf(shape),
    parts: [part],
    tenantColumn: "tenant_id",
    partitionColumn: undefined,
  };
}

/** The engine's threads too: Node's own figure may leave out pages that the system has seen. */
function peakMb(): number {
  const status = readFileSync("/proc/self/status", "utf8");
  const peak = /VmHWM:\s+(\d+) kB/.exec(status)?.[1];
  return peak === undefined ? process.resourceUsage().maxRSS / 1024 : Number(peak) / 1024;
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
