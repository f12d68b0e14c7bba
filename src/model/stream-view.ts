/** What the views of a stream are in every warehouse: which columns, in which order, and what orders the rows. Pure. */
import { foldColumnName } from "./column-names.ts";
import type { ColumnType } from "./column-types.ts";
import type { CatalogColumn, PlaceColumns } from "./plan-schema.ts";
import { type CursorSpec, leatColumns, type StreamSpec } from "./stream.ts";

/** A stream as its views are made of it. */
export type ViewedStream = Readonly<{
  spec: StreamSpec;
  place: PlaceColumns;
  columns: readonly CatalogColumn[];
  /** Whether a full refresh has ever been loaded; before one, every package is visible. */
  hasGenerations: boolean;
}>;

/** How rows are ordered: as the stream says, or by one of the two ways. */
export type CurrentOrder = "cursor" | "arrival";

/** The column of a top-level key. */
export function findColumn(
  { columns }: ViewedStream,
  key: string,
): Readonly<{ name: string; type: ColumnType }> {
  const column = columns.find((column) => column.key === key);
  // A key or cursor may name the tenant's or the partition's column, which are leat's.
  return column ?? { name: key, type: { type: "text" } };
}

/** Columns of the current rows, in order: tenant, partition, primary key, the others by name, leat's own. */
export function currentColumns({ spec, place, columns }: ViewedStream): readonly string[] {
  const keys = spec.primaryKey.map((path) => path.split(".", 1)[0]!);
  const rank = (key: string) => (keys.includes(key) ? keys.indexOf(key) : keys.length);
  const fold = ({ name }: CatalogColumn) => foldColumnName(name);
  const sorted = [...columns].sort(
    (a, b) => rank(a.key) - rank(b.key) || (fold(a) < fold(b) ? -1 : fold(a) > fold(b) ? 1 : 0),
  );
  return [...placeColumns(place), ...sorted.map(({ name }) => name), ...Object.values(leatColumns)];
}

/** The tenant's column, and the partition's where the stream has one. */
export function placeColumns({ tenantColumn, partitionColumn }: PlaceColumns): readonly string[] {
  return partitionColumn === undefined ? [tenantColumn] : [tenantColumn, partitionColumn];
}

/** A name of a view's own (`valid_from`), with `_leat_` before it where a record has that name. */
export function freeName(stream: ViewedStream, name: string): string {
  const isTaken = currentColumns(stream).some((column) => foldColumnName(column) === name);
  return isTaken ? `_leat_${name}` : name;
}

/** Whether rows are ordered by a cursor, and not by arrival alone. */
export function isByCursor({ spec }: ViewedStream, by: CurrentOrder): boolean {
  return spec.cursor !== undefined && by === "cursor";
}

/** A column worked out from those before it. Names begin with `_leat_`, which no record's column does. */
export type CursorStep = Readonly<{ name: string; sql: string }>;

/** The column that the last step makes. */
export const cursorColumn = "_leat_cursor";

/** Whether the cursor is an instant, so that versions have a time from which they were valid. */
export function isTimeCursor(cursor: CursorSpec): boolean {
  return cursor.format !== "integer";
}
