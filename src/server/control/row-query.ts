/** SQL for rows of a stream's table: filters, order and windows as a request names them. Pure. */
import { LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import type { SqlNaming, WarehouseColumn } from "../../ports/warehouse.ts";
import { splitList } from "../../serve/query-string.ts";

/** How a value is compared. */
export const rowOperators = ["eq", "ne", "lt", "lte", "gt", "gte", "in", "like", "isnull"] as const;
type RowOperator = (typeof rowOperators)[number];

const comparisons: Readonly<Record<"eq" | "ne" | "lt" | "lte" | "gt" | "gte", string>> = {
  eq: "=",
  ne: "<>",
  lt: "<",
  lte: "<=",
  gt: ">",
  gte: ">=",
};

/** Values of one list. */
const valuesMax = 200;

/** What a table is asked with. */
export type RowTable = Readonly<{
  /** As SQL. */
  name: string;
  columns: readonly WarehouseColumn[];
  naming: SqlNaming;
  /** The type of text in this warehouse. */
  textType: string;
}>;

/** Rows of a request. `filters`: `amount.gte=5`, `status=paid`; `sort`: `-amount`. */
export type RowsAsked = Readonly<{ filters: readonly string[]; sort: readonly string[] }>;

/** A condition that is not the request's own. */
export type RowScope = Readonly<{ column: string; value: string | number }>;

/** The conditions of a request, as SQL. @throws LeatError `USAGE` naming the filter. */
export function conditionOf(table: RowTable, asked: RowsAsked, scope: readonly RowScope[]): string {
  const { quoteName, quoteText } = table.naming;
  const own = scope.map(({ column, value }) =>
    typeof value === "number"
      ? `${quoteName(column)} = ${value}`
      : `${quoteName(column)} = ${quoteText(value)}`,
  );
  const conditions = [...own, ...asked.filters.map((filter) => toCondition(table, filter))];
  return conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
}

function toCondition(table: RowTable, filter: string): string {
  const at = filter.indexOf("=");
  if (at < 1) throw wrong(filter, "is not written as column.operator=value");
  const { column, operator } = findColumn(table, filter.slice(0, at), filter);
  const value = filter.slice(at + 1);
  const { quoteName, quoteText } = table.naming;
  const name = quoteName(column.name);
  const typed = (one: string): string => `CAST(${quoteText(one)} AS ${column.type})`;
  const isPlain = !/json|struct|\[\]|record|map/i.test(column.type);
  if (!isPlain && operator !== "isnull" && operator !== "like")
    throw wrong(filter, `${column.name} is ${column.type}: it can be compared by isnull and like alone`);
  switch (operator) {
    case "isnull":
      if (value !== "true" && value !== "false") throw wrong(filter, "must be true or false");
      return `${name} IS ${value === "true" ? "" : "NOT "}NULL`;
    case "like": // Without regard to case, as people search.
      return `lower(CAST(${name} AS ${table.textType})) LIKE lower(${quoteText(value)})`;
    case "in": {
      const values = splitList(value); // As the data API has lists.
      if (values.length > valuesMax) throw wrong(filter, `has more than ${valuesMax} values`);
      return `${name} IN (${values.map(typed).join(", ")})`;
    }
    default:
      return `${name} ${comparisons[operator]} ${typed(value)}`;
  }
}

/** A name that is a column's is that column, compared by `eq`; else its last part is an operator. */
function findColumn(
  { columns }: RowTable,
  name: string,
  filter: string,
): Readonly<{ column: WarehouseColumn; operator: RowOperator }> {
  const bare = columns.find((one) => one.name === name);
  if (bare !== undefined) return { column: bare, operator: "eq" };
  const dot = name.lastIndexOf(".");
  const operator = rowOperators.find((one) => one === name.slice(dot + 1));
  const column = dot < 0 ? undefined : columns.find((one) => one.name === name.slice(0, dot));
  if (column !== undefined && operator !== undefined) return { column, operator };
  if (column !== undefined) throw wrong(filter, `has no operator; use ${rowOperators.join(", ")}`);
  throw unknownColumn(columns, operator === undefined || dot < 0 ? name : name.slice(0, dot));
}

/** The order of rows, as SQL; ends with what makes it total, so that windows neither overlap nor leave a gap. */
export function orderOf(table: RowTable, sort: readonly string[], tail: readonly string[]): string {
  const { quoteName } = table.naming;
  const named = sort.map((one) => {
    const isDescending = one.startsWith("-");
    const name = isDescending ? one.slice(1) : one;
    return `${quoteName(knownColumn(table, name).name)}${isDescending ? " DESC" : ""}`;
  });
  const left = tail.filter((name) => table.columns.some((column) => column.name === name));
  const order = [...named, ...left.map((name) => quoteName(name))];
  return order.length === 0 ? "" : ` ORDER BY ${order.join(", ")}`;
}

/** @throws LeatError `USAGE` with the near name. */
export function knownColumn({ columns }: RowTable, name: string): WarehouseColumn {
  const column = columns.find((one) => one.name === name);
  if (column !== undefined) return column;
  throw unknownColumn(columns, name);
}

const unknownColumn = (columns: readonly WarehouseColumn[], name: string): LeatError =>
  new LeatError("USAGE", {
    message: `There is no column "${name}".`,
    hint: hintOfKnown(
      name,
      "columns",
      columns.map((column) => column.name),
    ),
    details: { column: name },
  });

const wrong = (filter: string, problem: string): LeatError =>
  new LeatError("USAGE", {
    message: `The filter "${filter.slice(0, 200)}" ${problem}.`,
    hint: "Write such as amount.gte=5, status.in=paid,open or name.like=%ann%.",
    details: { filter: filter.slice(0, 200) },
  });
