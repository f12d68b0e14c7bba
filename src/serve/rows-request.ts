/** What a request for rows asks: filters, columns, order, page. */
import type { JsonValue } from "../model/json-value.ts";
import { packRowsMax } from "../model/serving-pack.ts";
import type { QuerySort, RowSelection } from "../ports/dataset-query.ts";
import type { ApiParameter, QueryReader } from "./api-parameter.ts";
import { fromBytes, isUsual, parameterLengthMax } from "./column-value.ts";
import type { DatasetView, ViewColumn } from "./dataset-view.ts";
import { filterParameter, operatorsOf, readFilters } from "./filter-parameter.ts";
import { hashQuery } from "./page-cursor.ts";
import { Problem, unknownName } from "./problem.ts";

/** Rows of a page. 10,000 take some 5 ms of the event loop to print. */
export const pageRows = { min: 1, max: 10_000, default: 100 } as const;

/** Rows that may be left out: row numbers are 32-bit. */
export const skippedRows: Readonly<{ min: number; max: number; default: number }> = {
  min: 0,
  max: packRowsMax,
  default: 0,
};

const selectionNames = ["columns", "sort"] as const;
/** Parameters of rows that are no filters. */
export const rowsParameterNames: readonly string[] = [...selectionNames, "limit", "offset", "cursor"];
/** The same without pages, for exports. */
export const exportParameterNames: readonly string[] = selectionNames;

/** Rows and columns that are wanted. */
export type SelectionRequest = Readonly<{
  selection: RowSelection;
  columns: readonly ViewColumn[];
  /** Names what must be the same on every page. */
  query: string;
}>;

/** Reads filters, columns and order; everything that is left in the reader is a filter. */
export function readSelection(
  view: DatasetView,
  reader: QueryReader,
  known: readonly string[],
): SelectionRequest {
  const names = reader.list("columns") ?? view.names;
  const columns = names.map((name) => view.column(name, "columns"));
  const sort = planSort(
    view,
    (reader.list("sort") ?? []).map((text) => readSort(view, text)),
  );
  const filters = readFilters(view, reader.rest(), known);
  return { selection: { filters, sort }, columns, query: hashQuery({ filters, sort }) };
}

/** `deaths` or `-deaths`. */
function readSort(view: DatasetView, text: string): QuerySort {
  const isDescending = text.startsWith("-") && view.find(text) === undefined;
  const name = isDescending ? text.slice(1) : text;
  const column = view.find(name);
  if (column === undefined)
    throw unknownName("unknown-column", `column of ${view.dataset}`, name, view.names, "sort");
  if (column.packed.kind.type === "json")
    throw new Problem("invalid-parameter", {
      detail: `${name} is JSON, which has no order.`,
      parameter: "sort",
      value: text,
    });
  return { column: name, isDescending };
}

/** Without columns that are named again, and without an order that the version has anyway. */
function planSort(view: DatasetView, asked: readonly QuerySort[]): readonly QuerySort[] {
  const sort = asked.filter(({ column }, at) => asked.findIndex((other) => other.column === column) === at);
  const own = view.manifest.schema.sort;
  const isOwn = sort.every(({ column, isDescending }, at) => own[at] === column && !isDescending);
  return isOwn ? [] : sort;
}

/** Columns whose filters OpenAPI lists, so that a wide dataset does not make a document of megabytes. */
const describedColumnsMax = 60;

/** Filters of a dataset, described. */
export function filterParameters(view: DatasetView, known: readonly string[]): readonly ApiParameter[] {
  return view.columns.slice(0, describedColumnsMax).flatMap((column) =>
    operatorsOf(column.packed.kind).flatMap((operator) => {
      const isBare = operator === "eq" && !known.includes(column.name);
      const parameter = filterParameter(column, operator, isBare);
      return [isBare ? { ...parameter, example: exampleOf(column) } : parameter];
    }),
  );
}

/** Rows looked through for a value that makes an example. */
const exampleRowsMax = 1000;

/** A usual value that is there, of the middle of the dataset or soon after. */
export function exampleOf({ packed }: ViewColumn): JsonValue | undefined {
  const { kind, rowCount } = packed;
  const from = rowCount >>> 1;
  for (let row = from; row < Math.min(rowCount, from + exampleRowsMax); row++) {
    const fragment = packed.fragment(row);
    if (fragment === "null" || !isUsual(kind, fragment) || fragment.length > parameterLengthMax) continue;
    return JSON.parse(fromBytes(fragment)) as JsonValue; // Fragments are JSON.
  }
  return undefined;
}

/** Columns and order, described. */
export function selectionParameters(view: DatasetView): readonly ApiParameter[] {
  const sortable = view.columns.filter(({ packed }) => packed.kind.type !== "json").map(({ name }) => name);
  return [
    {
      name: "columns",
      in: "query",
      description: "Columns that are wanted, in their order. Default: all.",
      schema: { type: "array", items: { type: "string", enum: view.names }, minItems: 1, uniqueItems: true },
      isList: true,
    },
    {
      name: "sort",
      in: "query",
      description:
        "Columns to sort by; a minus before a name turns its order round. Nulls are last either way. Default: the dataset's own order, in which rows that compare equal stay.",
      schema: {
        type: "array",
        items: { type: "string", enum: [...sortable, ...sortable.map((name) => `-${name}`)] },
        minItems: 1,
        uniqueItems: true,
      },
      isList: true,
    },
  ];
}

/** Where rows begin that are not the first, described. */
export const offsetParameter: ApiParameter = {
  name: "offset",
  in: "query",
  description:
    "Rows left out before the first page: to go to a place. Whoever reads on follows `next`, which costs less and never misses a row.",
  schema: {
    type: "integer",
    minimum: skippedRows.min,
    maximum: skippedRows.max,
    default: skippedRows.default,
  },
};

/** Pages, described. */
export const pageParameters: readonly ApiParameter[] = [
  {
    name: "limit",
    in: "query",
    description: `Rows of a page, at most ${pageRows.max}.`,
    schema: { type: "integer", minimum: pageRows.min, maximum: pageRows.max, default: pageRows.default },
  },
  {
    name: "cursor",
    in: "query",
    description:
      "Where the page begins: `next` of the page before holds it. It belongs to one version and one query.",
    schema: { type: "string", pattern: "^[A-Za-z0-9_-]{43}$" },
  },
];
