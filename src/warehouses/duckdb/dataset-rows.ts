/** Rows on their way into a scratch file: staged ones, and those of a query over the warehouse. All as text. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import type { DatasetSpec } from "../../ports/dataset.ts";
import type { QueryFacts } from "../../ports/dataset-engine.ts";
import { hasCatalog } from "./catalog.ts";
import { scratchTables } from "./dataset-columns.ts";
import { readDataset } from "./dataset-table.ts";
import { type DuckDbSession, type DuckDbSettings, withDuckDb } from "./duckdb-file.ts";
import { firstLine } from "./engine-errors.ts";
import { quotePaths } from "./package-source.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** Longest staged line that the engine takes, bytes; longer values are no cells of a table. */
const lineBytesMax = 64 * 1024 * 1024;

/** Makes the table that rows are added to. */
export async function makeRawTable(session: DuckDbSession, spec: DatasetSpec): Promise<void> {
  const values = spec.columns.map((_, at) => `v${at} VARCHAR`);
  const columns = ["_leat_f INTEGER", "_leat_n BIGINT", "_leat_r BIGINT", "_leat_p VARCHAR", ...values];
  await session.run(`CREATE TABLE ${scratchTables.raw} (${columns.join(", ")})`);
}

/** Adds the rows of a staged file. */
export async function addStaged(
  session: DuckDbSession,
  spec: DatasetSpec,
  input: number,
  file: string,
): Promise<void> {
  const values = spec.columns.map((_, at) => `v${at}`);
  const types = [
    "n: 'BIGINT'",
    "r: 'BIGINT'",
    "p: 'VARCHAR'",
    ...values.map((value) => `${value}: 'VARCHAR'`),
  ];
  await session.run(
    `INSERT INTO ${scratchTables.raw} SELECT ${input}, n, r, p, ${values.join(", ")}
     FROM read_ndjson(${quotePaths([file])}, columns = {${types.join(", ")}},
       maximum_object_size = ${lineBytesMax}, compression = 'uncompressed')`,
  );
}

type Query = Readonly<{ sql: string; streams: readonly string[]; datasets: readonly string[] }>;

/** The query of a dataset, and what it reads. */
function queryOf(spec: DatasetSpec): Query {
  const { from } = spec;
  if (from.kind === "query") return from;
  if (from.kind !== "stream") throw new Error(`the dataset ${spec.name} has no query`);
  const at = from.stream.indexOf(".");
  const view = `${quoteName(from.stream.slice(0, at))}.${quoteName(from.stream.slice(at + 1))}`;
  return { sql: `SELECT * FROM ${view}`, streams: [from.stream], datasets: [] };
}

/**
 * Runs the dataset's query in the warehouse, whose file is held for reading only until the rows are in a file of the
 * scratch folder, and adds them.
 */
export async function addQuery(
  session: DuckDbSession,
  spec: DatasetSpec,
  job: Readonly<{ input: number; folder: string; warehouseFile: string; settings: DuckDbSettings }>,
  signal: AbortSignal,
): Promise<QueryFacts> {
  const file = path.join(job.folder, `query-${job.input}.parquet`);
  const heads = await withDuckDb(job.warehouseFile, "read", job.settings, signal, async (warehouse) => {
    if (!existsSync(job.warehouseFile)) {
      throw new LeatError("INPUT_EMPTY", {
        message: `The dataset ${spec.name} reads the warehouse ${job.warehouseFile}, which is not there yet.`,
        hint: "Run `leat sync` first.",
      });
    }
    await exportQuery(warehouse, spec, file);
    return await readHeads(warehouse, queryOf(spec));
  });
  const values = spec.columns.map((_, at) => `v${at}`).join(", ");
  const rowCount = await session.run(
    `INSERT INTO ${scratchTables.raw}
     SELECT ${job.input}, row_number() OVER (), row_number() OVER (), NULL, ${values}
     FROM read_parquet(${quotePaths([file])})`,
  );
  await rm(file, { force: true });
  return { rowCount, ...heads };
}

async function exportQuery(warehouse: DuckDbSession, spec: DatasetSpec, file: string): Promise<void> {
  const { sql } = queryOf(spec);
  // In brackets nothing but a query can stand; the line's end closes a comment that the query may end with.
  const from = `(${sql.replace(/;\s*$/, "")}\n)`;
  const types = new Map<string, string>();
  try {
    for (const row of await warehouse.rows(`DESCRIBE SELECT * FROM ${from}`))
      types.set(String(row["column_name"]), String(row["column_type"]));
  } catch (error) {
    throw queryRefused(spec, error);
  }
  checkColumns(spec, [...types.keys()]);
  const cells = spec.columns.map(
    ({ published: { name } }, at) => `${textSql(quoteName(name), types.get(name)!)} AS v${at}`,
  );
  try {
    await warehouse.run(
      `COPY (SELECT ${cells.join(", ")} FROM ${from}) TO ${quoteText(file)} (FORMAT parquet)`,
    );
  } catch (error) {
    throw queryRefused(spec, error);
  }
}

/** A cell as the text that the columns' types are read from. */
function textSql(cell: string, type: string): string {
  const isNested = /^(STRUCT|MAP|UNION)\b|\]$/.test(type);
  return isNested ? `CAST(to_json(${cell}) AS VARCHAR)` : `CAST(${cell} AS VARCHAR)`;
}

/** What the warehouse held of the streams and datasets that a query reads, for the lineage. */
async function readHeads(
  warehouse: DuckDbSession,
  { streams, datasets }: Query,
): Promise<Pick<QueryFacts, "streams" | "datasets">> {
  if (!(await hasCatalog(warehouse))) return { streams: [], datasets: [] };
  const wanted = streams.map(quoteText).join(", ");
  const heads =
    streams.length === 0
      ? []
      : await warehouse.rows(
          `SELECT source || '.' || stream AS name, tenant, max(seq) AS seq FROM main._leat_loads
           WHERE source || '.' || stream IN (${wanted}) GROUP BY ALL ORDER BY ALL`,
        );
  const versions: { dataset: string; version: string }[] = [];
  for (const dataset of datasets) {
    const held = await readDataset(warehouse, dataset);
    if (held !== undefined) versions.push({ dataset, version: held.version });
  }
  return {
    streams: heads.map((row) => ({
      stream: String(row["name"]),
      tenant: String(row["tenant"]),
      seq: Number(row["seq"]),
    })),
    datasets: versions,
  };
}

/** Holds the columns of a query against the dataset's. @throws LeatError `COLUMN_MISMATCH`. */
export function checkColumns(spec: DatasetSpec, found: readonly string[]): void {
  const names = spec.columns.map(({ published }) => published.name);
  const missing = names.find((name) => !found.includes(name));
  if (missing !== undefined) throw columnMissing(spec, missing, found);
  const left = found.filter((name) => !names.includes(name));
  if (spec.from.kind === "query" && left.length > 0) {
    throw new LeatError("COLUMN_MISMATCH", {
      message: `The query of the dataset ${spec.name} has columns that the dataset has not: ${left.join(", ")}.`,
      hint: "Declare them in `columns`, or leave them out of the query.",
      details: { dataset: spec.name, columns: left },
    });
  }
}

function columnMissing(spec: DatasetSpec, name: string, known: readonly string[]): LeatError {
  const what = spec.from.kind === "stream" ? `The stream ${spec.from.stream}` : "The query";
  return new LeatError("COLUMN_MISMATCH", {
    message: `${what} has no column "${name}", which the dataset ${spec.name} declares.`,
    hint: hintOfKnown(name, "columns", known),
    details: { dataset: spec.name, column: name, known },
  });
}

/** What the engine says of the project's own SQL is told as such. */
function queryRefused(spec: DatasetSpec, error: unknown): unknown {
  const cause = error instanceof LeatError && error.code === "LOAD_FAILED" ? error.cause : undefined;
  if (!(cause instanceof Error)) return error;
  return new LeatError("QUERY_FAILED", {
    message: `The query of the dataset ${spec.name} was refused: ${firstLine(cause.message)}`,
    hint: "Try it with `leat query`; a source that was never synced has no tables yet.",
    details: { dataset: spec.name },
  });
}
