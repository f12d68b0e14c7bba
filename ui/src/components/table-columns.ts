/** What a table shows of its rows, and the state of it that is kept in URLs. */
import {
  type ColumnDef,
  columnVisibilityFeature,
  createSortedRowModel,
  rowSelectionFeature,
  rowSortingFeature,
  tableFeatures,
} from "@tanstack/react-table";
import type { ReactNode } from "react";

export type DataColumn<Row> = Readonly<{
  id: string;
  name: string;
  cell: (row: Row) => ReactNode;
  /** px; the rest is shared out among columns without one. */
  width?: number;
  align?: "end";
  /** Rows can be sorted by what this gives; with sorting done elsewhere its values are not looked at. */
  sortBy?: (row: Row) => string | number | null | undefined;
  /** Hidden until people choose it. */
  isHidden?: boolean;
  /** Cannot be hidden. */
  isFixed?: boolean;
}>;

/** `-started` sorts by `started`, greatest first; `undefined`: as the rows come. */
export type SortText = string | undefined;

export const tableParts = tableFeatures({
  columnVisibilityFeature,
  rowSelectionFeature,
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
});

export type TableParts = typeof tableParts;

/** px of a column that names no width, and below which the table scrolls instead. */
export const widthUsual = 140;

const compare = (one: unknown, other: unknown): number => {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), undefined, { numeric: true });
};

export const toColumnDefs = <Row extends object>(
  columns: readonly DataColumn<Row>[],
): ColumnDef<TableParts, Row>[] =>
  columns.map((column) => ({
    id: column.id,
    header: column.name,
    accessorFn: (row: Row) => column.sortBy?.(row),
    cell: ({ row }) => column.cell(row.original),
    enableSorting: column.sortBy !== undefined,
    enableHiding: !column.isFixed,
    sortFn: (one, other, id) => compare(one.getValue(id), other.getValue(id)),
  }));

export const readSort = (sort: SortText): { id: string; desc: boolean }[] =>
  sort === undefined || sort === "" ? [] : [{ id: sort.replace(/^-/, ""), desc: sort.startsWith("-") }];

export const printSort = (sorting: readonly Readonly<{ id: string; desc: boolean }>[]): SortText => {
  const first = sorting[0];
  return first === undefined ? undefined : `${first.desc ? "-" : ""}${first.id}`;
};

/** Columns that are hidden, from the text in the URL: names with a comma between; `undefined`: the usual ones. */
export const readHidden = <Row>(
  columns: readonly DataColumn<Row>[],
  hidden: string | undefined,
): readonly string[] =>
  hidden === undefined
    ? columns.filter((one) => one.isHidden).map((one) => one.id)
    : hidden.split(",").filter((id) => id !== "");
