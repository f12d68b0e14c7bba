/**
 * A BigQuery of our own on loopback: datasets, tables, views, load and query jobs over HTTP, with faults where a test
 * wants them. Statements run in DuckDB (`google-sql.ts`), so it proves the protocol and not the SQL.
 *
 * What it keeps to, by the vendor's pages (read 2026-11-21):
 * - a job id that comes twice is refused, 409 `duplicate`: https://docs.cloud.google.com/bigquery/docs/running-jobs
 * - creations that come twice are refused, 409: https://docs.cloud.google.com/bigquery/docs/error-messages
 * - load jobs and multi-statement transactions do all or nothing:
 *   https://docs.cloud.google.com/bigquery/docs/transactions
 * - of two transactions that change one table one is cancelled: the same page, "Transaction concurrency"
 * - jobs are looked for in the location that is named: https://docs.cloud.google.com/bigquery/docs/locations
 * - columns are added, never taken away, by `tables.patch`:
 *   https://docs.cloud.google.com/bigquery/docs/managing-table-schemas
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { openEngine, saveEngine } from "./engine.ts";
import { FakeJobs, type JobFault, type ReadObject, type SavedJobs } from "./fake-jobs.ts";
import { FakeTables, type SavedTables } from "./fake-tables.ts";
import { RestFault } from "./rest-fault.ts";

/** A request, as tests choose their faults by it. */
export type Exchange = Readonly<{ number: number; method: string; path: string; body: unknown }>;

/**
 * What goes wrong with an exchange. `before`: the connection ends and nothing happened. `after`: it happened, and the
 * answer is lost. `twice`: it happens twice, and the second answer is given. `late`: the connection ends, and it happens
 * afterwards. `until`: it waits for something, happens, and is answered.
 */
export type ExchangeFault =
  | "before"
  | "after"
  | "twice"
  | "late"
  | 429
  | 503
  | Readonly<{ until: Promise<unknown> }>;

/** How the fake is started. */
export type BigQueryServerOptions = Readonly<{
  /** The bytes of an object; `undefined`: there is none. */
  readObject: ReadObject;
  location?: string;
  /** Begins with what another one held. */
  saved?: SavedBigQuery;
  fault?: (exchange: Exchange) => ExchangeFault | undefined;
  jobFault?: JobFault;
}>;

/** What a fake held: its engine in a file, and what it knows beside. */
export type SavedBigQuery = Readonly<{ enginePath: string; tables: SavedTables; jobs: SavedJobs }>;

/** Where a table is. */
export type FakePlace = Readonly<{ project: string; dataset: string; table: string }>;

export type BigQueryServer = Readonly<{
  url: string;
  exchanges: readonly Exchange[];
  tables: FakeTables;
  jobs: FakeJobs;
  /** Changes what goes wrong from now on. */
  setFaults: (fault: BigQueryServerOptions["fault"], jobFault?: JobFault) => void;
  /** Makes an empty dataset. */
  addDataset: (project: string, dataset: string, location?: string) => Promise<void>;
  /** Makes a table, and drops one, as somebody who has all rights. */
  addTable: (
    place: FakePlace,
    fields: readonly Readonly<{ name: string; type: string; mode?: string }>[],
  ) => Promise<void>;
  dropTable: (place: FakePlace) => Promise<void>;
  /** Runs GoogleSQL as that somebody. */
  run: (project: string, dataset: string, sql: string) => Promise<void>;
  /** Keeps all that it holds; `enginePath` is a file that is not there yet. Nothing may run meanwhile. */
  save: (enginePath: string) => Promise<SavedBigQuery>;
  close: () => Promise<void>;
}>;

const lateMs = 30;

/** Starts the fake on a free port. */
export async function startBigQuery(options: BigQueryServerOptions): Promise<BigQueryServer> {
  const { saved } = options;
  const engine = await openEngine(saved?.enginePath);
  const tables = new FakeTables(engine, options.location ?? "EU", saved?.tables);
  const jobs = new FakeJobs(engine, tables, options.readObject, saved?.jobs);
  const exchanges: Exchange[] = [];
  let { fault } = options;
  jobs.fault = options.jobFault;
  const handle = async ({ method, path, body }: Exchange, query: URLSearchParams): Promise<unknown> => {
    const match = /^\/bigquery\/v2\/projects\/([^/]+)\/(.*)$/.exec(path);
    if (match === null) throw new RestFault(404, "notFound", `Not found: ${path}`);
    const [, project = "", rest = ""] = match;
    const parts = rest.split("/").map(decodeURIComponent);
    if (parts[0] === "datasets") return await tables.handle({ method, project, parts, body, query });
    return await jobs.handle({ method, project, parts, body, query });
  };
  const late: Promise<unknown>[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://fake");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const exchange = { number: exchanges.length, method: request.method ?? "GET", path: url.pathname, body };
    exchanges.push(exchange);
    const chosen = fault?.(exchange);
    const act = () => handle(exchange, url.searchParams);
    if (chosen === "before") return void response.destroy();
    if (typeof chosen === "object") await chosen.until;
    if (chosen === "late") {
      late.push(
        sleep(lateMs)
          .then(act)
          .catch(() => {}),
      ); // Nobody hears of it.
      return void response.destroy();
    }
    if (chosen === 429 || chosen === 503) {
      const reason = chosen === 429 ? "rateLimitExceeded" : "backendError";
      return send(response, chosen, faultBody(new RestFault(chosen, reason, "Try again later")));
    }
    if (chosen === "twice") await act().catch(() => {}); // The second answer is the one that is given.
    try {
      const answer = await act();
      if (chosen === "after") return void response.destroy();
      send(response, 200, answer ?? {});
    } catch (error) {
      if (chosen === "after") return void response.destroy();
      if (!(error instanceof RestFault)) console.error(exchange.method, exchange.path, error);
      const told = error instanceof RestFault ? error : new RestFault(500, "internalError", String(error));
      send(response, told.status, faultBody(told));
    }
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    exchanges,
    tables,
    jobs,
    setFaults(next, jobFault) {
      fault = next;
      jobs.fault = jobFault;
    },
    addDataset: (project, dataset, location) => tables.addDataset(project, dataset, location, {}),
    addTable: async ({ project, dataset, table }, fields) =>
      void (await tables.handle({
        method: "POST",
        project,
        parts: ["datasets", dataset, "tables"],
        body: { tableReference: { tableId: table }, schema: { fields } },
        query: new URLSearchParams(),
      })),
    dropTable: async ({ project, dataset, table }) =>
      void (await tables.handle({
        method: "DELETE",
        project,
        parts: ["datasets", dataset, "tables", table],
        body: undefined,
        query: new URLSearchParams(),
      })),
    run: async (project, dataset, sql) => void (await jobs.runSql(sql, { project, dataset })),
    async save(enginePath) {
      await saveEngine(engine, enginePath);
      return { enginePath, tables: tables.save(), jobs: jobs.save() };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await Promise.all(late);
      await jobs.settle();
      engine.closeSync();
    },
  };
}

const faultBody = ({ status, reason, message }: RestFault) => ({
  error: { code: status, message, errors: [{ message, domain: "global", reason }] },
});

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify(body));
}
