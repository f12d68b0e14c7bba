/** Jobs of the fake: loads from objects, scripts and queries, each known by its id for as long as the fake lives. */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { type RestField, restCell, restField } from "./engine.ts";
import type { FakeTables } from "./fake-tables.ts";
import { type Defaults, type Statement, schemaOf, translateScript } from "./google-sql.ts";
import { RestFault, type RestRequest } from "./rest-fault.ts";

/** The bytes of `gs://bucket/key`; `undefined`: there is no such object. */
export type ReadObject = (bucket: string, key: string) => Promise<Uint8Array | undefined>;

/** What becomes of a job instead: it fails before it did anything, takes its time, or waits until something is so. */
export type JobFault = (
  job: Readonly<{ id: string; kind: "load" | "query"; sql: string }>,
) =>
  | Readonly<{ reason: string; message: string }>
  | Readonly<{ slowMs: number }>
  | Readonly<{ until: Promise<void> }>
  | undefined;

type LoadConfiguration = Readonly<{
  sourceUris: readonly string[];
  destinationTable: { projectId: string; datasetId: string; tableId: string };
  sourceFormat: string;
  schema: { fields: readonly RestField[] };
  createDisposition: string;
  writeDisposition: string;
  ignoreUnknownValues?: boolean;
  clustering?: { fields: readonly string[] };
  hivePartitioningOptions?: { mode: string; sourceUriPrefix: string };
}>;
type QueryConfiguration = Readonly<{
  query: string;
  maximumBytesBilled?: string;
  defaultDataset?: { projectId: string; datasetId: string };
}>;
type JobBody = Readonly<{
  jobReference?: { jobId?: string; location?: string };
  configuration: { dryRun?: boolean; labels?: unknown; load?: LoadConfiguration; query?: QueryConfiguration };
}>;

type Rows = Readonly<{ fields: readonly RestField[]; rows: readonly (readonly (string | null)[])[] }>;
type FakeJob = {
  readonly id: string;
  readonly body: JobBody;
  readonly location: string;
  state: "RUNNING" | "DONE";
  error: { reason: string; message: string } | undefined;
  result: Rows;
  /** Stops its statement. */
  cancel: () => void;
  done: Promise<void>;
};

/** Jobs by their ids. */
export type SavedJobs = ReadonlyMap<string, FakeJob>;

const nothing: Rows = { fields: [], rows: [] };
/** Every table that a statement reads is billed for at least so much. */
const leastBytesBilled = 10 * 1024 * 1024;

export class FakeJobs {
  readonly #engine: DuckDBInstance;
  readonly #tables: FakeTables;
  readonly #readObject: ReadObject;
  readonly #jobs: Map<string, FakeJob>;
  fault: JobFault | undefined;
  /** Most bytes that a statement is said to scan. */
  scannedBytes = 1024;

  constructor(
    engine: DuckDBInstance,
    tables: FakeTables,
    readObject: ReadObject,
    saved: SavedJobs = new Map(),
  ) {
    this.#engine = engine;
    this.#tables = tables;
    this.#readObject = readObject;
    this.#jobs = new Map(saved);
  }

  /** Those that have ended; of them nothing changes any more. */
  save(): SavedJobs {
    return new Map([...this.#jobs].filter(([, { state }]) => state === "DONE"));
  }

  /** Ids of the jobs that there were, with their labels. */
  list(): readonly Readonly<{ id: string; labels: unknown; body: JobBody; error: string | undefined }>[] {
    return [...this.#jobs.values()].map(({ id, body, error }) => ({
      id,
      labels: body.configuration.labels,
      body,
      error: error?.message,
    }));
  }

  /** Waits until nothing runs. */
  async settle(): Promise<void> {
    await Promise.all([...this.#jobs.values()].map(({ done }) => done));
  }

  async handle({ method, project, parts, body, query }: RestRequest): Promise<unknown> {
    const [area, id, action] = parts;
    if (area === "jobs" && method === "POST" && id === undefined)
      return await this.#insert(project, body as JobBody);
    if (area === "jobs" && method === "GET" && id === undefined) return this.#list(query);
    if (id === undefined) throw new RestFault(404, "notFound", `Not found: ${parts.join("/")}`);
    const job = this.#jobs.get(id);
    if (job === undefined || job.location.toLowerCase() !== (query.get("location") ?? "US").toLowerCase())
      throw new RestFault(404, "notFound", `Not found: Job ${project}:${id}`);
    if (action === "cancel") {
      job.cancel();
      return { job: describe(job) };
    }
    if (area === "jobs") return describe(job);
    return await this.#results(job, query);
  }

  /** @see https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/list (read 2026-11-21) */
  #list(query: URLSearchParams): unknown {
    const from = Number(query.get("pageToken") ?? 0);
    const most = Number(query.get("maxResults") ?? 100);
    const jobs = [...this.#jobs.values()].map((job) => ({
      ...(describe(job) as object),
      configuration: job.body.configuration,
    }));
    const hasMore = from + most < jobs.length;
    return { jobs: jobs.slice(from, from + most), ...(hasMore && { nextPageToken: String(from + most) }) };
  }

  async #insert(project: string, body: JobBody): Promise<unknown> {
    const { dryRun, load, query } = body.configuration;
    if (dryRun === true) return await this.#dryRun(project, query!);
    const id = body.jobReference?.jobId ?? `job_${this.#jobs.size}`;
    if (this.#jobs.has(id)) throw new RestFault(409, "duplicate", `Already Exists: Job ${project}:${id}`);
    const location = body.jobReference?.location ?? "US";
    const job: FakeJob = {
      id,
      body,
      location,
      state: "RUNNING",
      error: undefined,
      result: nothing,
      cancel: () => {},
      done: Promise.resolve(),
    };
    this.#jobs.set(id, job);
    job.done = this.#execute(job, project, load, query)
      .catch((error) => {
        job.error = {
          reason: error instanceof RestFault ? error.reason : "invalidQuery",
          message: messageOf(error),
        };
      })
      .then(() => {
        job.state = "DONE";
      });
    return describe(job);
  }

  async #execute(
    job: FakeJob,
    project: string,
    load: LoadConfiguration | undefined,
    query: QueryConfiguration | undefined,
  ): Promise<void> {
    const fault = this.fault?.({
      id: job.id,
      kind: load === undefined ? "query" : "load",
      sql: query?.query ?? "",
    });
    if (fault !== undefined && "slowMs" in fault) await sleep(fault.slowMs);
    else if (fault !== undefined && "until" in fault) await fault.until;
    else if (fault !== undefined) throw new RestFault(400, fault.reason, fault.message);
    if (load !== undefined) await this.#load(load);
    if (query === undefined) return;
    this.#checkCost(query);
    const defaults = { project, dataset: query.defaultDataset?.datasetId };
    job.result = await this.runSql(query.query, defaults, (connection) => {
      job.cancel = () => connection.interrupt();
    });
  }

  #checkCost({ maximumBytesBilled }: QueryConfiguration): void {
    const billed = Math.max(this.scannedBytes, leastBytesBilled);
    if (maximumBytesBilled !== undefined && billed > Number(maximumBytesBilled))
      throw new RestFault(
        400,
        "bytesBilledLimitExceeded",
        `Query exceeded limit for bytes billed: ${maximumBytesBilled}. ${billed} or higher required.`,
      );
  }

  /** Runs a script in a session of its own; an error undoes its open transaction. */
  async runSql(
    sql: string,
    defaults: Defaults,
    begun: (connection: DuckDBConnection) => void = () => {},
  ): Promise<Rows> {
    const connection = await this.#engine.connect();
    begun(connection);
    try {
      if (defaults.dataset !== undefined) {
        this.#tables.dataset(defaults.project, defaults.dataset);
        await connection.run(`SET search_path = '"${schemaOf(defaults.project, defaults.dataset)}",main'`);
      }
      let last: Rows = nothing;
      for (const statement of translateScript(sql, defaults))
        last = await this.#runStatement(connection, statement);
      return last;
    } catch (error) {
      await connection.run("ROLLBACK").catch(() => {}); // There may be none.
      throw error;
    } finally {
      connection.closeSync();
    }
  }

  async #runStatement(connection: DuckDBConnection, { verb, sql, message, made }: Statement): Promise<Rows> {
    const reader = await connection.runAndReadAll(sql);
    if (made !== undefined) await this.#tables.noteMade(made.schema, made.table, made.labels);
    if (verb === "ASSERT") {
      if (reader.getRows()[0]?.[0] !== true)
        throw new RestFault(400, "invalidQuery", `Query error: ${message} at [1:1]`);
      return nothing;
    }
    if (verb !== "SELECT" && verb !== "WITH") return nothing;
    const types = reader.columnTypes();
    const fields = reader.columnNames().map((name, at) => restField(name, types[at]!));
    return {
      fields,
      rows: reader.getRows().map((row) => row.map((cell, at) => restCell(cell, fields[at]!))),
    };
  }

  async #dryRun(project: string, query: QueryConfiguration): Promise<unknown> {
    const defaults = { project, dataset: query.defaultDataset?.datasetId };
    const statements = translateScript(query.query, defaults);
    const [first] = statements;
    if (first === undefined)
      throw new RestFault(400, "invalidQuery", "Syntax error: Unexpected end of statement");
    const statementType =
      statements.length > 1
        ? "SCRIPT"
        : ["SELECT", "WITH", "("].includes(first.verb)
          ? "SELECT"
          : first.verb === "CREATE"
            ? "CREATE_TABLE"
            : first.verb;
    if (statementType === "SELECT")
      await this.runSql(`EXPLAIN ${query.query}`, defaults).catch((error) => {
        throw new RestFault(400, "invalidQuery", messageOf(error));
      });
    return { statistics: { query: { statementType, totalBytesProcessed: String(this.scannedBytes) } } };
  }

  async #load(load: LoadConfiguration): Promise<void> {
    const { projectId, datasetId, tableId } = load.destinationTable;
    const { said } = this.#tables.table(projectId, datasetId, tableId); // CREATE_NEVER
    checkClustering(load, said["clustering"]);
    const source = load.hivePartitioningOptions?.sourceUriPrefix ?? "";
    const [prefix = ""] = source.split("{");
    const keys = [...source.matchAll(/\{([a-z]+):/g)].map(([, key]) => key!);
    const isJson = load.sourceFormat === "NEWLINE_DELIMITED_JSON";
    const rows: (string | null)[][] = [];
    let isGzip: boolean | undefined;
    for (const uri of load.sourceUris) {
      const [, bucket = "", key = ""] = /^gs:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
      const bytes = await this.#readObject(bucket, key);
      if (bytes === undefined) throw new RestFault(404, "notFound", `Not found: URI ${uri}`);
      if (!uri.startsWith(prefix))
        throw new RestFault(400, "invalid", `${uri} does not begin with ${prefix}`);
      if (isGzip !== undefined && isGzip !== uri.endsWith(".gz"))
        throw new RestFault(
          400,
          "invalid",
          "Compressed and uncompressed files cannot be mixed in one load job",
        );
      isGzip = uri.endsWith(".gz");
      const places = keys.map(
        (name) => new RegExp(`/${name}=([^/]*)/`).exec(uri.slice(prefix.length - 1))?.[1] ?? "",
      );
      const text = (isGzip ? gunzipSync(bytes) : Buffer.from(bytes)).toString("utf8");
      for (const line of text.split("\n"))
        if (line !== "") rows.push(isJson ? jsonCells(line, load) : [line, ...places]);
    }
    const connection = await this.#engine.connect();
    try {
      await connection.run("BEGIN TRANSACTION");
      const schema = schemaOf(projectId, datasetId);
      if (load.writeDisposition === "WRITE_TRUNCATE")
        await connection.run(`DELETE FROM "${schema}"."${tableId}"`);
      // Texts first, which the statement after it reads as the columns' types.
      const texts = rows[0]?.map((_cell, at) => `c${at} VARCHAR`) ?? ["c0 VARCHAR"];
      await connection.run(`CREATE TEMP TABLE texts (${texts.join(", ")})`);
      const appender = await connection.createAppender("texts");
      for (const row of rows) {
        for (const cell of row) {
          if (cell === null) appender.appendNull();
          else appender.appendVarchar(cell);
        }
        appender.endRow();
      }
      appender.closeSync();
      if (rows.length > 0) await connection.run(`INSERT INTO "${schema}"."${tableId}" SELECT * FROM texts`);
      await connection.run("COMMIT");
    } finally {
      connection.closeSync();
    }
  }

  async #results(job: FakeJob, query: URLSearchParams): Promise<unknown> {
    await Promise.race([
      job.done,
      sleep(Math.min(Number(query.get("timeoutMs") ?? 10_000), 1_000), undefined, { ref: false }),
    ]);
    const jobReference = { jobId: job.id, location: job.location };
    if (job.state !== "DONE") return { jobReference, jobComplete: false };
    if (job.error !== undefined) throw new RestFault(400, job.error.reason, job.error.message);
    const from = Number(query.get("pageToken") ?? 0);
    const most = Number(query.get("maxResults") ?? 10_000);
    const { fields, rows } = job.result;
    const hasMore = from + most < rows.length;
    return {
      jobReference,
      jobComplete: true,
      schema: { fields },
      totalRows: String(rows.length),
      rows: rows.slice(from, from + most).map((row) => ({ f: row.map((v) => ({ v })) })),
      ...(hasMore && { pageToken: String(from + most) }),
    };
  }
}

function describe({ id, state, error, location, body }: FakeJob): unknown {
  return {
    jobReference: { jobId: id, location },
    configuration: { labels: body.configuration.labels },
    status: { state, ...(error !== undefined && { errorResult: error, errors: [error] }) },
    ...(state === "DONE" &&
      body.configuration.query !== undefined && {
        statistics: { query: { totalBytesBilled: String(leastBytesBilled) } },
      }),
  };
}

/** A job may say how its table is clustered, and then it must be so. */
function checkClustering({ clustering }: LoadConfiguration, made: unknown): void {
  if (clustering === undefined || isDeepStrictEqual(clustering, made)) return;
  throw new RestFault(
    400,
    "invalid",
    `Incompatible table partitioning specification. Expects ${JSON.stringify(made)}, but input is ${JSON.stringify(clustering)}`,
  );
}

/** Values of a line by the fields of a schema; the service reads text as the column's type. */
function jsonCells(
  line: string,
  { schema: { fields }, ignoreUnknownValues }: LoadConfiguration,
): (string | null)[] {
  const row = JSON.parse(line) as Readonly<Record<string, unknown>>; // Lines that leat has written.
  const stranger = Object.keys(row).find((name) => !fields.some((field) => field.name === name));
  if (stranger !== undefined && ignoreUnknownValues !== true)
    throw new RestFault(400, "invalid", `JSON parsing error: No such field: ${stranger}`);
  return fields.map(({ name }) => {
    const value = row[name] ?? null;
    return value === null || typeof value === "string" ? value : JSON.stringify(value);
  });
}

/** The engine's words as the service would put them. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/Transaction conflict|Conflict on update|conflict on tuple|write-write conflict/i.test(message))
    return "Transaction is aborted due to concurrent update against table. Transaction ID: 0";
  return message;
}
