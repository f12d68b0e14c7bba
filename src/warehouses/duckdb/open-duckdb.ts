/** The warehouse in one DuckDB file: rows, ledger and schema change in one transaction. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { type TenantId, toTenantId, type WarehouseId } from "../../model/ids.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type {
  BatchReceipt,
  DatasetTable,
  HistoryFilter,
  LedgerRow,
  LoadedPackage,
  PackageToLoad,
  PublishedDataset,
  QueryResult,
  RejectedRecord,
  ReopenPackage,
  ShareTables,
  TableChecksum,
  Warehouse,
  WarehouseColumn,
} from "../../ports/warehouse.ts";
import {
  hasCatalog,
  makeCatalog,
  ofStream,
  placeOf,
  readColumns,
  readLedgerRows,
  readStreams,
  readWarehouseId,
  text,
} from "./catalog.ts";
import { checksumSql } from "./checksum-sql.ts";
import { publishDataset, readDataset } from "./dataset-table.ts";
import { type DuckDbSession, type DuckDbSettings, KeptEngine, withDuckDb } from "./duckdb-file.ts";
import { firstLine } from "./engine-errors.ts";
import { forgetStream } from "./forget-stream.ts";
import { loadBatch, prepareStream } from "./load-batch.ts";
import { openValueConverter } from "./query-values.ts";
import { readLoads, readRejects, readStreamColumns } from "./read-loads.ts";
import {
  checkQueries,
  claimTables,
  keepReceipts,
  readOwner,
  readReceipts,
  removeTables,
  replaceTables,
} from "./share-tables.ts";
import { quoteText } from "./sql-text.ts";
import { makeWorkFolder, type QuoteExact, type ReadPart } from "./stage-exact.ts";
import { disagreementsSql } from "./view-sql.ts";
import { viewInputs } from "./views.ts";

/** How a DuckDB warehouse is opened. */
export type DuckDbOptions = Readonly<{
  /** Quotes numbers and nested values of columns, so that they arrive exactly (`quoteExactColumns` of the scanner). */
  quoteExact: QuoteExact;
  /** The plain bytes of a part on this machine. Node's own zstd reader stops after the first frame: use leat's. */
  readPart: ReadPart;
  /** How long another process's turn at the file is waited for, ms. Default 60 000: most loads take less. */
  lockWaitMs?: number | undefined;
  /** What the engine may hold in memory, e.g. `512MB`. Default: the engine's own, 80 % of the machine's. */
  memoryLimit?: string | undefined;
  /** Where the engine puts what does not fit in memory. Default: beside the file. */
  tempFolder?: string | undefined;
  /** Threads of the engine. Default: one a core. */
  threads?: number | undefined;
  /** Where private copies of parts are staged; each load removes its own. Default: the system's temporary folder. */
  workFolder?: string | undefined;
  /**
   * Whether one engine serves all operations until the warehouse is closed, which must be done then. The file is given
   * back after each all the same. For a chain of small operations: an engine takes 12 ms of CPU to make. Default: no.
   */
  keepsEngine?: boolean | undefined;
}>;

/** Default of `lockWaitMs`. */
export const lockWaitMsDefault = 60_000;

const scheme = "duckdb:";

/**
 * A warehouse in the file that `url` (`duckdb:PATH`) names. Touches nothing before its first method is called; every
 * method opens the file and closes it again, so that other processes can have it in between.
 *
 * @throws LeatError `CONFIG_INVALID` when the address is not of that form.
 */
export function openDuckDb(url: string, options: DuckDbOptions): Warehouse {
  const file = url.startsWith(scheme) ? url.slice(scheme.length) : "";
  if (file === "" || file === ":memory:")
    throw new LeatError("CONFIG_INVALID", {
      message: `"${url}" does not name a DuckDB file.`,
      hint: "Write it as duckdb:PATH, e.g. duckdb:.leat/warehouse.duckdb.",
    });
  if (file.includes("?"))
    throw new LeatError("CONFIG_INVALID", {
      message: `The path of the warehouse ${file} has a question mark.`,
      hint: "Choose another path: the engine would put its write-ahead log before it, into a folder that is not there.",
    });
  return new DuckDbWarehouse(url, file, options);
}

class DuckDbWarehouse implements Warehouse {
  readonly url: string;
  readonly compressions = ["zstd", "gzip", "none"] as const;
  readonly #file: string;
  readonly #options: DuckDbOptions;
  readonly #settings: DuckDbSettings;

  constructor(url: string, file: string, options: DuckDbOptions) {
    this.url = url;
    this.#file = file;
    this.#options = options;
    this.#settings = {
      lockWaitMs: options.lockWaitMs ?? lockWaitMsDefault,
      memoryLimit: options.memoryLimit,
      tempFolder: options.tempFolder,
      threads: options.threads,
      kept: options.keepsEngine === true ? new KeptEngine() : undefined,
    };
  }

  async identity(): Promise<WarehouseId> {
    const known = await this.#read(undefined, async (session) => {
      return (await hasCatalog(session)) ? await readWarehouseId(session, this.#file) : undefined;
    });
    if (known !== undefined) return known;
    return await withDuckDb(this.#file, "write", this.#settings, undefined, async (session) => {
      await session.run("BEGIN TRANSACTION");
      await makeCatalog(session, this.#file); // Made under the file's lock, or made by another meanwhile.
      await session.run("COMMIT");
      return await readWarehouseId(session, this.#file);
    });
  }

  async readLedger(
    spec: StreamSpec,
    tenant: TenantId,
    options: { afterSeq?: number } = {},
  ): Promise<readonly LedgerRow[]> {
    const condition = `tenant = ${quoteText(tenant)} AND seq > ${options.afterSeq ?? 0}`;
    return await this.#readKnown([], async (session) => {
      return (await readLedgerRows(session, spec, condition)).map(({ row }) => row);
    });
  }

  async readLedgerHeads(spec: StreamSpec): Promise<ReadonlyMap<TenantId, LedgerRow>> {
    return await this.#readKnown(new Map(), async (session) => {
      const heads = `SELECT tenant, max(seq) FROM main._leat_loads WHERE ${ofStream(placeOf(spec))} GROUP BY tenant`;
      const rows = await readLedgerRows(session, spec, `(tenant, seq) IN (${heads})`);
      return new Map(rows.map(({ tenant, row }) => [tenant, row]));
    });
  }

  async load(
    spec: StreamSpec,
    packages: readonly PackageToLoad[],
    reopen: ReopenPackage,
    signal: AbortSignal,
  ): Promise<BatchReceipt> {
    const { quoteExact, readPart } = this.#options;
    return await withDuckDb(this.#file, "write", this.#settings, signal, async (session) => {
      const workFolder = await makeWorkFolder(this.#options.workFolder ?? tmpdir(), this.#file);
      const tools = { quoteExact, readPart, workFolder };
      try {
        return await loadBatch({ session, file: this.#file, tools, reopen, signal }, spec, packages);
      } finally {
        await rm(workFolder, { recursive: true, force: true });
      }
    });
  }

  async prepare(
    spec: StreamSpec,
    options: { tenantColumn: string; partitionColumn: string | undefined },
  ): Promise<void> {
    await withDuckDb(this.#file, "write", this.#settings, undefined, (session) =>
      prepareStream({ session, file: this.#file }, spec, options),
    );
  }

  async query(sql: string, options: { signal?: AbortSignal; rowsMax?: number } = {}): Promise<QueryResult> {
    const { signal, rowsMax = Number.MAX_SAFE_INTEGER } = options;
    return await this.#read(signal, async ({ connection }) => {
      try {
        const engine = await import("@duckdb/node-api");
        const { count } = await connection.extractStatements(sql);
        if (count !== 1) throw notOneStatement(count);
        const reader = await connection.streamAndReadUntil(sql, rowsMax);
        const types = reader.columnTypes();
        const columns = reader.columnNames().map((name, at) => ({
          name,
          type: reader.columnLogicalType(at).alias ?? String(types[at]), // JSON is a VARCHAR by another name.
        }));
        const rows = reader.convertRows(openValueConverter(engine));
        return { columns, rows: rows.length > rowsMax ? rows.slice(0, rowsMax) : rows };
      } catch (error) {
        throw queryError(error, signal);
      }
    });
  }

  async checksums(spec: StreamSpec): Promise<readonly TableChecksum[]> {
    return await this.#readKnown([], async (session) => {
      const stream = await findCatalogStream(session, spec);
      if (stream === undefined) return [];
      const rows = await session.rows(checksumSql(stream, await readColumns(session, spec)));
      return rows.map((row) => ({
        tenant: toTenantId(text(row, "tenant")),
        seq: Number(row["seq"]),
        rows: Number(row["held"]),
        checksum: text(row, "checksum"),
      }));
    });
  }

  async currentDisagreements(
    spec: StreamSpec,
    options: { sampleMax: number },
  ): Promise<Readonly<{ count: number; sample: readonly string[] }>> {
    return await this.#readKnown({ count: 0, sample: [] }, async (session) => {
      const stream = await findCatalogStream(session, spec);
      if (stream === undefined) return { count: 0, sample: [] };
      const inputs = await viewInputs(session, spec, stream, await readColumns(session, spec));
      const found = disagreementsSql(inputs);
      const [counted] = await session.rows(`SELECT count(*) AS held FROM (${found})`);
      const sample = await session.rows(
        `SELECT record FROM (${found}) ORDER BY record LIMIT ${options.sampleMax}`,
      );
      return { count: Number(counted!["held"]), sample: sample.map((row) => text(row, "record")) };
    });
  }

  async forget(spec: StreamSpec): Promise<void> {
    await this.#write((session) => forgetStream(session, spec));
  }

  readonly shareTables: ShareTables = {
    readOwner: (spec) => this.#readKnown(undefined, (session) => readOwner(session, spec)),
    claim: (spec, owner) => this.#write((session) => claimTables(session, this.#file, spec, owner)),
    replace: (spec, aside) => this.#write((session) => replaceTables(session, spec, aside)),
    remove: async (spec) => {
      if (existsSync(this.#file)) await this.#write((session) => removeTables(session, spec));
    },
    checkQueries,
    readReceipts: (spec) => this.#readKnown(undefined, (session) => readReceipts(session, spec)),
    keepReceipts: (spec, receipts) => this.#write((session) => keepReceipts(session, spec, receipts)),
  };

  async readDataset(dataset: string): Promise<PublishedDataset | undefined> {
    return await this.#readKnown(undefined, (session) => readDataset(session, dataset));
  }

  async publishDataset(table: DatasetTable, signal: AbortSignal): Promise<PublishedDataset> {
    return await withDuckDb(this.#file, "write", this.#settings, signal, (session) =>
      publishDataset(session, this.#file, table),
    );
  }

  async readLoads(spec: StreamSpec, filter: HistoryFilter): Promise<readonly LoadedPackage[]> {
    return await this.#readKnown([], (session) => readLoads(session, spec, filter));
  }

  async readRejects(spec: StreamSpec, filter: HistoryFilter): Promise<readonly RejectedRecord[]> {
    return await this.#readKnown([], (session) => readRejects(session, spec, filter));
  }

  async readColumns(spec: StreamSpec): Promise<readonly WarehouseColumn[]> {
    return await this.#readKnown([], (session) => readStreamColumns(session, spec));
  }

  async close(): Promise<void> {
    this.#settings.kept?.close(); // Nothing else stays open between methods.
  }

  async #read<Result>(
    signal: AbortSignal | undefined,
    work: (session: DuckDbSession) => Promise<Result>,
  ): Promise<Result> {
    return await withDuckDb(this.#file, "read", this.#settings, signal, work);
  }

  async #write<Result>(work: (session: DuckDbSession) => Promise<Result>): Promise<Result> {
    return await withDuckDb(this.#file, "write", this.#settings, undefined, work);
  }

  /** Reads leat's tables; `otherwise` where there are none yet. */
  async #readKnown<Result>(
    otherwise: Result,
    work: (session: DuckDbSession) => Promise<Result>,
  ): Promise<Result> {
    if (!existsSync(this.#file)) return otherwise;
    return await this.#read(undefined, async (session) => {
      if (!(await hasCatalog(session))) return otherwise;
      await readWarehouseId(session, this.#file); // Refuses tables of a newer form.
      return await work(session);
    });
  }
}

async function findCatalogStream(session: DuckDbSession, spec: StreamSpec) {
  const streams = await readStreams(session);
  return streams.find(({ source, stream }) => source === spec.source && stream === spec.name);
}

/** Of several statements only the last one's rows would be seen. */
function notOneStatement(count: number): LeatError {
  return new LeatError("QUERY_FAILED", {
    message: count === 0 ? "There is no statement." : `There are ${count} statements; a query is one.`,
    hint: count === 0 ? "Write one, such as: select 1" : "Run them one after another.",
  });
}

/** The engine's words for a text without a statement in it. */
const nothingSaid = "Error in native callback";

function queryError(error: unknown, signal: AbortSignal | undefined): LeatError {
  if (isLeatError(error)) return error;
  if (signal?.aborted === true)
    return new LeatError("INTERRUPTED", { message: "The query was stopped.", cause: error });
  const said = error instanceof Error ? error.message : String(error);
  if (said === nothingSaid) return notOneStatement(0);
  const message = said.replace(/^Failed to extract statements: /, "");
  const [, more = ""] = /^[^\n]*\n(.*)$/s.exec(message) ?? []; // What the engine suggests, and where it stumbled.
  const isWrite = /read-only mode/.test(message);
  // Without the cause: its words are told here entirely, and would be told twice.
  return new LeatError("QUERY_FAILED", {
    message: firstLine(message),
    hint: isWrite
      ? "Queries only read; change the warehouse through the declaration."
      : more.trim() === ""
        ? "Compare the statement with what DuckDB documents."
        : more.trim(),
  });
}
