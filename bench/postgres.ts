/**
 * Loads into Postgres against the server's own COPY of the same typed rows from a file on its disk, in turns. leat's load
 * does more: it reads compressed JSON, checks every value, adds its own columns, an index, a ledger and views.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { startPostgres } from "../test/services/postgres.ts";
import { type LoadShape, landParts, partRows } from "./load-parts.ts";
import { type JobResult, median, runScript } from "./processes.ts";

/** Medians. `ratio` is the server's COPY / leat by time: 1 is as fast as the server itself. */
export type PostgresFigures = Readonly<{
  shape: LoadShape;
  rows: number;
  copySeconds: number;
  leatSeconds: number;
  ratio: number;
  peakMb: number;
}>;

/** What is loaded, and how often. */
export type PostgresBenchOptions = Readonly<{ rows: number; runs: number }>;

const names = ["id", "name", "state", "price", "weight", "isOnHold", "planted", "modified"];

/** Measures both shapes of records. */
export async function benchPostgres({
  rows,
  runs,
}: PostgresBenchOptions): Promise<readonly PostgresFigures[]> {
  const server = await startPostgres();
  const folder = await mkdtemp(join(import.meta.dirname, "postgres-"));
  try {
    await chmod(folder, 0o777); // The server writes its file there, as another user than root.
    const figures: PostgresFigures[] = [];
    for (const [shape, count] of [["narrow", rows] as const, ["exact", rows] as const]) {
      await landParts(folder, shape, Math.ceil(count / partRows) * partRows);
      figures.push(await compare(await server.newDatabase(), shape, folder, runs));
    }
    return figures;
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  url: string,
  shape: LoadShape,
  folder: string,
  runs: number,
): Promise<PostgresFigures> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const loads: JobResult[] = [];
    const copies: number[] = [];
    const columns = names.map((name) => `"${name}"`).join(", ");
    const file = join(folder, `rows-${shape}.copy`);
    for (let run = 0; run < runs; run += 1) {
      const address = new URL(url);
      address.searchParams.set("schema", `run_${run}`);
      loads.push(await runScript("postgres-job.ts", [address.href, shape, folder]));
      const landed = `run_${run}.bench_records`;
      if (run === 0) await client.query(`COPY (SELECT ${columns} FROM ${landed}) TO '${file}'`);
      await client.query(`CREATE TABLE plain AS SELECT ${columns} FROM ${landed} WHERE false`);
      const startMs = performance.now();
      await client.query(`COPY plain FROM '${file}'`);
      copies.push((performance.now() - startMs) / 1000);
      await client.query(`DROP TABLE plain; DROP SCHEMA run_${run} CASCADE; CHECKPOINT`);
    }
    const of = (name: string) => median(loads.map((result) => result[name] ?? 0));
    const [leatSeconds, copySeconds] = [of("seconds"), median(copies)];
    return {
      shape,
      rows: of("rows"),
      copySeconds,
      leatSeconds,
      ratio: copySeconds / leatSeconds,
      peakMb: of("peakMb"),
    };
  } finally {
    await client.end();
  }
}
