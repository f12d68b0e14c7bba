/**
 * SQL over the published datasets, in this browser: DuckDB runs in a worker and asks the server for the parts of Parquet
 * files that a query needs. The server executes none of it.
 */
import { AsyncDuckDB, type AsyncDuckDBConnection, VoidLogger } from "@duckdb/duckdb-wasm";
import type { GetApiSqlEngineResponse } from "../../api/types.gen.ts";
import { Problem } from "../../client/problem.ts";
import { apiHref, request } from "../../client/request.ts";
import { readCsv } from "./read-csv.ts";
import { refuseSql } from "./refuse-sql.ts";
import { quoteName, quoteText } from "./row-filter.ts";
import type { DatasetFacts } from "./row-source.ts";

/** A column and its type, as the engine names it. */
export type SqlColumn = Readonly<{ name: string; type: string }>;

export type SqlAnswer = Readonly<{
  columns: readonly SqlColumn[];
  rows: readonly (readonly (string | null)[])[];
  /** More rows than the limit lets through. */
  isCut: boolean;
  tookMs: number;
}>;

/** The engine's only file of its own. */
const answerFile = "answer.csv";

/** The query that is run, as a view: so that its columns have types, and it can be nothing but one that reads. */
const answerView = "leat_answer";

/** Parts of one dataset: of each the end is asked for before the first answer. */
const partsMax = 200;

type Engine = Readonly<{
  worker: Worker;
  db: AsyncDuckDB;
  connection: AsyncDuckDBConnection;
  known: Map<string, string>;
}>;

let engine: Promise<Engine> | undefined;
let stopCurrent: ((problem: Problem) => void) | undefined;

/** Begins to load what a first query waits for. */
export const warmEngine = (): void => void open().catch(() => undefined); // The first query says what is wrong.

/** Runs one statement. @throws Problem with what is wrong with it; or that it was stopped. */
export async function runSql(text: string, limit: number, datasets: readonly string[]): Promise<SqlAnswer> {
  const refused = refuseSql(text);
  if (refused !== undefined) throw new Problem(refused, { status: 400, code: "READ_ONLY" });
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined); // Who waits for it hears of it below.
  stopCurrent = stopped.reject;
  try {
    return await Promise.race([answer(text, limit, datasets), stopped.promise]);
  } finally {
    stopCurrent = undefined;
  }
}

/** Stops what runs: the engine does not listen while it computes, so its worker ends and another begins. */
export function stopSql(): void {
  const running = engine;
  engine = undefined;
  stopCurrent?.(new Problem("The query was stopped.", { status: 400, code: "STOPPED" }));
  void running?.then(({ worker }) => worker.terminate()).catch(() => undefined);
}

async function answer(text: string, limit: number, datasets: readonly string[]): Promise<SqlAnswer> {
  const startedMs = performance.now();
  const { db, connection, known } = await open();
  const ask = (sql: string): Promise<unknown> =>
    connection.useUnsafe((bindings, id) => bindings.runQuery(id, sql));
  const read = async (sql: string): Promise<readonly (readonly (string | null)[])[]> => {
    await db.registerEmptyFileBuffer(answerFile); // Else the engine warns that it is not there yet.
    await ask(`COPY (${sql}) TO '${answerFile}' (FORMAT csv, HEADER true, FORCE_QUOTE *)`);
    const bytes = await db.copyFileToBuffer(answerFile);
    await db.dropFile(answerFile);
    return readCsv(new TextDecoder().decode(bytes));
  };
  try {
    for (const name of datasets.filter((one) => text.toLowerCase().includes(one.toLowerCase())))
      await makeView(name, known, ask);
    const query = text.trim().replace(/;+\s*$/, "");
    await ask(`CREATE OR REPLACE TEMP VIEW ${answerView} AS SELECT * FROM (${query}\n)`);
    const [, ...described] = await read(`SELECT name, type FROM pragma_table_info('${answerView}')`);
    const [, ...rows] = await read(`SELECT * FROM ${answerView} LIMIT ${limit + 1}`);
    return {
      columns: described.map(([name, type]) => ({ name: name ?? "", type: type ?? "" })),
      rows: rows.slice(0, limit),
      isCut: rows.length > limit,
      tookMs: performance.now() - startedMs,
    };
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(error instanceof Error ? error.message : String(error), { status: 400, code: "SQL" });
  }
}

/** A view of the newest version; made again when there is another. */
async function makeView(
  name: string,
  known: Map<string, string>,
  ask: (sql: string) => Promise<unknown>,
): Promise<void> {
  const { version, parts } = await request<DatasetFacts>(`data/datasets/${encodeURIComponent(name)}`);
  if (known.get(name) === version) return;
  if (parts.length > partsMax) {
    throw new Problem(`The dataset ${name} has ${parts.length} files; a browser takes ${partsMax}.`, {
      status: 400,
      code: "TOO_MANY_PARTS",
      hint: "Export what you need, or ask it with `leat query`.",
    });
  }
  const files = parts.map(({ url }) => quoteText(apiHref(`data${url}`)));
  await ask(`CREATE OR REPLACE VIEW ${quoteName(name)} AS SELECT * FROM read_parquet([${files.join(", ")}])`);
  known.set(name, version);
}

const open = (): Promise<Engine> => {
  engine ??= start().catch((error: unknown) => {
    engine = undefined; // The next try begins anew.
    throw error;
  });
  return engine;
};

async function start(): Promise<Engine> {
  const { path, version, install } = await request<GetApiSqlEngineResponse>("sql-engine");
  if (path === null || version === null) {
    throw new Problem("The engine that would run SQL in browsers is not installed on this server.", {
      status: 501,
      code: "DEPENDENCY_MISSING",
      hint: `Whoever runs it types: ${install}`,
    });
  }
  const base = apiHref(`sql-engine/${version}/`);
  const worker = new Worker(`${base}duckdb-browser-eh.worker.js`);
  const db = new AsyncDuckDB(new VoidLogger(), worker);
  await db.instantiate(`${base}duckdb-eh.wasm`);
  // Whole files would be fetched where a range cannot be had: better an error than a gigabyte.
  await db.open({ filesystem: { allowFullHTTPReads: false } });
  const connection = await db.connect();
  await connection.useUnsafe((bindings, id) =>
    // What is not built in would be fetched from elsewhere.
    bindings.runQuery(id, "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false"),
  );
  return { worker, db, connection, known: new Map() };
}
