/** The warehouse in BigQuery: landed files loaded as lines, committed by one transaction per batch. */
import { tmpdir } from "node:os";
import { LeatError } from "../../errors/leat-error.ts";
import { type TenantId, toTenantId, type WarehouseId } from "../../model/ids.ts";
import type { Compression } from "../../model/manifest.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type {
  BatchReceipt,
  HistoryFilter,
  LedgerRow,
  LoadedPackage,
  PackageToLoad,
  QueryPage,
  QueryResult,
  QuotaLine,
  RejectedRecord,
  ReopenPackage,
  ServiceUsage,
  ShareTables,
  SqlNaming,
  StagedPart,
  TableChecksum,
  Warehouse,
  WarehouseColumn,
} from "../../ports/warehouse.ts";
import { parseAddress } from "./address.ts";
import { Catalog, ofStream } from "./catalog.ts";
import { checksumSql } from "./checksum-sql.ts";
import { collectTables } from "./collect-tables.ts";
import type { ExportRows } from "./dataset-load.ts";
import { publishDataset, readDataset } from "./dataset-table.ts";
import { forgetStream } from "./forget-stream.ts";
import { GoogleApi } from "./google-api.ts";
import { Jobs } from "./jobs.ts";
import { checkHeads, readLedgerRows } from "./ledger.ts";
import { type BatchPorts, loadBatch, prepareStream, settleStream } from "./load-batch.ts";
import { priceOf, Queries, type QueryEstimate } from "./queries.ts";
import { readLoads, readRejects, readStreamColumns } from "./read-loads.ts";
import { readQuotas } from "./read-quotas.ts";
import {
  checkQueries,
  claimTables,
  keepReceipts,
  readOwner,
  readReceipts,
  removeTables,
} from "./share-tables.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import { isReadInPlace } from "./stage-parts.ts";
import { viewInputs, viewPath } from "./stream-views.ts";
import { Tables } from "./tables.ts";
import { disagreementsSql } from "./view-sql.ts";

/** How a BigQuery warehouse is opened. */
export type BigQueryOptions = Readonly<{
  /** Opens the bucket that the address names for copies (`stagingBucket`). */
  openStaging: (url: string) => Promise<ObjectStore>;
  /** The bucket for copies where the address names none: the landing's own. `undefined`: the landing is elsewhere. */
  openStagingDefault?: (() => Promise<ObjectStore>) | undefined;
  /** Reads Parquet, for tables of datasets. `undefined`: none are kept. */
  exportRows?: ExportRows | undefined;
  /** Where rows of datasets are kept on their way. Default: the system's temporary folder. */
  workFolder?: string | undefined;
  /** The plain bytes of a part on this machine. Node's own zstd reader stops after the first frame: use leat's. */
  readPart: (part: StagedPart) => AsyncIterable<Uint8Array>;
  /** Default: this machine's clock. */
  nowMs?: (() => number) | undefined;
  /** Multiplies waits between retries and looks at jobs. Default 1; tests say less. */
  waitFactor?: number | undefined;
}>;

/** The warehouse, with what is BigQuery's own. */
export interface BigQueryWarehouse extends Warehouse {
  /** What a query would scan and cost on demand; refuses what is no query. */
  estimate(sql: string): Promise<QueryEstimate>;
  /** Jobs, requests and billed bytes so far. */
  usage(): ServiceUsage;
  /** Removes a stream, so that it can be loaded again from nothing. */
  forget(spec: StreamSpec): Promise<void>;
  checkLedger(spec: StreamSpec): Promise<void>;
  collectTables(specs: readonly StreamSpec[], signal: AbortSignal): Promise<number>;
}

/**
 * A warehouse in the dataset that `url` names. Sends nothing before its first method is called.
 *
 * @throws LeatError `CONFIG_INVALID` when the address is not of that form.
 */
export function openBigQuery(url: string, options: BigQueryOptions): BigQueryWarehouse {
  return new Dataset(url, options);
}

class Dataset implements BigQueryWarehouse {
  readonly url: string;
  readonly compressions = ["gzip", "none"] as const;
  readonly naming: SqlNaming = { quoteName, quoteText };
  /** Only where Parquet can be read. */
  readonly readDataset?: NonNullable<Warehouse["readDataset"]>;
  readonly publishDataset?: NonNullable<Warehouse["publishDataset"]>;
  readonly #ports: BatchPorts;

  constructor(url: string, options: BigQueryOptions) {
    const address = parseAddress(url);
    this.url = `bigquery://${address.project}/${address.dataset}?location=${address.location}`;
    const { nowMs = Date.now, readPart, openStaging } = options;
    const api = new GoogleApi({ address, waitFactor: options.waitFactor });
    const jobs = new Jobs(api, nowMs);
    const tables = new Tables(api);
    const { stagingBucket } = address;
    let staging: Promise<ObjectStore> | undefined;
    this.#ports = {
      api,
      jobs,
      tables,
      queries: new Queries(api, jobs),
      catalog: new Catalog(tables, address.project, address.dataset),
      project: address.project,
      viewsPrefix: address.viewsPrefix,
      nowMs,
      tools: {
        readPart,
        openStaging:
          stagingBucket === undefined
            ? options.openStagingDefault
            : () => (staging ??= openStaging(stagingBucket)),
      },
    };
    const { exportRows, workFolder = tmpdir() } = options;
    if (exportRows === undefined) return;
    this.readDataset = async (dataset) =>
      (await this.#isMade()) ? await readDataset(this.#ports, dataset) : undefined;
    this.publishDataset = (table, signal) =>
      publishDataset(this.#ports, { exportRows, workFolder }, table, signal);
  }

  readsInPlace(storeUrl: string, compression: Compression): boolean {
    return isReadInPlace(storeUrl, compression);
  }

  async identity(): Promise<WarehouseId> {
    return (await this.#ports.catalog.readId()) ?? (await this.#ports.catalog.make());
  }

  async readLedger(
    spec: StreamSpec,
    tenant: TenantId,
    options: { afterSeq?: number } = {},
  ): Promise<readonly LedgerRow[]> {
    if (!(await this.#isMade())) return [];
    const condition = `tenant = ${quoteText(tenant)} AND seq > ${options.afterSeq ?? 0}`;
    return (await readLedgerRows(this.#ports, spec, condition)).map(({ row }) => row);
  }

  async readLedgerHeads(spec: StreamSpec): Promise<ReadonlyMap<TenantId, LedgerRow>> {
    if (!(await this.#isMade())) return new Map();
    const { heads } = await this.#ports.catalog.readTurns(spec);
    if (heads !== undefined) return new Map([...heads].map(([tenant, { newest }]) => [tenant, newest]));
    const loads = this.#ports.catalog.path("_leat_loads");
    const newest =
      "CONCAT(CAST(seq AS STRING), ' ', tenant) IN (SELECT CONCAT(CAST(MAX(seq) AS STRING), ' ', tenant) " +
      `FROM ${loads} WHERE ${ofStream(spec)} GROUP BY tenant)`;
    const rows = await readLedgerRows(this.#ports, spec, newest);
    return new Map(rows.map(({ tenant, row }) => [tenant, row]));
  }

  async load(
    spec: StreamSpec,
    packages: readonly PackageToLoad[],
    reopen: ReopenPackage,
    signal: AbortSignal,
  ): Promise<BatchReceipt> {
    return await loadBatch(this.#ports, spec, packages, reopen, signal);
  }

  async checkLedger(spec: StreamSpec): Promise<void> {
    if (!(await this.#isMade())) return;
    const { heads } = await this.#ports.catalog.readTurns(spec);
    if (heads !== undefined) await checkHeads(this.#ports, spec);
  }

  async collectTables(specs: readonly StreamSpec[], signal: AbortSignal): Promise<number> {
    return (await this.#isMade()) ? await collectTables(this.#ports, specs, signal) : 0;
  }

  async settle(spec: StreamSpec): Promise<void> {
    await settleStream(this.#ports, spec);
  }

  async prepare(
    spec: StreamSpec,
    options: { tenantColumn: string; partitionColumn: string | undefined },
  ): Promise<void> {
    await prepareStream(this.#ports, spec, options);
  }

  currentName(spec: StreamSpec): string {
    return viewPath(this.#ports, spec);
  }

  landingName(spec: StreamSpec): string {
    return this.#ports.catalog.path(spec.landingTable);
  }

  async query(sql: string, options: { signal?: AbortSignal; rowsMax?: number } = {}): Promise<QueryResult> {
    return await this.#ports.queries.query(sql, options);
  }

  readPages(sql: string, signal: AbortSignal): AsyncIterable<QueryPage> {
    return this.#ports.queries.readText(sql, signal);
  }

  async estimate(sql: string): Promise<QueryEstimate> {
    return await this.#ports.queries.estimate(sql);
  }

  async checksums(spec: StreamSpec): Promise<readonly TableChecksum[]> {
    const { catalog, queries } = this.#ports;
    if (!(await this.#isMade())) return [];
    const { mine, columns } = await catalog.readState(spec);
    if (mine === undefined) return [];
    const paths = { landing: catalog.path(mine.physicalTable), loads: catalog.path("_leat_loads") };
    const rows = await queries.rows(checksumSql(mine, columns, paths), `add up ${spec.source}.${spec.name}`);
    return rows.map(([tenant, seq, held, checksum]) => ({
      tenant: toTenantId(tenant ?? ""),
      seq: Number(seq),
      rows: Number(held),
      checksum: checksum ?? "",
    }));
  }

  async currentDisagreements(
    spec: StreamSpec,
    options: { sampleMax: number },
  ): Promise<Readonly<{ count: number; sample: readonly string[] }>> {
    const { catalog, queries } = this.#ports;
    const none = { count: 0, sample: [] };
    if (!(await this.#isMade())) return none;
    const { mine, columns } = await catalog.readState(spec);
    if (mine === undefined) return none;
    const shape = { spec, place: mine, columns, physicalTable: mine.physicalTable, hasGenerations: true };
    const found = disagreementsSql(viewInputs(this.#ports, shape));
    if (found === undefined) return none;
    const what = `compare orders of ${spec.source}.${spec.name}`;
    const [[count] = []] = await queries.rows(`SELECT COUNT(*) FROM (${found}) AS d`, what);
    const sample =
      options.sampleMax === 0
        ? []
        : await queries.rows(
            `SELECT d.record FROM (${found}) AS d ORDER BY d.record LIMIT ${options.sampleMax}`,
            what,
          );
    return { count: Number(count), sample: sample.map(([record]) => record ?? "") };
  }

  async readLoads(spec: StreamSpec, filter: HistoryFilter): Promise<readonly LoadedPackage[]> {
    return (await this.#isMade()) ? await readLoads(this.#ports, spec, filter) : [];
  }

  async readRejects(spec: StreamSpec, filter: HistoryFilter): Promise<readonly RejectedRecord[]> {
    return (await this.#isMade()) ? await readRejects(this.#ports, spec, filter) : [];
  }

  async readColumns(spec: StreamSpec): Promise<readonly WarehouseColumn[]> {
    return (await this.#isMade()) ? await readStreamColumns(this.#ports, spec) : [];
  }

  readonly shareTables: ShareTables = {
    readOwner: async (spec) => ((await this.#isMade()) ? await readOwner(this.#ports, spec) : undefined),
    claim: (spec, owner) => claimTables(this.#ports, spec, owner),
    remove: async (spec) => {
      if (await this.#isMade()) await removeTables(this.#ports, spec);
    },
    checkQueries: (spec) => checkQueries(this.#ports, spec),
    readReceipts: async (spec) =>
      (await this.#isMade()) ? await readReceipts(this.#ports, spec) : undefined,
    keepReceipts: (spec, receipts) => keepReceipts(this.#ports, spec, receipts),
  };

  async forget(spec: StreamSpec): Promise<void> {
    if (await this.#isMade()) await forgetStream(this.#ports, spec);
  }

  usage(): ServiceUsage {
    const { counts } = this.#ports.jobs;
    return {
      ...counts,
      requests: this.#ports.api.requestCount,
      dollars: priceOf(Number(counts.bytesBilled)),
    };
  }

  async readQuotas(sinceMs: number, signal: AbortSignal): Promise<readonly QuotaLine[]> {
    return await readQuotas(this.#ports.api, sinceMs, signal);
  }

  async close(): Promise<void> {
    // The client holds nothing open between requests.
  }

  /** Whether leat's tables are there; `_leat_loads` is made before anything is loaded. */
  async #isMade(): Promise<boolean> {
    const { catalog, tables } = this.#ports;
    if ((await catalog.readId()) === undefined) return false;
    if ((await tables.find(catalog.place("_leat_loads"))) !== undefined) return true;
    throw new LeatError("LEDGER_MISMATCH", {
      message: `The ledger _leat_loads of ${this.url} is gone.`,
      hint: "Somebody dropped it: restore it by time travel, or load into a new dataset.",
    });
  }
}
