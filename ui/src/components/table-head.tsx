/** The head of a table: names that sort, and the box that chooses all rows. */
import type { ReactTable } from "@tanstack/react-table";
import { type ReactElement, type ReactNode, useEffect, useRef } from "react";
import { CheckMenu } from "./check-menu.tsx";
import { classNames } from "./class-names.ts";
import { type DataColumn, readHidden, type TableParts } from "./table-columns.ts";

const headClass = "sticky top-0 z-10 h-9 border-b border-line bg-panel px-3 text-meta text-muted";

export function TableHead<Row extends object>({
  table,
  columns,
  lead,
}: Readonly<{
  table: Pick<ReactTable<TableParts, Row>, "getHeaderGroups">;
  columns: readonly DataColumn<Row>[];
  lead: ReactNode;
}>): ReactElement {
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  return (
    <thead>
      <tr aria-rowindex={1}>
        {lead}
        {headers.map(({ id, column }) => {
          const own = columns.find((one) => one.id === column.id);
          const sorted = column.getIsSorted();
          return (
            <th
              key={id}
              scope="col"
              aria-sort={sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : undefined}
              className={classNames(headClass, own?.align === "end" ? "text-end" : "text-start")}
            >
              {column.getCanSort() ? (
                <button
                  type="button"
                  onClick={column.getToggleSortingHandler()}
                  className="inline-flex min-h-6 items-center gap-1 hover:text-text"
                >
                  {own?.name}
                  <span aria-hidden="true" className="w-3">
                    {sorted === "asc" ? "↑" : sorted === "desc" ? "↓" : ""}
                  </span>
                </button>
              ) : (
                own?.name
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** Chooses all rows that are there, or none. */
export function SelectAllCell({
  label,
  ids,
  selected,
  onSelect,
}: Readonly<{
  label: string;
  ids: readonly string[];
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
}>): ReactElement {
  const box = useRef<HTMLInputElement>(null);
  const chosen = ids.filter((id) => selected.has(id)).length;
  const isAll = ids.length > 0 && chosen === ids.length;
  useEffect(() => {
    if (box.current) box.current.indeterminate = chosen > 0 && !isAll;
  }, [chosen, isAll]);
  return (
    <th scope="col" className={`${headClass} text-start`}>
      <input
        ref={box}
        type="checkbox"
        aria-label={`Select all: ${label}`}
        checked={isAll}
        onChange={() => onSelect(isAll ? new Set() : new Set(ids))}
        className="size-4 align-middle accent-accent"
      />
    </th>
  );
}

export function SelectCell({
  id,
  isSelected,
  onToggle,
}: Readonly<{ id: string; isSelected: boolean; onToggle: (id: string) => void }>): ReactElement {
  return (
    <td className="border-b border-line px-3">
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label={`Select ${id}`}
        checked={isSelected}
        onChange={() => onToggle(id)}
        className="size-4 align-middle accent-accent"
      />
    </td>
  );
}

/** Which columns are shown. Its text belongs into the URL; `undefined`: as they usually are. */
export function ColumnChooser<Row>({
  columns,
  hidden,
  onChange,
}: Readonly<{
  columns: readonly DataColumn<Row>[];
  hidden: string | undefined;
  onChange: (hidden: string | undefined) => void;
}>): ReactElement {
  const away = readHidden(columns, hidden);
  const free = columns.filter((one) => !one.isFixed);
  return (
    <CheckMenu
      label="Columns"
      options={free.map(({ id, name }) => ({ value: id, name }))}
      chosen={free.filter((one) => !away.includes(one.id)).map((one) => one.id)}
      onChange={(chosen) =>
        onChange(
          free
            .map((one) => one.id)
            .filter((id) => !chosen.includes(id))
            .join(","),
        )
      }
    >
      Columns
    </CheckMenu>
  );
}
