/**
 * The OpenAPI 3.1 document of an API, made of the same parameters that requests are read with and of the schemas of the
 * versions that are served; examples are values of the data.
 */
import type { JsonObject, JsonValue } from "../model/json-value.ts";
import type { ApiSpec, RouteSpec } from "../ports/api-spec.ts";
import { aggregateParameterNames, aggregateParameters } from "./aggregate-request.ts";
import { type AnswerFormat, answerFormats } from "./answer-format.ts";
import type { ApiParameter } from "./api-parameter.ts";
import type { DatasetView, ViewColumn } from "./dataset-view.ts";
import { facetsParameterNames, facetsParameters } from "./facets-answer.ts";
import { routeFormats } from "./friendly-route.ts";
import { fixedSchemas } from "./open-api-schemas.ts";
import { tableFormats } from "./rows-answer.ts";
import {
  exampleOf,
  exportParameterNames,
  filterParameters,
  offsetParameter,
  pageParameters,
  rowsParameterNames,
  selectionParameters,
} from "./rows-request.ts";

/** Describes an API over these versions, in the order of its declaration. */
export function describeApi(spec: ApiSpec, views: readonly DatasetView[]): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of spec.routes) {
    const view = views.find(({ dataset }) => dataset === route.dataset);
    if (view !== undefined) paths[route.path] = routePath(route, view);
  }
  paths["/datasets"] = operation("listDatasets", "Datasets", "datasets", [], jsonAnswer(ref("DatasetList")));
  for (const view of views) Object.assign(paths, datasetPaths(view));
  const { licence, contact } = spec;
  return {
    openapi: "3.1.0",
    info: {
      title: spec.title,
      description: spec.description,
      version: spec.version,
      ...(licence !== undefined && {
        license: { name: licence.name, ...(licence.url !== undefined && { url: licence.url }) },
      }),
      ...(contact !== undefined && { contact }),
    },
    servers: [{ url: "/" }],
    tags: [
      ...(spec.routes.length > 0 ? [{ name: "routes", description: "The first questions." }] : []),
      { name: "datasets", description: "What there is." },
      ...views.map(({ dataset, manifest }) => ({ name: dataset, description: manifest.schema.description })),
    ],
    paths,
    components: {
      schemas: {
        ...fixedSchemas,
        ...Object.fromEntries(views.map((view) => [rowName(view), rowSchema(view)])),
      },
      responses: {
        Problem: {
          description: "What is wrong, and what could be asked instead.",
          content: { "application/problem+json": { schema: ref("Problem") } },
        },
      },
    },
  };
}

const ref = (schema: string): JsonObject => ({ $ref: `#/components/schemas/${schema}` });

/** A name that components may have. */
const rowName = ({ dataset }: DatasetView): string => `${dataset.replace(/[^A-Za-z0-9._-]/g, "_")}_row`;

/** Columns of an object, all of which are there. */
function objectSchema(
  columns: readonly ViewColumn[],
  more: Readonly<Record<string, JsonObject>> = {},
): JsonObject {
  const properties = {
    ...more,
    ...Object.fromEntries(columns.map((column) => [column.name, cellSchema(column)])),
  };
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

const rowSchema = (view: DatasetView): JsonObject => ({
  ...objectSchema(view.columns),
  // A request may choose columns.
  required: [],
});

/** Values of a column, as answers have them. */
function cellSchema(
  { published, packed }: ViewColumn,
  isNullable = packed.nullCount > 0 || published.isNullable,
): JsonObject {
  const { description, unit } = published;
  const example = exampleOf({ name: published.name, published, packed });
  const told = [description, unit === null ? null : `Unit: ${unit}.`]
    .filter((text) => text !== null)
    .join(" ");
  return {
    ...answerSchema(packed.isUsual ? packed.kind.answer : packed.kind.anyAnswer, isNullable),
    ...(told !== "" && { description: told }),
    ...(example !== undefined && { examples: [example] }),
  };
}

/** A schema that lets null through as well. */
function answerSchema(schema: JsonObject, isNullable: boolean): JsonObject {
  const { type } = schema;
  if (!isNullable || type === undefined) return schema;
  return { ...schema, type: [...(Array.isArray(type) ? (type as string[]) : [type as string]), "null"] }; // A schema's `type` is one or several names.
}

function routePath(route: RouteSpec, view: DatasetView): JsonObject {
  const parameters = route.segments.flatMap((segment): ApiParameter[] => {
    if (!("column" in segment)) return [];
    const column = view.find(segment.column)!; // The version was checked against its routes.
    const { published, packed } = column;
    return [
      {
        name: segment.parameter,
        in: "path",
        description: published.description ?? segment.column,
        schema:
          packed.kind.type === "text" ? { ...packed.kind.parameter, minLength: 1 } : packed.kind.parameter,
        example: exampleOf(column),
      },
    ];
  });
  const schema = routeSchema(route, view);
  const content = { "application/json": { schema }, ...textContent(routeFormats) };
  const id = `get_${route.path.replace(/[^A-Za-z0-9]+/g, "_").replace(/^_|_$/g, "")}`;
  return operation(
    id,
    route.summary ?? `${view.dataset} by ${parameters.map(({ name }) => name).join(" and ")}`,
    "routes",
    parameters,
    content,
  );
}

function routeSchema({ segments, shape }: RouteSpec, view: DatasetView): JsonObject {
  const find = (name: string): ViewColumn => view.find(name)!; // Likewise.
  const taken = segments.flatMap((segment) => ("column" in segment ? [segment.column] : []));
  const parameters = Object.fromEntries(
    segments.flatMap((segment) =>
      "column" in segment ? [[segment.parameter, cellSchema(find(segment.column), false)]] : [],
    ),
  );
  if (shape.shape === "map") {
    const data = {
      type: "object",
      description: `${shape.value} by ${shape.key}, in order`,
      additionalProperties: cellSchema(find(shape.value)),
    };
    return objectSchema([], { ...parameters, data });
  }
  const columns = (shape.columns ?? view.names.filter((name) => !taken.includes(name))).map(find);
  if (shape.shape === "single") return objectSchema(columns, parameters);
  return objectSchema([], { ...parameters, rows: { type: "array", items: objectSchema(columns) } });
}

function datasetPaths(view: DatasetView): Record<string, JsonObject> {
  const { dataset } = view;
  const base = `/datasets/${dataset}`;
  const id = dataset.replace(/[^A-Za-z0-9]+/g, "_");
  const table = (schema: JsonObject): JsonObject => ({
    "application/json": { schema },
    ...textContent(tableFormats),
  });
  const filters = (known: readonly string[]): readonly ApiParameter[] => filterParameters(view, known);
  const page = { ...objectSchema([], { ...pageFacts, rows: { type: "array", items: ref(rowName(view)) } }) };
  const groups = {
    ...objectSchema([], { ...pageFacts, rows: { type: "array", items: { type: "object" } } }),
  };
  return {
    [base]: operation(
      `describe_${id}`,
      `What ${dataset} is: columns, version, lineage`,
      dataset,
      [],
      jsonAnswer(ref("Dataset")),
    ),
    [`${base}/rows`]: operation(
      `rows_${id}`,
      `Rows of ${dataset}, page by page`,
      dataset,
      [...selectionParameters(view), ...pageParameters, offsetParameter, ...filters(rowsParameterNames)],
      table(page),
    ),
    [`${base}/facets`]: operation(
      `facets_${id}`,
      `The commonest values of columns of ${dataset}`,
      dataset,
      [...facetsParameters(view), ...filters(facetsParameterNames)],
      jsonAnswer(ref("Facets")),
    ),
    [`${base}/aggregate`]: operation(
      `aggregate_${id}`,
      `Groups of ${dataset} with counts, sums, means and quantiles`,
      dataset,
      [...aggregateParameters(view), ...pageParameters, ...filters(aggregateParameterNames)],
      table(groups),
    ),
    [`${base}/export`]: operation(
      `export_${id}`,
      `All rows of ${dataset}, or all that filters let through, in one file`,
      dataset,
      [...selectionParameters(view), ...filters(exportParameterNames)],
      {
        "application/json": { schema: { type: "array", items: ref(rowName(view)) } },
        ...textContent(tableFormats),
      },
    ),
    [`${base}/versions`]: operation(
      `versions_${id}`,
      `Versions of ${dataset}, newest first`,
      dataset,
      [],
      jsonAnswer(ref("Versions")),
    ),
  };
}

/** What a page tells beside its rows. */
const pageFacts: Readonly<Record<string, JsonObject>> = {
  dataset: { type: "string" },
  version: { type: "string" },
  total: { type: "integer", description: "Rows or groups on all pages together." },
  next: { type: ["string", "null"], description: "Address of the next page." },
};

const jsonAnswer = (schema: JsonObject): JsonObject => ({ "application/json": { schema } });

/** Formats that are not described further: text and files. */
function textContent(formats: readonly AnswerFormat[]): JsonObject {
  const others = formats.filter((format) => format !== "json");
  return Object.fromEntries(
    others.map((format) => [answerFormats[format].mediaType, { schema: contentSchema(format) }]),
  );
}

const contentSchema = (format: AnswerFormat): JsonObject =>
  format === "csv" || format === "ndjson"
    ? { type: "string" }
    : { type: "string", contentMediaType: answerFormats[format].mediaType, contentEncoding: "binary" };

function operation(
  operationId: string,
  summary: string,
  tag: string,
  parameters: readonly ApiParameter[],
  content: JsonObject,
): JsonObject {
  return {
    get: {
      operationId,
      summary,
      tags: [tag],
      parameters: parameters.map(printParameter),
      responses: {
        "200": { description: "Found.", content },
        "304": { description: "The client has it already." },
        default: { $ref: "#/components/responses/Problem" },
      },
    },
  };
}

function printParameter({ name, in: place, description, schema, isList, example }: ApiParameter): JsonObject {
  return {
    name,
    in: place,
    description,
    ...(place === "path" && { required: true }),
    schema,
    ...(isList === true && { style: "form", explode: false }),
    ...(example !== undefined && { example: example as JsonValue }),
  };
}
