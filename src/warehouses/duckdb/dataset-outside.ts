/** Rows of a dataset's query that another engine's warehouse hands out, into a scratch file. */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LeatError } from "../../errors/leat-error.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { DatasetSpec } from "../../ports/dataset.ts";
import type { QueryFacts } from "../../ports/dataset-engine.ts";
import type { Warehouse } from "../../ports/warehouse.ts";
import { addStaged, checkColumns } from "./dataset-rows.ts";
import type { DuckDbSession } from "./duckdb-file.ts";

/** Another engine's warehouse. */
export type OutsideWarehouse = Readonly<{
  /** Opened when a query is to be run. */
  openWarehouse: () => Promise<Warehouse>;
  /** The stream of a `source.stream`. */
  findStream: (name: string) => StreamSpec;
}>;

/**
 * Runs the dataset's query in the warehouse and adds its rows.
 *
 * Its streams and datasets are looked at before: what comes between then and the query is in the rows of this version,
 * and in the lineage of the next.
 */
export async function addOutsideQuery(
  session: DuckDbSession,
  spec: DatasetSpec,
  job: OutsideWarehouse & Readonly<{ input: number; folder: string }>,
  signal: AbortSignal,
): Promise<QueryFacts> {
  const warehouse = await job.openWarehouse();
  if (warehouse.readPages === undefined)
    throw new LeatError("NOT_SUPPORTED", {
      message: `The dataset ${spec.name} is made of streams or SQL, which cannot be read from the warehouse ${warehouse.url}.`,
      hint: "Make it of files, or build it in a project with another warehouse over the same landing.",
      details: { dataset: spec.name },
    });
  const { from } = spec;
  if (from.kind !== "query" && from.kind !== "stream")
    throw new Error(`the dataset ${spec.name} has no query`);
  const names = from.kind === "query" ? from.streams : [from.stream];
  const specs = names.map((name) => ({ name, stream: job.findStream(name) }));
  const facts = await readFacts(warehouse, specs, from.kind === "query" ? from.datasets : []);
  const sql = from.kind === "query" ? from.sql.replace(/;\s*$/, "") : selectAll(warehouse, specs[0]!.stream);
  const file = path.join(job.folder, `query-${job.input}.ndjson`);
  const counted = { rows: 0 };
  try {
    const lines = Readable.from(stageLines(warehouse.readPages(sql, signal), spec, counted));
    await pipeline(lines, createWriteStream(file), { signal });
  } catch (error) {
    throw refused(spec, error);
  }
  await addStaged(session, spec, job.input, file);
  await rm(file, { force: true });
  return { rowCount: counted.rows, ...facts };
}

const selectAll = (warehouse: Warehouse, stream: StreamSpec): string =>
  `SELECT * FROM ${warehouse.currentName?.(stream) ?? `${stream.source}.${stream.name}`}`;

async function readFacts(
  warehouse: Warehouse,
  streams: readonly Readonly<{ name: string; stream: StreamSpec }>[],
  datasets: readonly string[],
): Promise<Pick<QueryFacts, "streams" | "datasets">> {
  const heads: { stream: string; tenant: string; seq: number }[] = [];
  for (const { name, stream } of streams)
    for (const [tenant, { seq }] of await warehouse.readLedgerHeads(stream))
      heads.push({ stream: name, tenant, seq });
  const versions: { dataset: string; version: string }[] = [];
  for (const dataset of datasets) {
    const held = await warehouse.readDataset?.(dataset);
    if (held !== undefined) versions.push({ dataset, version: held.version });
  }
  const order = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
  heads.sort((a, b) => order(a.stream, b.stream) || order(a.tenant, b.tenant));
  return { streams: heads, datasets: versions };
}

/** Rows as they are staged; see `DatasetScratch`. */
async function* stageLines(
  pages: ReturnType<NonNullable<Warehouse["readPages"]>>,
  spec: DatasetSpec,
  counted: { rows: number },
): AsyncGenerator<string> {
  let places: readonly number[] | undefined;
  for await (const { columns, rows } of pages) {
    if (places === undefined) {
      const found = columns.map(({ name }) => name);
      checkColumns(spec, found);
      places = spec.columns.map(({ published }) => found.indexOf(published.name));
    }
    let text = "";
    for (const row of rows) {
      const cells = places.map((place, at) => {
        const cell = row[place] ?? null;
        return cell === null ? "" : `,"v${at}":${JSON.stringify(cell)}`;
      });
      text += `{"n":${counted.rows},"r":${counted.rows + 1}${cells.join("")}}\n`;
      counted.rows += 1;
    }
    yield text;
  }
}

/** What the warehouse says of the project's own SQL is told as such. */
function refused(spec: DatasetSpec, error: unknown): unknown {
  if (!(error instanceof LeatError) || error.code !== "QUERY_FAILED") return error;
  return new LeatError("QUERY_FAILED", {
    message: `The query of the dataset ${spec.name} was refused: ${error.message}`,
    hint: "Try it with `leat query`; a source that was never synced has no tables yet.",
    details: { dataset: spec.name },
    cause: error,
  });
}
