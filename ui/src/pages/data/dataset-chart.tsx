/** A chart of a dataset's rows, by what is along and what is measured. The numbers are there as a table, too. */
import * as Plot from "@observablehq/plot";
import { useQuery } from "@tanstack/react-query";
import { type ReactElement, useEffect, useMemo, useRef } from "react";
import type { Query } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { Combobox } from "../../components/combobox.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { plural } from "../../format/duration.ts";
import { groupsQuery } from "./data-queries.ts";
import { printValue, RowCell } from "./row-cell.tsx";
import { familyOf, printList, type RowFilter, tellFilter } from "./row-filter.ts";
import { type DatasetColumn, type DatasetFacts, toParameters } from "./row-source.ts";

/** Points of a line, and bars; more cannot be told apart. */
const pointsMax = 400;
const barsMax = 30;

/** Columns of more values make no chart. */
const distinctMax = 5000;

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const printTick = (value: number): string => compact.format(value);

type ChartSearch = Readonly<{
  by?: string | undefined;
  measure?: string | undefined;
  numbers?: true | undefined;
}>;

export type DatasetChartProps = Readonly<{
  facts: DatasetFacts;
  filters: readonly RowFilter[];
  search: ChartSearch;
  onChange: (changed: ChartSearch) => void;
}>;

const isTime = ({ type }: DatasetColumn): boolean => ["date", "time"].includes(familyOf(type));

/** What times are gathered by, the finest first. */
const spans = [
  { part: undefined, ms: 0 },
  { part: "hour", ms: 3_600_000 },
  { part: "day", ms: 86_400_000 },
  { part: "month", ms: 30 * 86_400_000 },
  { part: "year", ms: 365 * 86_400_000 },
] as const;

/** Ways to go along times: themselves, and what they are gathered by. */
const spansOf = ({ name, type }: DatasetColumn): readonly string[] =>
  spans
    .filter(({ part }) => part !== "hour" || familyOf(type) === "time")
    .map(({ part }) => (part === undefined ? name : `${name}.${part}`));

/** Whether a line has room for every one of a column's times. */
const isShort = ({ distinctCount }: DatasetColumn): boolean =>
  distinctCount !== null && distinctCount <= pointsMax;

/** The finest of the ways that one line shows whole. */
function bestSpan(column: DatasetColumn, from: unknown, to: unknown): string | undefined {
  const lengthMs = Date.parse(String(to)) - Date.parse(String(from));
  const fit = spans.find(({ part, ms }) => part !== undefined && lengthMs / ms < pointsMax);
  return spansOf(column).find((one) => one === `${column.name}.${fit?.part ?? "month"}`);
}

function choicesOf({
  columns,
  key,
  loading,
  rowCount,
}: DatasetFacts): Readonly<{ by: readonly string[]; measures: readonly string[] }> {
  const along = columns.filter(
    (one) =>
      familyOf(one.type) !== "json" &&
      // Those that nobody has counted have more different values than is worth counting, once all rows are there.
      (isTime(one) || (one.distinctCount ?? (loading === true ? 0 : rowCount)) <= distinctMax),
  );
  const isName = ({ name }: DatasetColumn): boolean => key.includes(name) || /year|code|(^|_)id$/i.test(name);
  const numbers = columns.filter((one) => familyOf(one.type) === "number");
  const measured = [...numbers.filter((one) => !isName(one)), ...numbers.filter(isName)];
  return {
    by: [
      ...along.filter(isTime).flatMap(spansOf),
      ...along.filter((one) => !isTime(one)).map(({ name }) => name),
    ],
    // A number that names something says nothing when it is summed: rows are counted first then.
    measures: [
      ...(numbers.some((one) => !isName(one)) ? [] : ["count"]),
      ...measured.flatMap(({ name }) => ["sum", "avg", "min", "max"].map((how) => `${how}(${name})`)),
      ...(numbers.some((one) => !isName(one)) ? ["count"] : []),
    ],
  };
}

export function DatasetChart({ facts, filters, search, onChange }: DatasetChartProps): ReactElement {
  const choices = useMemo(() => choicesOf(facts), [facts]);
  const asked = choices.by.find((one) => one === search.by);
  // A line of times begins with the way that shows all of it: where it begins and ends is the server's to say.
  const first = facts.columns.find(isTime);
  const isLong = asked === undefined && first !== undefined && !isShort(first);
  const ends = [`min(${first?.name})`, `max(${first?.name})`] as const;
  const extent = useQuery({
    ...groupsQuery(facts.name, { ...toParameters({ filters, sort: undefined }), values: printList(ends) }),
    enabled: isLong,
  });
  const [whole] = extent.data?.rows ?? [];
  const best = isLong ? bestSpan(first, whole?.[ends[0]], whole?.[ends[1]]) : undefined;
  const by = asked ?? best ?? choices.by[0];
  const measure = choices.measures.find((one) => one === search.measure) ?? choices.measures[0] ?? "count";
  const column = facts.columns.find(({ name }) => name === by || by?.startsWith(`${name}.`));
  const isLine = column !== undefined && isTime(column);
  const query: Query = {
    ...toParameters({ filters, sort: undefined }),
    by: printList([by ?? ""]),
    values: printList([measure]),
    sort: printList([isLine ? (by ?? "") : `-${measure}`]),
    limit: isLine ? pointsMax : barsMax,
  };
  const { data, error, isPending, refetch } = useQuery({
    ...groupsQuery(facts.name, query),
    enabled: by !== undefined && !(isLong && extent.isPending),
  });
  if (by === undefined) return <EmptyState kind="none" title="No column makes a chart" />;
  const caption = `${measure} by ${by}${filters.length === 0 ? "" : `, where ${filters.map(tellFilter).join(" and ")}`}`;
  const isAnyTimeless = isLine && data?.rows.some((row) => row[by] === null) === true;
  const cut =
    data !== undefined && data.total > data.rows.length
      ? `, the ${isLine ? "first" : "greatest"} ${data.rows.length} of ${data.total}`
      : "";
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3 overflow-y-auto p-4">
      <div className="flex flex-wrap items-center gap-2">
        <Combobox
          label="Along"
          options={choices.by}
          value={by}
          onChange={(next) => onChange({ by: next || undefined })}
        />
        <Combobox
          label="Measure"
          options={choices.measures}
          value={measure}
          onChange={(next) => onChange({ measure: next || undefined })}
        />
        <span className="flex-1" />
        <Button
          aria-pressed={search.numbers ?? false}
          onClick={() => onChange({ numbers: search.numbers ? undefined : true })}
        >
          Show as table
        </Button>
      </div>
      {isPending ? (
        <LoadingState what="the numbers" />
      ) : data === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : data.rows.length === 0 ? (
        <EmptyState kind="filtered" title="No row fits the conditions">
          Take some away under Table.
        </EmptyState>
      ) : (
        <figure className="card flex min-w-0 flex-col p-4">
          <figcaption className="mb-2 font-semibold">
            {caption}
            <span className="font-normal text-muted">{cut}</span>
            <span className="block font-normal text-meta text-muted">
              Every one of{" "}
              {filters.length === 0 ? `the ${plural(facts.rowCount, "row")}` : "the rows that fit"} is counted
              in, by the server.{isAnyTimeless && ` Those without ${by} are in the table alone.`}
            </span>
          </figcaption>
          {search.numbers ? (
            <Numbers rows={data.rows} by={by} measure={measure} />
          ) : (
            <Drawing rows={data.rows} by={by} measure={measure} isLine={isLine} />
          )}
        </figure>
      )}
    </div>
  );
}

type Group = Readonly<Record<string, unknown>>;

function Numbers({
  rows,
  by,
  measure,
}: Readonly<{ rows: readonly Group[]; by: string; measure: string }>): ReactElement {
  const columns: readonly DataColumn<Group>[] = [
    { id: "by", name: by, cell: (row) => <RowCell value={row[by]} /> },
    { id: "measure", name: measure, align: "end", cell: (row) => <RowCell value={row[measure]} /> },
  ];
  return (
    <DataTable
      label="Numbers of the chart"
      columns={columns}
      rows={rows}
      rowId={(row) => printValue(row[by])}
      heightMax={480}
    />
  );
}

/** Drawn by a library; those who do not see it have the caption and the table. */
function Drawing({
  rows,
  by,
  measure,
  isLine,
}: Readonly<{
  rows: readonly Group[];
  by: string;
  measure: string;
  isLine: boolean;
}>): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const place = box.current;
    if (place === null) return;
    const points = rows
      .filter((row) => !isLine || row[by] !== null) // A time that is not there has no place in a line.
      .map((row) => ({
        x: row[by] === null ? "empty" : isLine ? new Date(String(row[by])) : String(row[by]),
        y: row[measure] === null ? null : Number(row[measure]),
      }));
    const draw = (): void => {
      const width = Math.max(320, place.clientWidth);
      const style = {
        background: "transparent",
        color: "var(--text)",
        fontFamily: "inherit",
        fontSize: "12px",
      };
      place.replaceChildren(
        isLine
          ? Plot.plot({
              width,
              height: 360,
              style,
              x: { label: by, type: "utc" },
              y: { label: measure, grid: true, zero: true, tickFormat: printTick },
              marginBottom: 44,
              marginLeft: 60,
              marks: [
                Plot.lineY(points, { x: "x", y: "y", stroke: "var(--accent)", strokeWidth: 2 }),
                ...(points.length <= 60
                  ? [Plot.dotY(points, { x: "x", y: "y", fill: "var(--accent)", r: 2.5 })]
                  : []),
              ],
            })
          : Plot.plot({
              width,
              height: Math.max(120, points.length * 24 + 50),
              style,
              x: { label: measure, grid: true, tickFormat: printTick },
              y: { label: null, domain: points.map(({ x }) => x) },
              marginBottom: 44,
              marginLeft: Math.min(220, 24 + Math.max(...points.map(({ x }) => String(x).length)) * 7),
              marks: [Plot.barX(points, { x: "y", y: "x", fill: "var(--accent)" }), Plot.ruleX([0])],
            }),
      );
    };
    draw();
    const watcher = new ResizeObserver(draw);
    watcher.observe(place);
    return () => watcher.disconnect();
  }, [rows, by, measure, isLine]);
  return <div ref={box} aria-hidden="true" className="min-w-0 overflow-hidden" />;
}
