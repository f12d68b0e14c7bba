/**
 * The engine's side of serving: queries go to a process of their own, a few at a time, and each has its limits.
 *
 * | what | limit | then |
 * |---|---|---|
 * | queries at once | `queriesMax` | the next ones wait |
 * | queries that wait | `waitingMax` | `QUERY_BUSY` |
 * | time of a query | `timeoutMs`, `fileTimeoutMs` | it is interrupted; the process is ended if it goes on for `graceMs` |
 * | memory of the engine | `memoryBytesMax` | the engine refuses the query |
 * | memory of the process | `residentBytesMax` | the process is ended: what a query allocates beside the engine's limit |
 *
 * A process that ends, for whatever reason, takes its queries with it (`QUERY_ENGINE_LOST`). The next call starts
 * another, which opens the versions' files again: some 100 ms.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LeatError } from "../../errors/leat-error.ts";
import type {
  AggregateQuery,
  DatasetQueryEngine,
  Facet,
  FacetQuery,
  FileQuery,
  HeadPack,
  HeadToRead,
  LoadedPack,
  QueryTable,
  RowSelection,
  RowsFound,
  RowsQuery,
  VersionToLoad,
} from "../../ports/dataset-query.ts";
import type { CallName, KnownVersion, QueryCalls } from "./query-calls.ts";
import { QueryProcess } from "./query-process.ts";
import { QueryTurns } from "./query-turns.ts";

/** Limits of the engine; all have defaults. */
export type QueryEngineOptions = Readonly<{
  /** A folder of this engine's own, for what does not fit in memory. */
  folder: string;
  /** Most memory of the engine, bytes. Default 1 GiB: facets and sorts of ten million rows take a tenth of it. */
  memoryBytesMax?: number | undefined;
  /** Most memory of the whole process, bytes. Default: `memoryBytesMax` and 768 MiB for Node and what is not counted. */
  residentBytesMax?: number | undefined;
  /** Most disk for what does not fit in memory, bytes. Default 4 GiB. */
  spillBytesMax?: number | undefined;
  /** Threads of one query. Default 2. */
  threads?: number | undefined;
  /** Queries at once. Default 2: more of them only make each other late. */
  queriesMax?: number | undefined;
  /** Queries that wait for their turn. Default 64: beyond that the last would wait for seconds. */
  waitingMax?: number | undefined;
  /** Longest time of a query, ms, from the moment its turn comes. Default 10,000. */
  timeoutMs?: number | undefined;
  /** Longest time for writing a file of rows, ms. Default 120,000. */
  fileTimeoutMs?: number | undefined;
  /** Longest time for loading a version, ms. Default 15 minutes: ten million rows take 15 s. */
  loadTimeoutMs?: number | undefined;
}>;

const mebibyte = 2 ** 20;
/** How long an interrupted query may go on before its process is ended, ms. */
const graceMs = 500;

/** Opens the engine; its process starts with the first call. */
export function openDuckDbQueries(options: QueryEngineOptions): DatasetQueryEngine {
  return new DuckDbQueries(options);
}

class DuckDbQueries implements DatasetQueryEngine {
  readonly #options: QueryEngineOptions;
  readonly #turns: QueryTurns;
  /** Loads have a turn of their own: queries over what is there go on meanwhile. */
  readonly #loads = new QueryTurns({ atOnceMax: 1, waitingMax: 64 });
  readonly #versions = new Map<string, KnownVersion>();
  #process: Promise<QueryProcess> | undefined;
  #isClosed = false;

  constructor(options: QueryEngineOptions) {
    this.#options = options;
    this.#turns = new QueryTurns({
      atOnceMax: options.queriesMax ?? 2,
      waitingMax: options.waitingMax ?? 64,
    });
  }

  async start(): Promise<void> {
    await this.#running();
  }

  async load(version: VersionToLoad, signal: AbortSignal): Promise<LoadedPack> {
    const { id, manifest, paths, orders, packBytesMax, folder } = version;
    const file = join(folder, "rows.duckdb");
    const packPath = join(folder, "pack");
    const known: KnownVersion = { id, file, columns: manifest.schema.columns };
    const { dataset, rowCount } = manifest;
    const asked = { ...known, dataset, rowCount, paths, orders, packBytesMax, packPath };
    const timeoutMs = this.#options.loadTimeoutMs ?? 15 * 60_000;
    const layout = await this.#loads.take(signal, async () => {
      await rm(file, { force: true }); // Of a process that ended in the middle.
      return await this.#call("load", asked, timeoutMs, signal);
    });
    this.#versions.set(id, known);
    return { path: packPath, layout };
  }

  /** Takes no turn: it is some milliseconds' work, and somebody waits for it while all else is busy. */
  readHead({ manifest, path, rowsMax }: HeadToRead, signal: AbortSignal): Promise<HeadPack> {
    const { columns } = manifest.schema;
    return this.#call("readHead", { columns, path, rowsMax }, this.#timeoutMs, signal);
  }

  findRows(id: string, query: RowsQuery, signal: AbortSignal): Promise<RowsFound> {
    return this.#query("findRows", { id, query }, signal);
  }

  writeRowNumbers(id: string, selection: RowSelection, path: string, signal: AbortSignal): Promise<number> {
    return this.#query(
      "writeRowNumbers",
      { id, selection, path },
      signal,
      this.#options.fileTimeoutMs ?? 120_000,
    );
  }

  aggregate(id: string, query: AggregateQuery, signal: AbortSignal): Promise<QueryTable> {
    return this.#query("aggregate", { id, query }, signal);
  }

  facet(id: string, query: FacetQuery, signal: AbortSignal): Promise<Facet> {
    return this.#query("facet", { id, query }, signal);
  }

  async writeFile(id: string, query: FileQuery, path: string, signal: AbortSignal): Promise<void> {
    await this.#query("writeFile", { id, query, path }, signal, this.#options.fileTimeoutMs ?? 120_000);
  }

  async drop(id: string): Promise<void> {
    this.#versions.delete(id);
    const running = await this.#process?.catch(() => undefined);
    if (running === undefined || running.isOver) return; // A process that is gone has no versions.
    await running.call("drop", { id }, { timeoutMs: this.#timeoutMs, graceMs, signal: undefined });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const running = await this.#process?.catch(() => undefined);
    await running?.end();
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? 10_000;
  }

  async #query<Name extends CallName>(
    name: Name,
    asked: QueryCalls[Name]["asked"],
    signal: AbortSignal,
    timeoutMs = this.#timeoutMs,
  ): Promise<QueryCalls[Name]["answer"]> {
    return await this.#turns.take(signal, () => this.#call(name, asked, timeoutMs, signal));
  }

  async #call<Name extends CallName>(
    name: Name,
    asked: QueryCalls[Name]["asked"],
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<QueryCalls[Name]["answer"]> {
    const running = await this.#running();
    return await running.call(name, asked, { timeoutMs, graceMs, signal });
  }

  /** The process, or a new one in the place of one that has ended, with the versions that it should have. */
  async #running(): Promise<QueryProcess> {
    if (this.#isClosed) throw new LeatError("INTERRUPTED", { message: "The query engine was closed." });
    const before = this.#process;
    if (before !== undefined) {
      const running = await before.catch(() => undefined);
      if (running !== undefined && !running.isOver) return running;
    }
    // Whoever comes first starts it; the others find the new one.
    if (this.#process === before) this.#process = this.#begin();
    return await this.#running();
  }

  async #begin(): Promise<QueryProcess> {
    const options = this.#options;
    const memoryBytesMax = options.memoryBytesMax ?? 1024 * mebibyte;
    const started = new QueryProcess(options.residentBytesMax ?? memoryBytesMax + 768 * mebibyte);
    const limits = { timeoutMs: 30_000, graceMs, signal: undefined };
    await started.call(
      "start",
      {
        folder: options.folder,
        memoryBytesMax,
        spillBytesMax: options.spillBytesMax ?? 4096 * mebibyte,
        threads: options.threads ?? 2,
      },
      limits,
    );
    for (const known of this.#versions.values()) await started.call("attach", known, limits);
    return started;
  }
}
