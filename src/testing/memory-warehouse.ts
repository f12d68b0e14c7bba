/**
 * A warehouse in memory: rows and ledger change together, in one step, as {@link Warehouse} promises. Keeps each row's
 * landed text, so that tests compare bytes. Has no SQL.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { LeatError } from "../errors/leat-error.ts";
import { type CursorValue, parseCursor } from "../model/cursor.ts";
import { type TenantId, toWarehouseId, type WarehouseId } from "../model/ids.ts";
import { isJsonObject, type JsonObject, type JsonValue, readJsonPath } from "../model/json-value.ts";
import { leatColumns, type StreamSpec } from "../model/stream.ts";
import type { LedgerRow, LoadReceipt, PackageToLoad, StagedPart, Warehouse } from "../ports/warehouse.ts";

/** A row of a landing table. */
export type MemoryRow = Readonly<{
  tenant: TenantId;
  seq: number;
  generation: number;
  /** `_leat_row`. */
  row: number;
  /** The landed line. */
  text: string;
  fields: JsonObject;
}>;

/** What a memory warehouse holds of one stream. */
type MemoryTable = {
  rows: MemoryRow[];
  ledger: Map<TenantId, Map<number, LedgerRow>>;
  /** Newest completed generation of each tenant; none: 0. */
  visible: Map<TenantId, number>;
};

/** The contents; several warehouses over one of these are several processes at one warehouse. */
export type MemoryTables = { id: WarehouseId | undefined; tables: Map<string, MemoryTable> };

/** What an operation is about to do. */
export type WarehouseOperation = Readonly<{ kind: "identity" | "read" | "load" | "prepare"; at: string }>;

/** Stands between a caller and an operation, as `Interpose` of the memory store does. */
export type InterposeWarehouse = <T>(operation: WarehouseOperation, effect: () => T) => Promise<T>;

/** How a memory warehouse is opened. */
export type MemoryWarehouseOptions = Readonly<{
  contents?: MemoryTables;
  interpose?: InterposeWarehouse;
  /** Bytes of a part that has no path on a disk (`memory:<key>` of a memory store); `undefined`: not one of those. */
  readPart?: (path: string) => Uint8Array | undefined;
  /** Id to take when the warehouse has none yet. */
  newId?: () => string;
}>;

/** A {@link Warehouse} whose rows can be looked at. */
export interface MemoryWarehouse extends Warehouse {
  /** Rows that a reader of the landing table sees: those of each tenant's visible generation. */
  rows(spec: StreamSpec): readonly MemoryRow[];
  /** Every row that is kept, of older generations too. */
  keptRows(spec: StreamSpec): readonly MemoryRow[];
  /** The current view: per tenant and key the newest row (I20), without those marked as deleted. */
  currentRows(spec: StreamSpec): readonly MemoryRow[];
}

export const newMemoryTables = (): MemoryTables => ({ id: undefined, tables: new Map() });

/** Opens a warehouse in memory. */
export function createMemoryWarehouse(options: MemoryWarehouseOptions = {}): MemoryWarehouse {
  const contents = options.contents ?? newMemoryTables();
  const interpose: InterposeWarehouse = options.interpose ?? (async (_operation, effect) => effect());
  const newId = options.newId ?? (() => "memory");
  const tableOf = (spec: StreamSpec): MemoryTable => {
    const name = `${spec.source}.${spec.name}`;
    let table = contents.tables.get(name);
    if (table === undefined) {
      table = { rows: [], ledger: new Map(), visible: new Map() };
      contents.tables.set(name, table);
    }
    return table;
  };
  const rows = (spec: StreamSpec): MemoryRow[] => {
    const table = tableOf(spec);
    return table.rows.filter((row) => row.generation === (table.visible.get(row.tenant) ?? 0));
  };
  const ledgerOf = (spec: StreamSpec, tenant: TenantId): LedgerRow[] =>
    [...(tableOf(spec).ledger.get(tenant)?.values() ?? [])].sort((a, b) => a.seq - b.seq);

  return {
    url: "memory:",
    compressions: ["none", "gzip"],
    identity: () =>
      interpose({ kind: "identity", at: "identity" }, () => {
        contents.id ??= toWarehouseId(newId());
        return contents.id;
      }),
    readLedger: (spec, tenant, range) =>
      interpose({ kind: "read", at: `ledger ${spec.name} ${tenant}` }, () =>
        ledgerOf(spec, tenant).filter((row) => row.seq > (range?.afterSeq ?? 0)),
      ),
    readLedgerHeads: (spec) =>
      interpose({ kind: "read", at: `ledger heads ${spec.name}` }, () => {
        const heads = new Map<TenantId, LedgerRow>();
        for (const tenant of tableOf(spec).ledger.keys()) {
          const newest = ledgerOf(spec, tenant).at(-1);
          if (newest !== undefined) heads.set(tenant, newest);
        }
        return heads;
      }),
    async load(spec, packages, _reopen, signal) {
      const read = new Map<PackageToLoad, MemoryRow[]>();
      for (const each of packages) read.set(each, await readPackage(each, options.readPart));
      signal.throwIfAborted();
      const at = packages.map((each) => `${each.tenant}/${each.seq}`).join(" ");
      return interpose({ kind: "load", at: `load ${spec.name} ${at}` }, () => ({
        packages: commit(tableOf(spec), packages, read),
        changes: [],
      }));
    },
    prepare: (spec) => interpose({ kind: "prepare", at: `prepare ${spec.name}` }, () => void tableOf(spec)),
    query: async () => {
      throw new LeatError("NOT_SUPPORTED", { message: "The memory warehouse has no SQL; look at `rows`." });
    },
    checksums: async (spec) => {
      const groups = Map.groupBy(rows(spec), (row) => `${row.tenant}\n${row.seq}`);
      return [...groups.values()].map((group) => ({
        tenant: group[0]!.tenant, // A group has a row.
        seq: group[0]!.seq,
        rows: group.length,
        checksum: digest(group.map((row) => row.text).sort()),
      }));
    },
    currentDisagreements: async (spec, { sampleMax }) => {
      const byCursor = newestRows(rows(spec), spec, "cursor");
      const byArrival = newestRows(rows(spec), spec, "arrival");
      const keys = [...byCursor].filter(([key, row]) => byArrival.get(key) !== row).map(([key]) => key);
      return { count: keys.length, sample: keys.slice(0, sampleMax) };
    },
    close: async () => {},
    rows,
    keptRows: (spec) => tableOf(spec).rows,
    currentRows: (spec) => {
      const { deletedField } = spec;
      const newest = [...newestRows(rows(spec), spec, spec.currentBy).values()];
      if (deletedField === undefined) return newest;
      return newest.filter((row) => [undefined, null, false].some((not) => row.fields[deletedField] === not));
    },
  };
}

async function readPackage(
  each: PackageToLoad,
  readPart: MemoryWarehouseOptions["readPart"],
): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = [];
  for (const part of each.parts) {
    const bytes = plainBytes(part, readPart?.(part.path) ?? (await readFile(part.path)));
    const lines = Buffer.from(bytes).toString("utf8").split("\n");
    assert.equal(lines.pop(), "", "a part ends with a line's end");
    for (const text of lines) {
      const fields: unknown = JSON.parse(text);
      assert.ok(isJsonObject(fields));
      rows.push({
        tenant: each.tenant,
        seq: each.seq,
        generation: each.generation,
        row: Number(fields[leatColumns.row]),
        text,
        fields,
      });
    }
  }
  return rows;
}

function plainBytes(part: StagedPart, bytes: Uint8Array): Uint8Array {
  if (part.compression === "none") return bytes;
  assert.equal(part.compression, "gzip", "this warehouse says which compressions it reads");
  return gunzipSync(bytes);
}

/** The transaction: checks everything before it changes anything. */
function commit(
  table: MemoryTable,
  packages: readonly PackageToLoad[],
  read: ReadonlyMap<PackageToLoad, readonly MemoryRow[]>,
): LoadReceipt[] {
  const toInsert = packages.filter((each) => {
    const known = table.ledger.get(each.tenant)?.get(each.seq);
    const isEqual =
      known?.manifestHash === each.manifestHash && known.loaded + known.rejected === each.landed;
    if (isEqual) return false; // It is here already.
    const isThere = table.rows.some((row) => row.tenant === each.tenant && row.seq === each.seq);
    if (!isEqual && (known !== undefined || isThere)) throw mismatch(each, known);
    const rowCount = read.get(each)?.length ?? 0;
    if (rowCount === each.landed) return true;
    throw new LeatError("LOAD_FAILED", {
      message: `Package ${each.seq} of tenant ${each.tenant} has ${rowCount} rows; its manifest says ${each.landed}.`,
    });
  });
  return toInsert.map((each): LoadReceipt => {
    table.rows.push(...(read.get(each) ?? []));
    const { seq, manifestHash, generation } = each;
    const ledger = table.ledger.get(each.tenant) ?? new Map<number, LedgerRow>();
    ledger.set(seq, { seq, manifestHash, loaded: each.landed, rejected: 0, generation });
    table.ledger.set(each.tenant, ledger);
    if (each.completesGeneration) table.visible.set(each.tenant, generation);
    return { tenant: each.tenant, seq, loaded: each.landed, rejected: 0 };
  });
}

function mismatch(each: PackageToLoad, known: LedgerRow | undefined): LeatError {
  return new LeatError("LEDGER_MISMATCH", {
    message:
      known === undefined
        ? `Rows of package ${each.seq} of tenant ${each.tenant} are there, and the ledger does not know them.`
        : `Package ${each.seq} of tenant ${each.tenant} is there with another manifest or count.`,
  });
}

function newestRows(
  rows: readonly MemoryRow[],
  spec: StreamSpec,
  by: StreamSpec["currentBy"],
): Map<string, MemoryRow> {
  const newest = new Map<string, MemoryRow>();
  for (const row of rows) {
    const key = JSON.stringify([
      row.tenant,
      ...spec.primaryKey.map((path) => readJsonPath(row.fields, path)),
    ]);
    const other = newest.get(key);
    if (other === undefined || isNewer(row, other, spec, by)) newest.set(key, row);
  }
  return newest;
}

function isNewer(a: MemoryRow, b: MemoryRow, spec: StreamSpec, by: StreamSpec["currentBy"]): boolean {
  if (by === "cursor" && spec.cursor !== undefined) {
    const [ofA, ofB] = [cursorOf(a, spec), cursorOf(b, spec)];
    if (ofA !== ofB) return ofB === undefined || (ofA !== undefined && ofA > ofB);
  }
  return a.seq !== b.seq ? a.seq > b.seq : a.row > b.row;
}

/** A missing or unreadable value sorts lowest (I3). */
function cursorOf(row: MemoryRow, spec: StreamSpec): CursorValue | undefined {
  const { cursor } = spec;
  const value: JsonValue | undefined = cursor && readJsonPath(row.fields, cursor.field);
  if (cursor === undefined || (typeof value !== "string" && typeof value !== "number")) return undefined;
  return parseCursor(String(value), cursor.format, cursor.zone);
}

function digest(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\n");
  return hash.digest("hex");
}
