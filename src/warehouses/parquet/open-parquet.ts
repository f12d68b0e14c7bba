/**
 * A warehouse that is a folder of Parquet files, on a disk or in a bucket: of each table one file of its current rows,
 * files of all versions by package, and a manifest that is the ledger (`folder-manifest.ts`).
 *
 * The engine of this machine makes the files out of the packages: what the folder holds depends on these alone. A
 * delivery with news reads the tenant's whole log again, and writes the current rows and the new packages.
 */
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import { type TenantId, toTenantId, toWarehouseId, type WarehouseId } from "../../model/ids.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type {
  BatchReceipt,
  CheckQuery,
  LedgerRow,
  PackageToLoad,
  QueryResult,
  ReopenPackage,
  ShareOwner,
  ShareTables,
  TableChecksum,
  Warehouse,
} from "../../ports/warehouse.ts";
import { isWhole, readWhole, writeWhole } from "./folder-files.ts";
import {
  commitFolder,
  type FolderFile,
  type FolderManifest,
  type FolderTable,
  filesOf,
  readFolder,
} from "./folder-manifest.ts";
import { type ParquetEngine, readSql, tablePrefix, writeTable } from "./write-table.ts";

/** How a folder is opened. */
export type ParquetOptions = Readonly<{
  engine: ParquetEngine;
  /** A folder of this machine for what is on its way; each operation removes its own. */
  workFolder: string;
}>;

/** Tries of a change that meets others' commits; deliveries into one folder are few. */
const triesMax = 5;

/** Opens the folder that a store is. Nothing is asked yet. */
export function openParquet(store: ObjectStore, options: ParquetOptions): Warehouse {
  return new ParquetWarehouse(store, options);
}

class ParquetWarehouse implements Warehouse {
  readonly url: string;
  readonly compressions = ["zstd", "gzip", "none"] as const;
  readonly #store: ObjectStore;
  readonly #options: ParquetOptions;

  constructor(store: ObjectStore, options: ParquetOptions) {
    this.url = `parquet:${store.url.replace(/^file:/, "")}`;
    this.#store = store;
    this.#options = options;
  }

  async identity(): Promise<WarehouseId> {
    const folder = await readFolder(this.#store);
    return toWarehouseId(folder?.id ?? (await commitFolder(this.#store, undefined, [])).id);
  }

  async readLedger(
    spec: StreamSpec,
    tenant: TenantId,
    options: { afterSeq?: number } = {},
  ): Promise<readonly LedgerRow[]> {
    const rows = (await this.#find(spec))?.ledger ?? [];
    return rows.filter((row) => row.tenant === tenant && row.seq > (options.afterSeq ?? 0));
  }

  async readLedgerHeads(spec: StreamSpec): Promise<ReadonlyMap<TenantId, LedgerRow>> {
    const rows = (await this.#find(spec))?.ledger ?? [];
    return new Map(rows.map((row) => [toTenantId(row.tenant), row])); // In the order of seq: the last one stays.
  }

  async load(
    spec: StreamSpec,
    packages: readonly PackageToLoad[],
    reopen: ReopenPackage,
    signal: AbortSignal,
  ): Promise<BatchReceipt> {
    return await this.#change(async (folder) => {
      const before = findTable(folder, spec) ?? newTable(spec, null);
      const waiting = leaveOutLoaded(spec, before, packages);
      if (waiting.length === 0) return { tables: undefined, result: { packages: [], changes: [] } };
      return await this.#withWork(async (work) => {
        const world = { engine: this.#options.engine, store: this.#store, folder: work, signal };
        const { table, receipt } = await writeTable(world, spec, before, waiting, reopen);
        return { tables: withTable(folder, table), result: receipt };
      });
    });
  }

  async prepare(): Promise<void> {
    // A table without rows has no columns yet, and Parquet no file without columns.
  }

  /** Runs a statement that names files of the folder by their addresses. */
  async query(sql: string, options: { signal?: AbortSignal; rowsMax?: number } = {}): Promise<QueryResult> {
    const files = filesOf((await readFolder(this.#store))?.tables).filter(({ key }) =>
      sql.includes(this.#urlOf(key)),
    );
    return await this.#withWork(async (work) => {
      let text = sql;
      for (const [at, file] of files.entries()) {
        const local =
          this.#store.localPath(file.key) ?? (await this.#fetch(file, join(work, `${at}.parquet`)));
        text = text.replaceAll(this.#urlOf(file.key), local.replaceAll("'", "''"));
      }
      const engine = this.#options.engine.openScratch(join(work, "none.duckdb"));
      try {
        return await engine.query(text, options);
      } finally {
        await engine.close();
      }
    });
  }

  /** What is there of each package: its rows where all files are as they were written, else none. */
  async checksums(spec: StreamSpec): Promise<readonly TableChecksum[]> {
    const table = await this.#find(spec);
    if (table === undefined) return [];
    const spoilt = new Set<FolderFile>();
    for (const file of filesOf([table])) if (!(await isWhole(this.#store, file))) spoilt.add(file);
    return table.ledger.map(({ tenant, seq, loaded, manifestHash }) => {
      const ofIt = table.versions.find(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq)?.file;
      const isSpoilt =
        (table.current !== null && spoilt.has(table.current)) || (ofIt !== undefined && spoilt.has(ofIt));
      return {
        tenant: toTenantId(tenant),
        seq,
        rows: isSpoilt ? loaded + 1 : loaded, // Not what the ledger says, whatever it is.
        checksum: manifestHash,
      };
    });
  }

  async currentDisagreements(): Promise<Readonly<{ count: number; sample: readonly string[] }>> {
    return { count: 0, sample: [] }; // The engine that made the files has chosen; there is nothing to compare with.
  }

  readonly shareTables: ShareTables = {
    readOwner: async (spec) => (await this.#find(spec))?.owner ?? undefined,
    claim: (spec, owner) => this.#claim(spec, owner),
    replace: (spec, aside) => this.#replace(spec, aside),
    remove: async (spec) => {
      await this.#change(async (folder) => ({ tables: withoutTable(folder, spec), result: undefined }));
      await this.#clear(spec);
      await this.#removeEmpty();
    },
    checkQueries: (spec) => this.#checkQueries(spec),
    readReceipts: async (spec) => (await this.#find(spec))?.receipts,
    keepReceipts: (spec, receipts) =>
      this.#change(async (folder) => {
        const table = findTable(folder, spec);
        const isThere = table !== undefined;
        return { tables: isThere ? withTable(folder, { ...table, receipts }) : undefined, result: undefined };
      }, "keep files"),
  };

  async close(): Promise<void> {
    // Nothing stays open between methods.
  }

  async #find(spec: StreamSpec): Promise<FolderTable | undefined> {
    return findTable(await readFolder(this.#store), spec);
  }

  async #claim(spec: StreamSpec, owner: ShareOwner): Promise<ShareOwner> {
    return await this.#change(async (folder) => {
      const held = findTable(folder, spec)?.owner ?? undefined;
      if (held !== undefined) return { tables: undefined, result: held };
      for await (const { key } of this.#store.list(tablePrefix(spec.source, spec.name))) {
        if (ownFile.test(key)) continue; // Of a delivery that was killed before its commit.
        throw new LeatError("SHARE_TABLE_TAKEN", {
          message: `In ${this.url} there is ${key}, which no share has made; nothing was changed.`,
          details: { schema: spec.source, table: spec.name },
        });
      }
      return { tables: withTable(folder, newTable(spec, owner)), result: owner };
    });
  }

  async #replace(spec: StreamSpec, aside: StreamSpec): Promise<void> {
    await this.#change(async (folder) => {
      const made = findTable(folder, aside);
      if (made?.current == null)
        throw new LeatError("STATE_CONFLICT", {
          message: `${spec.source}.${spec.name}: another full load has ended meanwhile, and has taken the rows that this one had made aside.`,
          hint: "Run it again if need be; what is there is whole.",
        });
      const [from, to] = [aside, spec].map((one) => tablePrefix(one.source, one.name));
      const move = async (file: FolderFile): Promise<FolderFile> => {
        const moved = { ...file, key: file.key.replace(from!, to!) };
        await writeWhole(this.#store, moved, () => readWhole(this.#store, file));
        return moved;
      };
      const versions = [];
      for (const version of made.versions) versions.push({ ...version, file: await move(version.file) });
      const table: FolderTable = {
        ...made,
        schema: spec.source,
        table: spec.name,
        current: await move(made.current),
        versions,
        rejects: made.rejects === null ? null : await move(made.rejects),
      };
      const others = withoutTable(folder, aside);
      return { tables: [...others.filter((one) => !isOf(one, spec)), table], result: undefined };
    });
    await this.#clear(aside);
  }

  async #checkQueries(spec: StreamSpec): Promise<readonly CheckQuery[]> {
    const table = await this.#find(spec);
    if (table?.current == null) return [];
    const of = (name: string, files: readonly FolderFile[]): CheckQuery => ({
      table: `${spec.source}.${name}`,
      sql:
        "SELECT count(*) AS row_count, CAST(coalesce(sum(hash(r)::HUGEINT), 0) AS VARCHAR) AS checksum " +
        `FROM ${readSql(files.map(({ key }) => this.#urlOf(key)))} AS r`,
    });
    const versions = table.versions.map(({ file }) => file);
    return [
      of(spec.name, [table.current]),
      ...(versions.length > 0 ? [of(`${spec.name}_versions`, versions)] : []),
    ];
  }

  /** How a reader names a file. */
  #urlOf(key: string): string {
    return this.#store.localPath(key) ?? `${this.#store.url}/${key}`;
  }

  async #fetch(file: FolderFile, path: string): Promise<string> {
    await pipeline(Readable.from(await readWhole(this.#store, file)), createWriteStream(path));
    return path;
  }

  async #withWork<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
    await mkdir(this.#options.workFolder, { recursive: true });
    const folder = await mkdtemp(join(this.#options.workFolder, "parquet-"));
    try {
      return await work(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /**
   * Makes the next state of the newest one, and again where another commit came between. Then takes away what is old,
   * unless no file is another than before: then the state that readers may still be at is the one before that.
   */
  async #change<Result>(
    work: (
      folder: FolderManifest | undefined,
    ) => Promise<Readonly<{ tables: readonly FolderTable[] | undefined; result: Result }>>,
    then: "collect" | "keep files" = "collect",
  ): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      const before = await readFolder(this.#store);
      const { tables, result } = await work(before);
      if (tables === undefined) return result;
      try {
        const after = await commitFolder(this.#store, before, tables);
        if (then === "collect") await this.#collect(before, after);
        return result;
      } catch (error) {
        if (tries === triesMax || !isLeatError(error) || error.code !== "STATE_CONFLICT") throw error;
      }
    }
  }

  /** Takes away files that neither this state nor the one before names. Readers of the latter finish in peace. */
  async #collect(before: FolderManifest | undefined, after: FolderManifest): Promise<void> {
    const named = new Set([...filesOf(before?.tables), ...filesOf(after.tables)].map(({ key }) => key));
    for (const { schema, table } of after.tables) await this.#deleteBut(named, tablePrefix(schema, table));
  }

  /** Takes away all of a table's files that the newest state does not name. */
  async #clear(spec: StreamSpec): Promise<void> {
    const named = new Set(filesOf((await readFolder(this.#store))?.tables).map(({ key }) => key));
    await this.#deleteBut(named, tablePrefix(spec.source, spec.name));
  }

  async #deleteBut(named: ReadonlySet<string>, prefix: string): Promise<void> {
    for await (const { key } of this.#store.list(prefix))
      if (!named.has(key) && ownFile.test(key)) await this.#store.delete(key);
  }

  /** Once no table is left, nothing of leat's is. */
  async #removeEmpty(): Promise<void> {
    const folder = await readFolder(this.#store);
    if (folder === undefined || folder.tables.length > 0) return;
    for await (const { key } of this.#store.list("_leat/")) await this.#store.delete(key);
  }
}

/** Names of files that leat writes: they end in a hash of what is in them. */
const ownFile = /-[0-9a-f]{16}\.parquet$/;

const isOf = (table: FolderTable, spec: StreamSpec): boolean =>
  table.schema === spec.source && table.table === spec.name;

const findTable = (folder: FolderManifest | undefined, spec: StreamSpec): FolderTable | undefined =>
  folder?.tables.find((table) => isOf(table, spec));

const withTable = (folder: FolderManifest | undefined, table: FolderTable): readonly FolderTable[] => [
  ...(folder?.tables ?? []).filter((one) => one.schema !== table.schema || one.table !== table.table),
  table,
];

const withoutTable = (folder: FolderManifest | undefined, spec: StreamSpec): readonly FolderTable[] =>
  (folder?.tables ?? []).filter((table) => !isOf(table, spec));

const newTable = (spec: StreamSpec, owner: ShareOwner | null): FolderTable => ({
  schema: spec.source,
  table: spec.name,
  owner,
  ledger: [],
  columns: [],
  current: null,
  versions: [],
  rejects: null,
});

/** @throws LeatError `LEDGER_MISMATCH` when the folder's ledger tells of another manifest. */
function leaveOutLoaded(
  spec: StreamSpec,
  { ledger }: FolderTable,
  packages: readonly PackageToLoad[],
): readonly PackageToLoad[] {
  return packages.filter(({ tenant, seq, manifestHash }) => {
    const row = ledger.find((one) => one.tenant === tenant && one.seq === seq);
    if (row !== undefined && row.manifestHash !== manifestHash)
      throw new LeatError("LEDGER_MISMATCH", {
        message: `${spec.source}.${spec.name} (tenant ${tenant}): package ${seq} was loaded from another manifest; nothing was loaded.`,
        details: { source: spec.source, stream: spec.name, tenant, seq },
      });
    return row === undefined;
  });
}
