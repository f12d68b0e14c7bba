/** The commonest values of a column under the conditions that hold: a press narrows to one, or to several. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { Combobox } from "../../components/combobox.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { printCount } from "../../format/duration.ts";
import { printValue } from "./row-cell.tsx";
import { familyOf, printList, type RowFilter, readList } from "./row-filter.ts";
import { facetQuery, type RowColumn, type RowSource, type RowsAsked } from "./row-source.ts";

export type FacetPanelProps = Readonly<{
  source: RowSource;
  asked: RowsAsked;
  columns: readonly RowColumn[];
  column: string;
  onColumn: (column: string) => void;
  onChange: (filters: readonly RowFilter[]) => void;
}>;

/** Values of the column that the conditions choose. */
function chosenOf(filters: readonly RowFilter[], column: string): readonly (string | null)[] {
  return filters
    .filter((one) => one.column === column)
    .flatMap(({ operator, value }): readonly (string | null)[] => {
      if (operator === "eq") return [value];
      if (operator === "in") return readList(value);
      return operator === "isnull" && value === "true" ? [null] : [];
    });
}

/** The conditions with one value more, or one less. */
function toggle(filters: readonly RowFilter[], column: string, value: string | null): readonly RowFilter[] {
  const others = filters.filter(
    (one) =>
      one.column !== column || !(one.operator === "eq" || one.operator === "in" || one.operator === "isnull"),
  );
  const before = chosenOf(filters, column);
  if (before.includes(value)) {
    const left = before.filter((one): one is string => one !== value && one !== null);
    return [...others, ...conditionOf(column, left)];
  }
  // Empty and a value at once cannot be said in one condition.
  if (value === null) return [...others, { column, operator: "isnull", value: "true" }];
  return [...others, ...conditionOf(column, [...before.filter((one): one is string => one !== null), value])];
}

function conditionOf(column: string, values: readonly string[]): readonly RowFilter[] {
  const [first] = values;
  if (first === undefined) return [];
  return values.length === 1
    ? [{ column, operator: "eq", value: first }]
    : [{ column, operator: "in", value: printList(values) }];
}

export function FacetPanel({
  source,
  asked,
  columns,
  column,
  onColumn,
  onChange,
}: FacetPanelProps): ReactElement {
  const offered = columns.filter(({ type }) => familyOf(type) !== "json").map(({ name }) => name);
  const { data, error, isPending, refetch } = useQuery({
    ...facetQuery(source, column, asked),
    enabled: offered.includes(column),
  });
  const chosen = chosenOf(asked.filters, column);
  const most = Math.max(1, ...(data?.values.map(({ count }) => count) ?? []));
  return (
    <section
      aria-label="Facets"
      className="flex w-64 shrink-0 flex-col gap-2 overflow-y-auto border-r border-line p-3"
    >
      <Combobox
        label="Facet"
        options={offered}
        value={column}
        onChange={(next) => next !== "" && onColumn(next)}
      />
      {!offered.includes(column) ? (
        <EmptyState kind="unselected" title="No column is chosen" />
      ) : isPending ? (
        <LoadingState what="values" />
      ) : data === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <>
          <p className="text-meta text-muted">
            {data.distinct === undefined
              ? `${data.values.length} commonest values`
              : `${printCount(data.distinct)} different values`}
          </p>
          <ul className="flex flex-col">
            {data.values.map(({ value, count }) => {
              const text = value === null || value === undefined ? null : printValue(value);
              const isChosen = chosen.includes(text);
              return (
                <li key={text ?? "\u0000"} className="relative">
                  <span
                    aria-hidden="true"
                    className="absolute inset-y-0.5 left-0 rounded-control bg-selected"
                    style={{ width: `${(count / most) * 100}%` }}
                  />
                  <label className="relative flex min-h-7 items-center gap-2 px-1">
                    <input
                      type="checkbox"
                      checked={isChosen}
                      onChange={() => onChange(toggle(asked.filters, column, text))}
                      className="size-4 shrink-0 accent-accent"
                    />
                    <span className="min-w-0 flex-1 truncate" title={text ?? ""}>
                      {text ?? <i className="text-muted">empty</i>}
                      {text === "" && <i className="text-muted">empty text</i>}
                    </span>
                    <span className="figures text-meta text-muted">{printCount(count)}</span>
                  </label>
                </li>
              );
            })}
          </ul>
        </>
      )}
    </section>
  );
}
