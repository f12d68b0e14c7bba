/** Conditions on rows as addresses, both APIs and SQL write them: `column.operator=value`. */

export const operators = {
  eq: "=",
  ne: "≠",
  lt: "<",
  lte: "≤",
  gt: ">",
  gte: "≥",
  in: "is one of",
  like: "matches",
  isnull: "is empty",
} as const;

export type Operator = keyof typeof operators;

export type RowFilter = Readonly<{ column: string; operator: Operator; value: string }>;

/** What a type of a column is to people; both APIs name types in their own ways. */
export type TypeFamily = "number" | "date" | "time" | "boolean" | "json" | "text";

export function familyOf(type: string): TypeFamily {
  const word = type.toLowerCase();
  if (/json|struct|\[\]|record|map|list/.test(word)) return "json";
  if (/^(bigint|hugeint|.*int|double|float|decimal|numeric|real|int64|float64|bignumeric)/.test(word))
    return "number";
  if (word === "date") return "date";
  if (/^(timestamp|datetime)/.test(word)) return "time";
  return /^bool/.test(word) ? "boolean" : "text";
}

/** Operators that say something of a type. */
export function operatorsOf(family: TypeFamily): readonly Operator[] {
  switch (family) {
    case "json":
      return ["isnull"];
    case "boolean":
      return ["eq", "ne", "isnull"];
    case "text":
      return ["eq", "ne", "in", "like", "lt", "lte", "gt", "gte", "isnull"];
    default:
      return ["eq", "ne", "lt", "lte", "gt", "gte", "in", "isnull"];
  }
}

/** @param columns - names there are: a name may hold a dot itself. */
export function readFilter(text: string, columns: readonly string[]): RowFilter | undefined {
  const at = text.indexOf("=");
  if (at < 1) return undefined;
  const [name, value] = [text.slice(0, at), text.slice(at + 1)];
  if (columns.includes(name)) return { column: name, operator: "eq", value };
  const dot = name.lastIndexOf(".");
  const operator = (Object.keys(operators) as Operator[]).find((one) => one === name.slice(dot + 1)); // Its own keys.
  return dot < 1 || operator === undefined ? undefined : { column: name.slice(0, dot), operator, value };
}

export const printFilter = ({ column, operator, value }: RowFilter): string =>
  `${column}.${operator}=${value}`;

/** As people read it. */
export function tellFilter({ column, operator, value }: RowFilter): string {
  if (operator === "isnull") return `${column} is ${value === "true" ? "" : "not "}empty`;
  return `${column} ${operators[operator]} ${value}`;
}

export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Items of a list as the data API has it: one that holds a comma stands in double quotes. */
export function readList(text: string): readonly string[] {
  const items: string[] = [];
  const quoted = /"((?:[^"]|"")*)"(?=,|$)/y;
  for (let at = 0; at <= text.length; ) {
    quoted.lastIndex = at;
    const inside = quoted.exec(text)?.[1];
    const comma = text.indexOf(",", inside === undefined ? at : quoted.lastIndex);
    const end = comma === -1 ? text.length : comma;
    items.push(inside?.replaceAll('""', '"') ?? text.slice(at, end));
    at = end + 1;
  }
  return items;
}

export const printList = (items: readonly string[]): string =>
  items.map((one) => (/[",]/.test(one) ? `"${one.replaceAll('"', '""')}"` : one)).join(",");

const comparisons = { eq: "=", ne: "<>", lt: "<", lte: "<=", gt: ">", gte: ">=" } as const;

/** The same rows, in SQL. */
export function toSql(
  table: string,
  filters: readonly RowFilter[],
  sort: string | undefined,
  typeOf: (column: string) => string,
  limit = 200,
): string {
  const conditions = filters.map(({ column, operator, value }) => {
    const name = quoteName(column);
    const family = familyOf(typeOf(column));
    const typed = (one: string): string =>
      family === "number" && /^-?\d+(\.\d+)?$/.test(one) ? one : family === "boolean" ? one : quoteText(one);
    if (operator === "isnull") return `${name} IS ${value === "true" ? "" : "NOT "}NULL`;
    if (operator === "like") return `${name} LIKE ${quoteText(value)}`;
    if (operator === "in") return `${name} IN (${readList(value).map(typed).join(", ")})`;
    return `${name} ${comparisons[operator]} ${typed(value)}`;
  });
  return [
    "SELECT *",
    `FROM ${quoteName(table)}`,
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join("\n  AND ")}`]),
    ...(sort === undefined
      ? []
      : [`ORDER BY ${quoteName(sort.replace(/^-/, ""))}${sort.startsWith("-") ? " DESC" : ""}`]),
    `LIMIT ${limit}`,
  ].join("\n");
}
