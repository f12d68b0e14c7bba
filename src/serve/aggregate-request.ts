/** What a request for groups asks: `by=geo_code,month.year&values=sum(deaths),p90(deaths)`. */
import {
  type AggregateQuery,
  type DatePart,
  dateParts,
  type QueryGroup,
  type QueryMeasure,
} from "../ports/dataset-query.ts";
import type { ApiParameter, QueryReader } from "./api-parameter.ts";
import type { DatasetView, ViewColumn } from "./dataset-view.ts";
import { readFilters } from "./filter-parameter.ts";
import { hashQuery } from "./page-cursor.ts";
import { Problem, shorten, unknownName } from "./problem.ts";
import { pageRows } from "./rows-request.ts";

/** Parameters of groups that are no filters. */
export const aggregateParameterNames: readonly string[] = ["by", "values", "sort", "limit", "cursor"];

/** Columns to group by and measures of one request. */
const groupsMax = 8;
const measuresMax = 20;
/** Names that OpenAPI lists one by one; of more it gives the form only. */
const listedNamesMax = 400;

const plainMeasures = ["sum", "avg", "min", "max", "count"] as const;
const numberTypes = /^(bigint|double|decimal.*)$/;

/** A request for groups, but for its page. */
export type GroupsRequest = Readonly<{ query: Omit<AggregateQuery, "offset">; name: string }>;

export function readGroups(view: DatasetView, reader: QueryReader): GroupsRequest {
  const limit = reader.count("limit", pageRows);
  const groups = (reader.list("by") ?? []).map((text) => readGroup(view, text));
  const measures = (reader.list("values") ?? ["count"]).map((text) => readMeasure(view, text));
  checkCount("by", groups.length, groupsMax);
  checkCount("values", measures.length, measuresMax);
  const names = [...groups, ...measures].map(({ name }) => name);
  const twin = names.find((name, at) => names.indexOf(name) < at);
  if (twin !== undefined)
    throw new Problem("invalid-parameter", {
      detail: `"${shorten(twin)}" is a group and a value.`,
      parameter: "values",
      value: twin,
    });
  const sort = (reader.list("sort") ?? []).map((text) => readSort(text, names));
  const distinctSort = sort.filter(({ name }, at) => sort.findIndex((other) => other.name === name) === at);
  const filters = readFilters(view, reader.rest(), aggregateParameterNames);
  const query = { filters, groups, measures, sort: distinctSort, limit };
  return { query, name: hashQuery({ ...query, limit: undefined }) };
}

function checkCount(parameter: string, count: number, max: number): void {
  if (count > max)
    throw new Problem("invalid-parameter", {
      detail: `"${parameter}" names ${count}; at most ${max} are taken.`,
      parameter,
    });
}

/** A column's name, or one with a part of the date behind it: `month.year`. */
function readGroup(view: DatasetView, text: string): QueryGroup {
  const whole = view.find(text);
  if (whole !== undefined) return { name: text, column: checkGroup(whole, text).name, part: undefined };
  const dot = text.lastIndexOf(".");
  const column = dot < 0 ? undefined : view.find(text.slice(0, dot));
  if (column === undefined)
    throw unknownName("unknown-column", `column of ${view.dataset}`, text, groupNames(view), "by");
  const written = text.slice(dot + 1);
  const allowed = partsOf(column);
  const part = allowed.find((each) => each === written);
  if (part === undefined)
    throw unknownName("invalid-parameter", `part of ${column.name}`, written, allowed, "by");
  return { name: text, column: column.name, part };
}

function checkGroup(column: ViewColumn, text: string): ViewColumn {
  if (column.packed.kind.type !== "json") return column;
  throw new Problem("invalid-parameter", {
    detail: `${column.name} is JSON, which makes no groups.`,
    parameter: "by",
    value: text,
  });
}

/** Parts by which values of a column can be cut off. */
function partsOf({ packed }: ViewColumn): readonly DatePart[] {
  const { type } = packed.kind;
  if (type === "timestamp" || type === "timestamptz") return dateParts;
  return type === "date" ? dateParts.filter((part) => part !== "hour" && part !== "minute") : [];
}

/** `count`, `sum(deaths)`, `median(deaths)`, `p90(deaths)`. */
function readMeasure(view: DatasetView, text: string): QueryMeasure {
  if (text === "count") return { name: text, measure: "count", column: undefined };
  const match = /^([a-z]+[0-9]{0,2})\((.*)\)$/s.exec(text);
  const column = match === null ? undefined : view.find(match[2]!);
  if (match === null || column === undefined)
    throw unknownName("invalid-parameter", "value", text, measureNames(view), "values");
  const measure = match[1]!;
  const share = quantileShare(measure);
  const plain = plainMeasures.find((each) => each === measure);
  if (share === undefined && plain === undefined)
    throw unknownName("invalid-parameter", "measure", measure, [...plainMeasures, "median", "p90"], "values");
  const { type } = column.packed.kind;
  const isOrdered = plain === "min" || plain === "max";
  const isFit = plain === "count" || (isOrdered ? type !== "json" : numberTypes.test(type));
  if (!isFit)
    throw new Problem("invalid-parameter", {
      detail: `${column.name} is ${type}, which has no ${measure}.`,
      parameter: "values",
      value: text,
    });
  if (share !== undefined) return { name: text, measure: "quantile", column: column.name, share };
  return { name: text, measure: plain!, column: column.name }; // One of the two is there.
}

/** `p05` … `p99`: hundredths. */
function quantileShare(measure: string): number | undefined {
  if (measure === "median") return 0.5;
  const match = /^p([0-9]{1,2})$/.exec(measure);
  return match === null ? undefined : Number(match[1]) / 100;
}

function readSort(text: string, names: readonly string[]): Readonly<{ name: string; isDescending: boolean }> {
  const isDescending = text.startsWith("-") && !names.includes(text);
  const name = isDescending ? text.slice(1) : text;
  if (!names.includes(name)) throw unknownName("invalid-parameter", "group or value", name, names, "sort");
  return { name, isDescending };
}

const groupNames = (view: DatasetView): readonly string[] =>
  view.columns.flatMap((column) =>
    column.packed.kind.type === "json"
      ? []
      : [column.name, ...partsOf(column).map((part) => `${column.name}.${part}`)],
  );

function measureNames(view: DatasetView): readonly string[] {
  const ofColumns = view.columns.flatMap(({ name, packed }) => {
    const { type } = packed.kind;
    if (type === "json") return [`count(${name})`];
    const ordered = ["count", "min", "max"];
    const all = numberTypes.test(type) ? [...ordered, "sum", "avg", "median", "p10", "p90"] : ordered;
    return all.map((measure) => `${measure}(${name})`);
  });
  return ["count", ...ofColumns];
}

const listOf = (names: readonly string[], pattern: string): ApiParameter["schema"] => ({
  type: "array",
  items: names.length <= listedNamesMax ? { type: "string", enum: names } : { type: "string", pattern },
  minItems: 1,
  uniqueItems: true,
});

/** Groups and measures, described. */
export function aggregateParameters(view: DatasetView): readonly ApiParameter[] {
  const groups = groupNames(view);
  const measures = measureNames(view);
  const [firstGroup] = groups;
  const firstMeasure = measures.find((name) => name.startsWith("sum(")) ?? "count";
  return [
    {
      name: "by",
      in: "query",
      description: `Columns to group by, at most ${groupsMax}; of a date or time also its year, month … (\`month.year\`). Default: one group of all rows.`,
      schema: { ...listOf(groups, ".+"), maxItems: groupsMax },
      isList: true,
      example: firstGroup === undefined ? undefined : [firstGroup],
    },
    {
      name: "values",
      in: "query",
      description: `What is told of each group, at most ${measuresMax}: count, or count, sum, avg, min, max, median and p01 … p99 of a column. Default: count.`,
      schema: { ...listOf(measures, "^(count|[a-z]+[0-9]{0,2}\\(.+\\))$"), maxItems: measuresMax },
      isList: true,
      example: [firstMeasure],
    },
    {
      name: "sort",
      in: "query",
      description:
        "Groups and values to sort by, by the names they have in the answer; a minus before a name turns its order round. Default: by the groups.",
      schema: { type: "array", items: { type: "string" }, minItems: 1, uniqueItems: true },
      isList: true,
      example: [`-${firstMeasure}`],
    },
  ];
}
