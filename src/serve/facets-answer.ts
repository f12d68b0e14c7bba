/** `/datasets/{name}/facets`: the commonest values of columns, with their counts. */
import type { Facet, QueryFilter } from "../ports/dataset-query.ts";
import { chooseFormat } from "./answer-format.ts";
import { type ApiAnswer, headerOf } from "./api-answer.ts";
import type { ApiAsk } from "./api-ask.ts";
import { type ApiParameter, QueryReader } from "./api-parameter.ts";
import { toBytes } from "./column-value.ts";
import { bestOf, type CountedFacet, planMasks } from "./count-facets.ts";
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
  const facets = await findFacets(context, view, columns, filters, limit, ask);
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

/** Where codes say it all they are counted, all columns in one pass; the rest is asked of the engine. */
async function findFacets(
  { engine, scanner, cache }: ServeContext,
  view: DatasetView,
  columns: readonly ViewColumn[],
  filters: readonly QueryFilter[],
  limit: number,
  ask: ApiAsk,
): Promise<readonly Facet[]> {
  const masks = planMasks(filters, (name) => view.column(name, name).packed);
  const isCoded = ({ packed }: ViewColumn): boolean => masks !== undefined && packed.codes !== undefined;
  const keep = (key: string, make: (signal: AbortSignal) => Promise<readonly Facet[]>) =>
    cache.find<readonly Facet[]>(`facet ${view.id} ${key}`, ask.request.signal, make, sizeOf);
  const coded = columns.filter(isCoded);
  const codedNames = coded.map(({ name }) => name);
  const scanned =
    coded.length === 0 || masks === undefined
      ? []
      : keep(JSON.stringify([codedNames, filters, limit]), async (signal) => {
          const counted =
            masks.length === 0
              ? coded.map(({ packed }) => bestOf(packed.counts!, limit)) // Counted when the version was loaded.
              : await scanner.count({ id: view.id, masks, columns: codedNames, limit }, signal);
          return counted.map((facet, at) => toFacet(coded[at]!.packed, facet));
        });
  const asked = columns
    .filter((column) => !isCoded(column))
    .map(({ name }) =>
      keep(JSON.stringify([name, filters, limit]), async (signal) => {
        const { values, distinct } = await engine.facet(view.id, { filters, column: name, limit }, signal);
        return [{ distinct, values: values.map(({ value, count }) => ({ value: toBytes(value), count })) }];
      }),
    );
  const [ofCodes, ...ofEngine] = await Promise.all([scanned, ...asked]);
  const [codedLeft, askedLeft] = [[...ofCodes], ofEngine.flat()];
  return columns.map((column) => (isCoded(column) ? codedLeft.shift()! : askedLeft.shift()!)); // One for each.
}

const toFacet = (column: PackedColumn, { distinct, codes, counts }: CountedFacet): Facet => ({
  distinct,
  values: codes.map((code, at) => ({ value: column.fragmentOf(code), count: counts[at]! })),
});

const sizeOf = (facets: readonly Facet[]): number =>
  facets.reduce((sum, { values }) => values.reduce((bytes, { value }) => bytes + value.length + 32, sum), 0);

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
