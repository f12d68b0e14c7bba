/** Which chart says something of a dataset: over time where it has times, else by the column that has few values. */
import type { ColumnFacts, DatasetFacts } from "./dataset-facts.ts";
import type { PageQuery } from "./page-query.ts";

/** Points of a line, and bars; more cannot be told apart. */
const pointsMax = 400;
const barsMax = 30;

const measures = ["sum", "avg", "min", "max", "count"] as const;
type Measure = (typeof measures)[number];

export type ChartChoice = Readonly<{
  kind: "line" | "bars";
  /** As the API's `by` takes it: `month` or `day.year`. */
  by: string;
  x: string;
  measure: Measure;
  /** `undefined`: rows are counted. */
  y: string | undefined;
  limit: number;
}>;

/** What can be chosen. */
export type ChartOptions = Readonly<{
  x: readonly string[];
  y: readonly string[];
  measures: readonly Measure[];
}>;

const isNumber = ({ type }: ColumnFacts): boolean => /^(bigint|double|decimal|hugeint)/.test(type);
const isTime = ({ type }: ColumnFacts): boolean => /^(date|timestamp)/.test(type);
const isFew = ({ distinctCount }: ColumnFacts): boolean =>
  typeof distinctCount === "number" && distinctCount > 1 && distinctCount <= pointsMax;
/** A number that counts years, or names something, says nothing when it is summed. */
const isName = (column: ColumnFacts, key: readonly string[]): boolean =>
  key.includes(column.name) || /year|code|(^|_)id$/i.test(column.name);

export function chartOptions({ columns, key }: DatasetFacts): ChartOptions {
  const along = columns.filter((column) => isTime(column) || isFew(column));
  const measured = columns.filter(isNumber);
  // What people would choose stands first.
  const x = [...along.filter(isTime), ...along.filter((column) => !isTime(column))];
  const y = [
    ...measured.filter((column) => !isName(column, key)),
    ...measured.filter((column) => isName(column, key)),
  ];
  return { x: x.map(({ name }) => name), y: y.map(({ name }) => name), measures };
}

/** Chooses as the page's query says, and where it does not, the first of what there is. */
export function chooseChart(facts: DatasetFacts, query: PageQuery): ChartChoice | undefined {
  const options = chartOptions(facts);
  const x = options.x.find((name) => name === query.get("~x")) ?? options.x[0];
  const column = facts.columns.find(({ name }) => name === x);
  if (x === undefined || column === undefined) return undefined;
  const asked = query.get("~y");
  const best = facts.columns.find(({ name }) => name === options.y[0]);
  const isWorthSumming = best !== undefined && !isName(best, facts.key);
  const y = options.y.find((name) => name === asked) ?? (isWorthSumming ? best.name : undefined);
  const measure = measures.find((name) => name === query.get("~how")) ?? "sum";
  const isLine = isTime(column) || isNumber(column);
  return {
    kind: isLine ? "line" : "bars",
    by: isTime(column) ? `${x}${partOf(column)}` : x,
    x,
    measure: y === undefined ? "count" : measure,
    y: measure === "count" ? undefined : y,
    limit: isLine ? pointsMax : barsMax,
  };
}

const dayMs = 24 * 3600 * 1000;
/** Parts of a date, and how many of each make a chart too dense. */
const parts = [
  ["", 0],
  [".day", 1],
  [".month", 30],
  [".year", 365],
] as const;

/** How finely time is parted: as finely as there is room for. */
function partOf({ min, max, distinctCount }: ColumnFacts): string {
  if (typeof distinctCount === "number" && distinctCount <= pointsMax) return "";
  const days = (Date.parse(String(max)) - Date.parse(String(min))) / dayMs;
  if (!Number.isFinite(days)) return ".year";
  return parts.find(([, length]) => length > 0 && days / length <= pointsMax)?.[0] ?? ".year";
}

/** The API's question that a chart is drawn of. */
export function chartAddress(base: string, choice: ChartChoice, query: PageQuery): string {
  const value = valueName(choice);
  let asked = query.ofRows.without("columns", "sort", "limit", "cursor");
  asked = asked.with("by", choice.by).with("values", value);
  if (choice.kind === "bars") asked = asked.with("sort", `-${value}`);
  return `${base}/aggregate${asked.with("limit", String(choice.limit)).print()}`;
}

/** What the API calls the measured value. */
export const valueName = ({ measure, y }: ChartChoice): string =>
  y === undefined ? "count" : `${measure}(${y})`;
