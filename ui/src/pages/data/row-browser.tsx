/** Rows to look through: conditions, commonest values, order, columns, one row in full, and ways to take them elsewhere. */
import { useQuery } from "@tanstack/react-query";
import { type ReactElement, type ReactNode, useCallback, useMemo, useRef } from "react";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { ColumnChooser } from "../../components/table-head.tsx";
import { plural } from "../../format/duration.ts";
import { FacetPanel } from "./facet-panel.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { RowCell } from "./row-cell.tsx";
import { familyOf, printFilter, type RowFilter, readFilter } from "./row-filter.ts";
import { RowInspector } from "./row-inspector.tsx";
import { partOf, RowPlaces } from "./row-places.tsx";
import {
  type RowColumn,
  type RowSource,
  type RowValues,
  rowsMost,
  rowsQuery,
  windowRows,
} from "./row-source.ts";
import { TakeAway } from "./take-away.tsx";
import { useRowPlace, windowAt } from "./use-row-place.ts";

export type RowSearch = Readonly<{
  filter?: string[] | undefined;
  sort?: string | undefined;
  hide?: string | undefined;
  facet?: string | undefined;
  row?: number | undefined;
  at?: number | undefined;
}>;

export type RowBrowserProps = Readonly<{
  source: RowSource;
  /** Said to those who do not see the table. */
  label: string;
  search: RowSearch;
  onChange: (changed: RowSearch) => void;
  /** Columns where they are known before the rows are. */
  columns?: readonly RowColumn[];
  /** Conditions beside these, which the page has set. */
  scope?: ReactNode;
  /** Such as that only the first rows are there yet. */
  notice?: string;
  /** Opens the same rows in the SQL editor. */
  openSql?: (asked: Readonly<{ filters: readonly RowFilter[]; sort: string | undefined }>) => void;
  /** Links from a row to where it came from. */
  links?: (row: Readonly<Record<string, unknown>>) => ReactNode;
  none: ReactNode;
}>;

/** A row and its place, which names it. */
type Numbered = Readonly<{ number: number; values: RowValues }>;

export function RowBrowser(props: RowBrowserProps): ReactElement {
  const { source, label, search, onChange, scope, openSql, links, none } = props;
  const names = props.columns?.map(({ name }) => name);
  const filters = useMemo(
    () => (search.filter ?? []).flatMap((one) => readFilter(one, names ?? []) ?? []),
    [search.filter, names?.join("\n")],
  );
  const asked = { filters, sort: search.sort };
  const { place, inSight, see, goTo } = useRowPlace(search, JSON.stringify(asked));
  const from = Math.min(windowAt(inSight), (source.reachMax ?? rowsMost) - windowRows);
  const { data, error, isPending, isPlaceholderData, refetch } = useQuery(rowsQuery(source, asked, from));
  const columns = data?.columns ?? props.columns ?? [];
  const shape = columns.map(({ name, type }) => `${name}\t${type}`).join("\n");
  const cells = useMemo(() => columns.map(toCell), [shape]);
  const rows = useMemo(
    () => (data?.rows ?? []).map((values, place): Numbered => ({ number: data!.from + place + 1, values })), // Its rows.
    [data],
  );
  const total = data?.total;
  const reach = Math.min(total ?? 0, source.reachMax ?? Number.POSITIVE_INFINITY);
  const part = partOf(place.at, reach);
  const { first } = part;
  /** Shows a row, also when it is the one that the address names already. */
  const show = (changed: Readonly<{ at: number; row?: undefined }>): void => {
    if (changed.at === search.at) goTo(changed.at);
    else onChange(changed);
  };
  const windowed = {
    count: part.count,
    offset: (data?.from ?? 0) - first,
    onRange: useCallback((top: number, bottom: number) => see(first + top, first + bottom), [see, first]),
    place: useMemo(() => ({ at: Math.max(0, Math.min(place.at, reach) - 1 - first) }), [place, reach, first]),
    part: {
      before: first,
      total: total ?? 0,
      reach,
      onLeave: (at: number) => show({ at: at + 1 }),
    },
  };
  const setFilters = (next: readonly RowFilter[]): void =>
    onChange({
      filter: next.length === 0 ? undefined : next.map(printFilter),
      row: undefined,
      at: undefined,
    });
  const chosen = useChosen(rows, search.row);

  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-2">
        <FilterBar columns={columns} filters={filters} onChange={setFilters} />
        {scope}
        <span role="status" className="text-muted" aria-busy={isPlaceholderData}>
          {total !== undefined && plural(total, "row")}
        </span>
        {props.notice !== undefined && (
          <span role="status" className="text-muted">
            <span aria-hidden="true">◷ </span>
            {props.notice}
          </span>
        )}
        {error !== null && data !== undefined && (
          <span role="alert" className="text-failed">
            ✕ These rows cannot be read: {error.message}{" "}
            <Button onClick={() => void refetch()}>Try again</Button>
          </span>
        )}
        {reach > 0 && (
          <RowPlaces
            part={part}
            inSight={inSight}
            total={total ?? 0}
            reach={reach}
            onGo={(at) => show({ at, row: undefined })}
          />
        )}
        <span className="flex-1" />
        <Button
          aria-pressed={search.facet !== undefined}
          onClick={() =>
            onChange({ facet: search.facet === undefined ? (columns[0]?.name ?? "") : undefined })
          }
        >
          Facets
        </Button>
        <ColumnChooser columns={cells} hidden={search.hide} onChange={(hide) => onChange({ hide })} />
        <TakeAway
          source={source}
          asked={asked}
          {...(openSql !== undefined && { onOpenSql: () => openSql(asked) })}
        />
      </div>
      <div className="flex min-h-0 flex-1">
        {search.facet !== undefined && (
          <FacetPanel
            source={source}
            asked={asked}
            columns={columns}
            column={search.facet}
            onColumn={(facet) => onChange({ facet })}
            onChange={setFilters}
          />
        )}
        <div className="flex min-w-0 flex-1 flex-col">
          {isPending ? (
            <LoadingState what="rows" />
          ) : data === undefined ? (
            <>
              <ErrorState error={error} onRetry={() => void refetch()} />
              {(filters.length > 0 || search.sort !== undefined) && (
                <p className="text-center">
                  <Button
                    onClick={() =>
                      onChange({ filter: undefined, sort: undefined, row: undefined, at: undefined })
                    }
                  >
                    Clear filters and order
                  </Button>
                </p>
              )}
            </>
          ) : (
            <DataTable
              label={label}
              columns={cells}
              rows={rows}
              rowId={(row) => String(row.number)}
              sort={search.sort}
              onSort={(sort) => onChange({ sort, row: undefined, at: undefined })}
              isSortedElsewhere
              hidden={search.hide}
              onOpen={(row) => onChange({ row: row.number })}
              windowed={windowed}
              empty={
                filters.length > 0 ? (
                  <EmptyState
                    kind="filtered"
                    title="No row fits these conditions"
                    onClear={() => setFilters([])}
                  />
                ) : (
                  none
                )
              }
            />
          )}
        </div>
        {chosen !== undefined && (
          <RowInspector
            number={chosen.number}
            columns={columns}
            values={chosen.values}
            onClose={() => onChange({ row: undefined })}
            onFilter={(filter) => setFilters([...filters, filter])}
            links={links}
          />
        )}
      </div>
    </>
  );
}

/** The row that is looked into: kept while the table is scrolled away from it. */
function useChosen(rows: readonly Numbered[], number: number | undefined): Numbered | undefined {
  const held = useRef<Numbered>(undefined);
  const found = rows.find((row) => row.number === number);
  if (found !== undefined || number !== held.current?.number) held.current = found;
  return held.current;
}

/** px of a column: numbers and dates are short, texts of any length are cut. */
const widths = { number: 120, date: 120, time: 230, boolean: 90, json: 220, text: 180 } as const;

function toCell({ name, type }: RowColumn, at: number): DataColumn<Numbered> {
  const family = familyOf(type);
  return {
    id: name,
    name,
    width: Math.max(widths[family], Math.min(260, name.length * 8 + 40)),
    ...(family === "number" && { align: "end" as const }),
    ...(family !== "json" && { sortBy: () => (family === "number" ? null : "") }), // Sorted by the server; texts from a to z first.
    cell: (row) => <RowCell value={row.values[at]} />,
  };
}
