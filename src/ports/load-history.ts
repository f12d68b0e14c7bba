/** What a warehouse's own tables tell people of a stream, whichever engine keeps them. */
import { type ColumnType, printColumnType } from "../model/column-types.ts";
import { toTenantId } from "../model/ids.ts";
import type { LoadedPackage, RejectedRecord, WarehouseColumn } from "./warehouse.ts";

/** Characters of a rejected record that are told; it may have millions. */
export const recordCharsMax = 10_000;

/** Cells of a row by column, as an engine's client gives them: texts, numbers of any kind, `null`. */
export type HistoryRow = Readonly<Record<string, unknown>>;

/** @param row - columns of `_leat_loads`, and `loaded_ms`: `loaded_at` as ms since the epoch. */
export function toLoadedPackage(row: HistoryRow): LoadedPackage {
  return {
    tenant: toTenantId(String(row["tenant"])),
    seq: Number(row["seq"]),
    loaded: Number(row["loaded"]),
    rejected: Number(row["rejected"]),
    generation: Number(row["generation"]),
    loadedAt: new Date(Number(row["loaded_ms"])).toISOString(),
  };
}

/** @param row - columns of `_leat_rejects`, its record cut at {@link recordCharsMax}, and `chars`: how many it has. */
export function toRejectedRecord(row: HistoryRow): RejectedRecord {
  return {
    tenant: toTenantId(String(row["tenant"])),
    seq: Number(row["seq"]),
    row: isNothing(row["row"]) ? null : Number(row["row"]),
    column: isNothing(row["column"]) ? null : String(row["column"]),
    reason: String(row["reason"]),
    record: String(row["record"]),
    isCut: Number(row["chars"]) > recordCharsMax,
  };
}

const isNothing = (cell: unknown): boolean => cell === null || cell === undefined;

/** A column as people read it. */
export const toWarehouseColumn = ({
  name,
  type,
}: Readonly<{ name: string; type: ColumnType }>): WarehouseColumn => ({ name, type: printColumnType(type) });
