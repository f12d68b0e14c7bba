/**
 * One load of the Postgres benchmark in a process of its own: `node bench/postgres-job.ts URL SHAPE FOLDER`. Prints one
 * line of JSON.
 */
import { createReadStream, readdirSync } from "node:fs";
import { decodePart } from "../src/landing/part-reader.ts";
import { makeStreamSpec } from "../src/testing/warehouse-under-test.ts";
import { openPostgres } from "../src/warehouses/postgres/open-postgres.ts";
import { packageOf, peakMb } from "./load-packages.ts";
import { type LoadShape, partRows } from "./load-parts.ts";

const [url = "", shape = "narrow", folder = ""] = process.argv.slice(2) as [string, LoadShape, string]; // As postgres.ts starts it.
const spec = makeStreamSpec({ source: "bench", name: "records", landingTable: "bench_records" });
const names = readdirSync(folder).filter((name) => name.startsWith(shape));
const warehouse = openPostgres(url, {
  readPart: (part) => decodePart(createReadStream(part.path), part.entry.key),
  workFolder: folder,
});
const packages = names.map((name, at) => packageOf(folder, name, shape, at + 1));
const startMs = performance.now();
const reopen = async () => Promise.reject(new Error("no type changes here"));
await warehouse.load(spec, packages, reopen, new AbortController().signal);
const seconds = (performance.now() - startMs) / 1000;
const { user, system } = process.cpuUsage();
const rows = names.length * partRows;
process.stdout.write(
  `${JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peakMb: peakMb(), rows })}\n`,
);
