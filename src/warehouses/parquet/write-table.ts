/** A table of a Parquet folder, made of its packages: files that are there already stay, others are written. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LeatError } from "../../errors/leat-error.ts";
import { encodeName } from "../../model/path-name.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { BatchReceipt, PackageToLoad, ReopenPackage, Warehouse } from "../../ports/warehouse.ts";
import { writeWhole } from "./folder-files.ts";
import type { FolderFile, FolderTable } from "./folder-manifest.ts";

/** What a folder borrows of the embedded engine. */
export type ParquetEngine = Readonly<{
  /** A warehouse in a file of this machine; one that is not there is made. */
  openScratch: (file: string) => Warehouse;
  /** Writes a query's rows over such a file as Parquet; how many. Equal rows give equal bytes. */
  writeParquet: (scratchFile: string, sql: string, path: string, signal: AbortSignal) => Promise<number>;
}>;

/** Version files of one table; beyond, they are made one: whoever reads them opens each. */
const versionFilesMax = 64;

/** Packages that are loaded into the scratch space at once. */
const batchPackages = 50;

/** What a table is made with. `folder`: on this machine, thrown away afterwards. */
export type TableWorld = Readonly<{
  engine: ParquetEngine;
  store: ObjectStore;
  folder: string;
  signal: AbortSignal;
}>;

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Where a table's files are. */
export const tablePrefix = (schema: string, table: string): string =>
  `${encodeName(schema)}/${encodeName(table)}/`;

/**
 * Makes the table's next state of its state before and of new packages; older ones are read again from the landing,
 * unless nothing of them can be seen: neither rows, where a new generation is the only one kept, nor columns, which are
 * then the declared ones alone.
 */
export async function writeTable(
  world: TableWorld,
  spec: StreamSpec,
  before: FolderTable,
  packages: readonly PackageToLoad[],
  reopen: ReopenPackage,
): Promise<Readonly<{ table: FolderTable; receipt: BatchReceipt }>> {
  const { engine, folder, signal } = world;
  const file = join(folder, "scratch.duckdb");
  const scratch = engine.openScratch(file);
  try {
    const isRenewed =
      spec.isCurrentOnly === true &&
      spec.contract === "discard" &&
      Object.keys(spec.columns).length > 0 &&
      packages.some(({ completesGeneration }) => completesGeneration);
    const older = isRenewed ? [] : before.ledger;
    if (isRenewed) refuseOlder(spec, before, packages);
    for (let at = 0; at < older.length; at += batchPackages) {
      const again: PackageToLoad[] = [];
      for (const row of older.slice(at, at + batchPackages))
        again.push(await reopen(packages[0]!.tenant, row.seq));
      await scratch.load(spec, again, reopen, signal);
    }
    const receipt = await scratch.load(spec, packages, reopen, signal);
    const ledger = isRenewed ? [...before.ledger] : [];
    for (const tenant of new Set(packages.map((pack) => pack.tenant)))
      for (const row of await scratch.readLedger(spec, tenant)) ledger.push({ ...row, tenant });
    const landing = `main.${quoteName(spec.landingTable)}`;
    const { columns: typed } = await scratch.query(`SELECT * FROM ${landing} LIMIT 0`);
    const columns = typed.map(({ name, type }) => [name, type] as const);
    const select = `SELECT ${columns.map(cellSql).join(", ")} FROM`;
    const write = new FileWriter(world, file, tablePrefix(before.schema, before.table));
    const order = "ORDER BY tenant_id, _leat_package, _leat_row".replace(
      "tenant_id",
      quoteName(packages[0]!.tenantColumn),
    );
    const view = `${quoteName(spec.source)}.${quoteName(spec.name)}`;
    const current = await write.file("current", `${select} ${view} ${order}`);
    const isSame = JSON.stringify(columns) === JSON.stringify(before.columns);
    const versions: { fromSeq: number; toSeq: number; file: FolderFile }[] =
      spec.isCurrentOnly === true ? [] : isSame ? [...before.versions] : [];
    if (spec.isCurrentOnly !== true) {
      const written = versions.at(-1)?.toSeq ?? 0;
      const fresh = ledger.filter(({ seq, loaded }) => seq > written && loaded > 0).map(({ seq }) => seq);
      const isMany = versions.length + fresh.length > versionFilesMax;
      const first = isMany ? 0 : written;
      if (isMany) versions.length = 0;
      const spans = isMany ? [[1, ledger.at(-1)!.seq] as const] : fresh.map((seq) => [seq, seq] as const);
      for (const [fromSeq, toSeq] of spans) {
        const where = `WHERE _leat_package > ${first} AND _leat_package BETWEEN ${fromSeq} AND ${toSeq}`;
        const name = `versions-${String(fromSeq).padStart(12, "0")}-${String(toSeq).padStart(12, "0")}`;
        versions.push({
          fromSeq,
          toSeq,
          file: await write.file(name, `${select} ${landing} ${where} ${order}`),
        });
      }
    }
    const hasRejects = ledger.some(({ rejected }) => rejected > 0);
    const rejected = `SELECT seq, "row", reason, "column", record FROM main._leat_rejects ORDER BY seq, "row"`;
    const rejects = hasRejects ? await write.file("rejects", rejected) : null;
    return { table: { ...before, ledger, columns, current, versions, rejects }, receipt };
  } finally {
    await scratch.close();
    await rm(file, { force: true });
  }
}

/** One that was overtaken would put its rows in the place of newer ones, which it has never seen. */
function refuseOlder(spec: StreamSpec, { ledger }: FolderTable, packages: readonly PackageToLoad[]): void {
  const newest = Math.max(...packages.map(({ generation }) => generation));
  const overtaking = ledger.find(({ generation }) => generation > newest);
  if (overtaking === undefined) return;
  throw new LeatError("STATE_CONFLICT", {
    message: `${spec.source}.${spec.name}: another delivery has brought package ${overtaking.seq} meanwhile, which is newer; this one changed nothing.`,
    hint: "Run again if need be; what is there is newer.",
  });
}

/** Parquet has no integers of 128 bits; the engine would write them as doubles. They have 38 digits at most. */
function cellSql([name, type]: readonly [string, string]): string {
  const cell = quoteName(name);
  return type === "HUGEINT" ? `CAST(${cell} AS DECIMAL(38,0)) AS ${cell}` : cell;
}

class FileWriter {
  readonly #world: TableWorld;
  readonly #scratch: string;
  readonly #prefix: string;
  #count = 0;

  constructor(world: TableWorld, scratch: string, prefix: string) {
    this.#world = world;
    this.#scratch = scratch;
    this.#prefix = prefix;
  }

  /** Writes a query's rows to this disk, and puts them into the folder under their hash. */
  async file(name: string, sql: string): Promise<FolderFile> {
    const { engine, store, folder, signal } = this.#world;
    const path = join(folder, `${this.#count++}.parquet`);
    const rows = await engine.writeParquet(this.#scratch, sql, path, signal);
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    const sha256 = hash.digest("hex");
    const key = `${this.#prefix}${name}-${sha256.slice(0, 16)}.parquet`;
    const file = { key, rows, bytes, sha256 };
    await writeWhole(store, file, async () => createReadStream(path) as AsyncIterable<Buffer>); // Without an encoding.
    await rm(path);
    return file;
  }
}

/** SQL that reads files where they are. */
export function readSql(urls: readonly string[]): string {
  const list = urls.map(quoteText).join(", ");
  return `read_parquet(${urls.length === 1 ? list : `[${list}]`})`;
}
