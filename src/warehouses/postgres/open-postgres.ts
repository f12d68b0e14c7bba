/** The warehouse in a schema of a Postgres database: rows, ledger and schema change in one transaction. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TenantId, WarehouseId } from "../../model/ids.ts";
import { toTenantId } from "../../model/ids.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type {
  BatchReceipt,
  DatasetTable,
  HistoryFilter,
  LedgerRow,
  LoadedPackage,
  PackageToLoad,
  PublishedDataset,
  QueryPage,
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
  ownTable,
  readColumns,
  readLedgerRows,
  readStreams,
  readWarehouseId,
  text,
} from "./catalog.ts";
import { prepareStream } from "./change-schema.ts";
import { checksumSql } from "./checksum-sql.ts";
import type { ReadPart } from "./copy-packages.ts";
import { type ExportParquet, publishDataset, readDataset } from "./dataset-table.ts";
import { forgetStream } from "./forget-stream.ts";
import { relationsOf } from "./landing-table.ts";
import { loadBatch } from "./load-batch.ts";
import { type PostgresAddress, parsePostgresAddress } from "./postgres-address.ts";
import { toLeatError } from "./postgres-errors.ts";
import {
  CommitUnanswered,
  type PostgresSession,
  type PostgresSettings,
  withPostgres,
} from "./postgres-session.ts";
import { queryRows } from "./query-rows.ts";
import { readLoads, readRejects, readStreamColumns } from "./read-loads.ts";
import { readPages } from "./read-pages.ts";
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
import { disagreementsSql } from "./view-sql.ts";
import { viewInputs } from "./views.ts";

/** How a Postgres warehouse is opened. */
export type PostgresOptions = Readonly<{
  /** The plain bytes of a part on this machine. Node's own zstd reader stops after the first frame: use leat's. */
  readPart: ReadPart;
  /** How long another's lock on a stream or table is waited for, ms. Default 60 000: most loads take less. */
  lockWaitMs?: number | undefined;
  /** How long a query may take, ms. Default 600 000: whoever needs longer asks the server directly. */
  queryMsMax?: number | undefined;
  /** Reads Parquet, which Postgres does not. Without it the warehouse keeps no tables of datasets. */
  exportParquet?: ExportParquet | undefined;
  /** Where rejects are kept that memory should not hold; each load removes its own. Default: the system's temporary folder. */
  workFolder?: string | undefined;
}>;

const defaults = { lockWaitMs: 60_000, queryMsMax: 600_000 } as const;

/**
 * A warehouse in the database and schema that `url` names (`postgres://user:password@host/database?schema=shop`).
 * Touches nothing before its first method is called; every method opens a connection and ends it again.
 *
 * @throws LeatError `CONFIG_INVALID` when the address is not of that form.
 */
export function openPostgres(url: string, options: PostgresOptions): Warehouse {
  return new PostgresWarehouse(parsePostgresAddress(url), options);
}

/** What is not said, filled in. */
export function defaultSettings(address: PostgresAddress, options: PostgresOptions): PostgresSettings {
  return {
    address,
    lockWaitMs: options.lockWaitMs ?? defaults.lockWaitMs,
    queryMsMax: options.queryMsMax ?? defaults.queryMsMax,
  };
}

class PostgresWarehouse implements Warehouse {
  readonly url: string;
  readonly compressions = ["zstd", "gzip", "none"] as const;
  /** Only where Parquet can be read. */
  readonly readDataset?: NonNullable<Warehouse["readDataset"]>;
  readonly publishDataset?: NonNullable<Warehouse["publishDataset"]>;
  readonly #options: PostgresOptions;
  readonly #settings: PostgresSettings;

  constructor(address: PostgresAddress, options: PostgresOptions) {
    this.url = address.url;
    this.#options = options;
    this.#settings = defaultSettings(address, options);
    const { exportParquet } = options;
    if (exportParquet === undefined) return;
    this.readDataset = (dataset) => this.#readKnown(undefined, (session) => readDataset(session, dataset));
    this.publishDataset = (table, signal) => this.#publish(exportParquet, table, signal);
  }

  async identity(): Promise<WarehouseId> {
    const known = await this.#readKnown(undefined, readWarehouseId);
    if (known !== undefined) return known;
    return await this.#change(undefined, async (session) => {
      await makeCatalog(session); // Made under a lock, or made by another meanwhile.
      return await readWarehouseId(session);
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
      const loads = ownTable(session, "loads");
      const heads = `SELECT tenant, max(seq) FROM ${loads} WHERE ${ofStream(spec)} GROUP BY tenant`;
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
    const { readPart, workFolder = tmpdir() } = this.#options;
    return await loadBatch(
      { settings: this.#settings, readPart, workFolder, reopen, signal },
      spec,
      packages,
    );
  }

  async prepare(
    spec: StreamSpec,
    options: { tenantColumn: string; partitionColumn: string | undefined },
  ): Promise<void> {
    await this.#change(undefined, (session) => prepareStream(session, spec, options));
  }

  currentName(spec: StreamSpec): string {
    return relationsOf(this.#settings.address, spec).current.sql;
  }

  landingName(spec: StreamSpec): string {
    return relationsOf(this.#settings.address, spec).landing.sql;
  }

  async query(sql: string, options: { signal?: AbortSignal; rowsMax?: number } = {}): Promise<QueryResult> {
    const { signal, rowsMax = Number.MAX_SAFE_INTEGER } = options;
    return await withPostgres(this.#settings, "query", signal, (session) => queryRows(session, sql, rowsMax));
  }

  readPages(sql: string, signal: AbortSignal): AsyncIterable<QueryPage> {
    return readPages(this.#settings, sql, signal);
  }

  async checksums(spec: StreamSpec): Promise<readonly TableChecksum[]> {
    return await this.#readKnown([], async (session) => {
      const stream = await findCatalogStream(session, spec);
      if (stream === undefined) return [];
      const rows = await session.rows(checksumSql(session, stream, await readColumns(session, spec)));
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
      const [counted] = await session.rows(`SELECT count(*) AS held FROM (${found}) AS f`);
      const sample = await session.rows(
        `SELECT record FROM (${found}) AS f ORDER BY record COLLATE "C" LIMIT ${options.sampleMax}`,
      );
      return { count: Number(counted!["held"]), sample: sample.map((row) => text(row, "record")) };
    });
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

  async forget(spec: StreamSpec): Promise<void> {
    await this.#change(undefined, (session) => forgetStream(session, spec));
  }

  readonly shareTables: ShareTables = {
    readOwner: (spec) => this.#readKnown(undefined, (session) => readOwner(session, spec)),
    claim: (spec, owner) => this.#change(undefined, (session) => claimTables(session, spec, owner)),
    replace: (spec, aside) => this.#change(undefined, (session) => replaceTables(session, spec, aside)),
    remove: (spec) => this.#change(undefined, (session) => removeTables(session, spec)),
    checkQueries: (spec) => this.#readKnown([], (session) => checkQueries(session, spec)),
    readReceipts: (spec) => this.#readKnown(undefined, (session) => readReceipts(session, spec)),
    keepReceipts: (spec, receipts) =>
      this.#change(undefined, (session) => keepReceipts(session, spec, receipts)),
  };

  /** The rows are written to a file first, so that no transaction waits for another engine. */
  async #publish(
    exportParquet: ExportParquet,
    table: DatasetTable,
    signal: AbortSignal,
  ): Promise<PublishedDataset> {
    const folder = await mkdtemp(join(this.#options.workFolder ?? tmpdir(), "leat-load-"));
    try {
      const file = join(folder, "rows.csv");
      const names = table.columns.map(({ name }) => name);
      await exportParquet(table.paths, names, file, signal);
      return await this.#change(signal, (session) => publishDataset(session, table, file));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async close(): Promise<void> {
    // Nothing stays open between methods.
  }

  /** Changes that are safe to make twice: whoever does not learn of a commit is told to come again. */
  async #change<Result>(
    signal: AbortSignal | undefined,
    work: (session: PostgresSession) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await withPostgres(this.#settings, "load", signal, work);
    } catch (error) {
      throw error instanceof CommitUnanswered ? toLeatError(error.cause, this.url) : error;
    }
  }

  /** Reads leat's tables; `otherwise` where there are none yet. */
  async #readKnown<Result>(
    otherwise: Result,
    work: (session: PostgresSession) => Promise<Result>,
  ): Promise<Result> {
    return await withPostgres(this.#settings, "read", undefined, async (session) => {
      if (!(await hasCatalog(session))) return otherwise;
      await readWarehouseId(session); // Refuses tables of a newer form.
      return await work(session);
    });
  }
}

async function findCatalogStream(session: PostgresSession, spec: StreamSpec) {
  const streams = await readStreams(session);
  return streams.find(({ source, stream }) => source === spec.source && stream === spec.name);
}
