/** `/datasets/{name}/facets`: the commonest values of columns, with their counts. */
import type { Facet, QueryFilter } from "../ports/dataset-query.ts";
import { chooseFormat } from "./answer-format.ts";
import { type ApiAnswer, headerOf } from "./api-answer.ts";
import type { ApiAsk } from "./api-ask.ts";
import { type ApiParameter, QueryReader } from "./api-parameter.ts";
import { toBytes } from "./column-value.ts";
import type { DatasetView, ViewColumn } from "./dataset-view.ts";
import { readFilters } from "./filter-parameter.ts";
import { answerUnchanged, finishAnswer, tagAnswer } from "./finish-answer.ts";
import type { PackedColumn } from "./packed-column.ts";
import { Problem } from "./problem.ts";
import { parseQueryString } from "./query-string.ts";
import type { ServeContext } from "./serve-context.ts";

export const facetsParameterNames: readonly string[] = ["columns", "limit"];

/** Columns of one request: each is a query. */
const facetColumnsMax = 10;
/** Values of each column. */
const facetValues = { min: 1, max: 1000, default: 10 } as const;
/** A column of more distinct values is nobody's facet unless it is asked for. */
const defaultDistinctMax = 1000;

export async function answerFacets(
  context: ServeContext,
  view: DatasetView,
  ask: ApiAsk,
): Promise<ApiAnswer> {
  const format = chooseFormat(ask.ending, headerOf(ask.request, "accept"), ["json"]);
  const tagged = tagAnswer(ask, context.apiTag, view.short, format);
  const unchanged = answerUnchanged(ask, tagged);
  if (unchanged !== undefined) return unchanged;
  const reader = new QueryReader(parseQueryString(ask.query));
  const limit = reader.count("limit", facetValues);
  const names = reader.list("columns") ?? defaultFacets(view);
  const columns = names.map((name) => checkFacet(view.column(name, "columns")));
  if (columns.length > facetColumnsMax)
    throw new Problem("invalid-parameter", {
      detail: `"columns" names ${columns.length}; at most ${facetColumnsMax} are taken.`,
      parameter: "columns",
    });
  const filters = readFilters(view, reader.rest(), facetsParameterNames);
  const facets = await Promise.all(
    columns.map((column) => findFacet(context, view, column, filters, limit, ask)),
  );
  const printed = facets.map((facet, at) => toBytes(`${JSON.stringify(names[at])}:`) + printFacet(facet));
  const head = JSON.stringify({ dataset: view.dataset, version: view.manifest.version });
  const body = `${toBytes(head.slice(0, -1))},"facets":{${printed.join(",")}}}\n`;
  return await finishAnswer(ask, tagged, body, {
    cache: context.cache,
    headers: ["leat-version", view.short],
  });
}

const isFacet = ({ packed }: ViewColumn): boolean => packed.kind.type !== "json";

function checkFacet(column: ViewColumn): ViewColumn {
  if (isFacet(column)) return column;
  throw new Problem("invalid-parameter", {
    detail: `${column.name} is JSON, which has no facets.`,
    parameter: "columns",
    value: column.name,
  });
}

/** Columns of few values. */
const defaultFacets = (view: DatasetView): readonly string[] =>
  view.columns
    .filter(
      (column) =>
        isFacet(column) && column.packed.codes !== undefined && column.packed.nullCode <= defaultDistinctMax,
    )
    .slice(0, facetColumnsMax)
    .map(({ name }) => name);

async function findFacet(
  { engine, cache }: ServeContext,
  view: DatasetView,
  { name, packed }: ViewColumn,
  filters: readonly QueryFilter[],
  limit: number,
  ask: ApiAsk,
): Promise<Facet> {
  const key = `facet ${view.id} ${JSON.stringify([name, filters, limit])}`;
  return await cache.find<Facet>(
    key,
    ask.request.signal,
    async (signal) => {
      if (filters.length === 0 && packed.counts !== undefined)
        return countedFacet(packed, packed.counts, limit);
      const { values, distinct } = await engine.facet(view.id, { filters, column: name, limit }, signal);
      return { distinct, values: values.map(({ value, count }) => ({ value: toBytes(value), count })) };
    },
    ({ values }) => values.reduce((bytes, { value }) => bytes + value.length + 32, 0),
  );
}

/** Without filters the counts are known: the pack has them. */
function countedFacet(column: PackedColumn, counts: Uint32Array, limit: number): Facet {
  const best: number[] = [];
  let least = 0; // Count of the last of the best, once there are enough of them.
  let distinct = 0;
  for (let code = 0; code < counts.length; code++) {
    const count = counts[code]!;
    if (count === 0) continue;
    distinct++;
    if (best.length >= limit && count <= least) continue; // Of equal counts the lower value stays.
    best.push(code);
    if (best.length < limit * 2) continue;
    cut(best, counts, limit);
    least = counts[best[limit - 1]!]!;
  }
  cut(best, counts, limit);
  return { distinct, values: best.map((code) => ({ value: column.fragmentOf(code), count: counts[code]! })) };
}

function cut(codes: number[], counts: Uint32Array, limit: number): void {
  codes.sort((one, other) => counts[other]! - counts[one]! || one - other);
  codes.splice(limit);
}

const printFacet = ({ values, distinct }: Facet): string =>
  `{"distinct":${distinct},"values":[${values.map(({ value, count }) => `{"value":${value},"count":${count}}`).join(",")}]}`;

/** Columns and number of values, described. */
export function facetsParameters(view: DatasetView): readonly ApiParameter[] {
  return [
    {
      name: "columns",
      in: "query",
      description: `Columns whose values are counted, at most ${facetColumnsMax}. Default: those of at most ${defaultDistinctMax} different values.`,
      schema: {
        type: "array",
        items: { type: "string", enum: view.columns.filter(isFacet).map(({ name }) => name) },
        minItems: 1,
        maxItems: facetColumnsMax,
        uniqueItems: true,
      },
      isList: true,
    },
    {
      name: "limit",
      in: "query",
      description: "Values of each column, the commonest first.",
      schema: {
        type: "integer",
        minimum: facetValues.min,
        maximum: facetValues.max,
        default: facetValues.default,
      },
    },
  ];
}
