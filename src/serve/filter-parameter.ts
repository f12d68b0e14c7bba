/** Filters: `deaths.gte=100`, or `geo_code=E08000007` for what equals. Read and described from the same table. */
import { type FilterOperator, filterOperators, type QueryFilter } from "../ports/dataset-query.ts";
import type { ApiParameter } from "./api-parameter.ts";
import { parameterLengthMax, type ValueKind } from "./column-value.ts";
import type { DatasetView, ViewColumn } from "./dataset-view.ts";
import { Problem, shorten, unknownName } from "./problem.ts";
import { listOf, type QueryPair } from "./query-string.ts";

/** What operators mean, for people. */
const meanings: Readonly<Record<FilterOperator, string>> = {
  eq: "equals",
  ne: "is there and does not equal",
  lt: "is less than",
  lte: "is at most",
  gt: "is greater than",
  gte: "is at least",
  in: "is one of a list (an item that holds a comma stands in double quotes)",
  like: "matches a pattern: % stands for any characters, _ for one, a backslash before either for itself",
  isnull: "is null (true) or is not (false)",
  between: "is at least the first and at most the second",
};

/** Operators that values of a type have. */
export function operatorsOf({ type }: ValueKind): readonly FilterOperator[] {
  if (type === "json") return ["isnull"];
  if (type === "boolean") return ["eq", "ne", "in", "isnull"];
  return type === "text" ? filterOperators : filterOperators.filter((operator) => operator !== "like");
}

/** How OpenAPI describes one. `name`: without an operator where it is an equality that may be written so. */
export function filterParameter(
  { name, published, packed }: ViewColumn,
  operator: FilterOperator,
  isBare: boolean,
): ApiParameter {
  const { kind } = packed;
  const what = published.description === null ? "" : `: ${published.description}`;
  const unit = published.unit === null ? "" : ` (${published.unit})`;
  const facts = {
    name: isBare ? name : `${name}.${operator}`,
    in: "query" as const,
    description: `${name} ${meanings[operator]}${isBare ? `${what}${unit}` : ""}`,
  };
  switch (operator) {
    case "isnull":
      return { ...facts, schema: { type: "boolean" } };
    case "like":
      return { ...facts, schema: { type: "string", maxLength: parameterLengthMax } };
    case "in":
      return { ...facts, schema: { type: "array", items: kind.parameter, minItems: 1 }, isList: true };
    case "between":
      return {
        ...facts,
        schema: { type: "array", items: kind.parameter, minItems: 2, maxItems: 2 },
        isList: true,
      };
    default:
      return { ...facts, schema: kind.parameter };
  }
}

/**
 * Reads the filters of a request.
 *
 * @param known - the address's other parameters, for people who mistyped one.
 */
export function readFilters(
  view: DatasetView,
  pairs: readonly QueryPair[],
  known: readonly string[],
): readonly QueryFilter[] {
  return pairs.map((pair) => {
    const { column, operator } = findFilter(view, pair.name, known);
    return { column: column.name, operator, values: readValues(column, operator, pair) };
  });
}

/** A name that is a column's is that column; else its last part is an operator. */
function findFilter(
  view: DatasetView,
  name: string,
  known: readonly string[],
): Readonly<{ column: ViewColumn; operator: FilterOperator }> {
  const bare = view.find(name);
  if (bare !== undefined) return { column: checkOperator(bare, "eq", name), operator: "eq" };
  const dot = name.lastIndexOf(".");
  const column = dot < 0 ? undefined : view.find(name.slice(0, dot));
  if (column === undefined) {
    const names = [...known, ...view.names];
    const isOperator = dot >= 0 && filterOperators.some((each) => each === name.slice(dot + 1));
    if (isOperator)
      throw unknownName("unknown-column", `column of ${view.dataset}`, name.slice(0, dot), view.names, name);
    throw unknownName("unknown-parameter", "parameter or column", name, names, name);
  }
  const written = name.slice(dot + 1);
  const operator = filterOperators.find((each) => each === written);
  if (operator === undefined)
    throw unknownName("unknown-operator", "operator", written, operatorsOf(column.packed.kind), name);
  return { column: checkOperator(column, operator, name), operator };
}

function checkOperator(column: ViewColumn, operator: FilterOperator, parameter: string): ViewColumn {
  const { kind } = column.packed;
  const allowed = operatorsOf(kind);
  if (allowed.includes(operator)) return column;
  throw new Problem("unknown-operator", {
    detail: `${column.name} is ${kind.type}, which has no operator "${operator}".`,
    parameter,
    allowed,
  });
}

function readValues({ packed }: ViewColumn, operator: FilterOperator, pair: QueryPair): readonly string[] {
  const { kind } = packed;
  switch (operator) {
    case "isnull":
      if (pair.value === "true" || pair.value === "false") return [pair.value];
      throw invalid(pair, pair.value, "true or false");
    case "like":
      checkLength(pair, pair.value);
      return [closeEscape(pair.value)];
    case "in":
      return listOf(pair).map((item) => readValue(kind, pair, item));
    case "between": {
      const items = listOf(pair);
      if (items.length !== 2) throw invalid(pair, pair.value, "two values with a comma between them");
      return items.map((item) => readValue(kind, pair, item));
    }
    default:
      return [readValue(kind, pair, pair.value)];
  }
}

function readValue(kind: ValueKind, pair: QueryPair, text: string): string {
  checkLength(pair, text);
  const canonical = kind.parse(text);
  if (canonical === undefined) throw invalid(pair, text, kind.expects);
  return canonical;
}

function checkLength(pair: QueryPair, text: string): void {
  // JSON Schema counts characters, JavaScript the halves of those beyond the first 65,536.
  const isTooLong = text.length > parameterLengthMax && [...text].length > parameterLengthMax;
  if (isTooLong || !text.isWellFormed())
    throw invalid(pair, text, `at most ${parameterLengthMax} characters`);
}

function invalid({ name }: QueryPair, value: string, expects: string): Problem {
  return new Problem("invalid-parameter", {
    detail: `"${name}" must be ${expects}, not "${shorten(value)}".`,
    parameter: name,
    value,
  });
}

/** A backslash at the very end escapes nothing: it stands for itself. */
function closeEscape(pattern: string): string {
  const backslashes = /\\*$/.exec(pattern)![0].length; // It matches the empty text at least.
  return backslashes % 2 === 1 ? `${pattern}\\` : pattern;
}
