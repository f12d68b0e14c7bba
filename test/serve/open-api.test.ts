/** The OpenAPI document: valid, complete, and true of what is answered. */
import { validate } from "@scalar/openapi-parser";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineApi } from "../../src/serve/define-api.ts";
import { deathsApi, deathsRows, deathsSchema } from "./deaths-api.ts";
import { openTestApi, type TestApi } from "./open-test-api.ts";
import { column, type Row, schemaOf } from "./published-versions.ts";
import { poolOf, typeNames } from "./random-datasets.ts";

type Parameter = Readonly<{
  name: string;
  in: string;
  schema: Record<string, unknown>;
  example?: unknown;
  required?: boolean;
}>;
type Operation = Readonly<{
  operationId: string;
  parameters: Parameter[];
  responses: Readonly<Record<string, { content?: Record<string, { schema: object }> }>>;
}>;
type Document = Readonly<{
  openapi: string;
  info: object;
  paths: Readonly<Record<string, { get: Operation }>>;
  components: { schemas: Readonly<Record<string, Record<string, unknown>>> };
}>;

/** A column of every type. */
const allTypes = schemaOf(
  [column("id", "bigint"), ...typeNames.map((type) => column(type, type, { isNullable: true }))],
  { description: "A column of every type." },
);
const rows: Row[] = Array.from({ length: 60 }, (_, row) => [
  String(row),
  ...typeNames.map((type) => (row % 7 === 0 ? null : poolOf(type)[row % poolOf(type).length]!)),
]);
const spec = defineApi({
  ...deathsApi,
  licence: { name: "OGL", url: "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/" },
  contact: { name: "Statistics", email: "statistics@example.org" },
  datasets: ["deaths", "types"],
  routes: [
    {
      path: "/year/{year}/geo_code/{geo_code}",
      dataset: "deaths",
      shape: "map",
      key: "month",
      value: "deaths",
    },
    { path: "/area/{area}", dataset: "deaths", shape: "rows", parameters: { area: "geo_code" } },
    { path: "/figure/{geo_code}/{month}", dataset: "deaths", shape: "single" },
  ],
} as Parameters<typeof defineApi>[0]); // What the API was declared with, and more.

let api: TestApi;
let document: Document;
let ajv: Ajv2020;
beforeAll(async () => {
  api = await openTestApi(spec);
  await api.published.publish("deaths", deathsSchema, deathsRows(20));
  await api.published.publish("types", allTypes, rows);
  await api.refresh();
  document = (await api.get("/openapi.json")).json<Document>();
  ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, "api");
});
afterAll(async () => await api[Symbol.asyncDispose]());

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).map(([path, { get }]) => [path, get]);
const check = (pointer: string): ValidateFunction => ajv.compile({ $ref: `api#${pointer}` });
const pointerOf = (key: string): string =>
  encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"));

describe("the document", () => {
  test("is a valid one of OpenAPI 3.1", async () => {
    expect(document.openapi).toBe("3.1.0");
    const { valid, errors } = await validate(JSON.stringify(document));
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    expect(document).toEqual(api.api.openApi());
    expect(document.info).toMatchObject({
      license: { name: "OGL" },
      contact: { email: "statistics@example.org" },
    });
  });

  test("has every operation, friendly ones first, each with a name of its own", () => {
    const places = ["", "/rows", "/facets", "/aggregate", "/export", "/versions"];
    expect(Object.keys(document.paths)).toEqual([
      "/year/{year}/geo_code/{geo_code}",
      "/area/{area}",
      "/figure/{geo_code}/{month}",
      "/datasets",
      ...["deaths", "types"].flatMap((name) => places.map((place) => `/datasets/${name}${place}`)),
    ]);
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("has every parameter that is taken, and every parameter of it is taken", async () => {
    for (const [path, { parameters }] of operations()) {
      const names = parameters.map(({ name, in: place }) => `${place} ${name}`);
      expect(new Set(names).size, path).toBe(names.length);
      for (const { name, schema, example } of parameters.filter((one) => one.in === "query")) {
        const value = example ?? sampleOf(schema);
        if (name === "cursor" || value === undefined) continue;
        const text = Array.isArray(value)
          ? value.map(encodeURIComponent).join(",")
          : encodeURIComponent(String(value));
        const answer = await api.get(`${path}?${encodeURIComponent(name)}=${text}`);
        // A sort by a measure needs the measure beside it.
        const isAlone = path.endsWith("/aggregate") && name === "sort";
        expect(answer.status, `${path} ${name}=${text} ${answer.text}`).toBe(isAlone ? 400 : 200);
      }
    }
  });

  test("has examples from the data that fit their own schemas", () => {
    let count = 0;
    for (const [path, { parameters }] of operations())
      for (const [at, { name, example }] of parameters.entries()) {
        if (example === undefined) continue;
        count++;
        const fits = check(`/paths/${pointerOf(path)}/get/parameters/${at}/schema`);
        expect(fits(example), `${path} ${name} ${JSON.stringify([example, fits.errors])}`).toBe(true);
      }
    expect(count).toBeGreaterThan(20);
    for (const [name, { properties }] of Object.entries(document.components.schemas))
      for (const [key, value] of Object.entries(
        (properties ?? {}) as Record<string, { examples?: unknown[] }>,
      ))
        for (const example of value.examples ?? []) {
          const fits = check(`/components/schemas/${pointerOf(name)}/properties/${pointerOf(key)}`);
          expect(fits(example), `${name}.${key} ${JSON.stringify([example, fits.errors])}`).toBe(true);
          count++;
        }
    expect(count).toBeGreaterThan(30);
  });
});

/** A value that a schema lets through. */
function sampleOf(schema: Record<string, unknown>): unknown {
  const { type, enum: words, minItems, items, minimum, format, pattern } = schema;
  if (Array.isArray(words)) return words[0];
  if (type === "array") {
    const item = sampleOf(items as Record<string, unknown>);
    return item === undefined ? undefined : Array.from({ length: Number(minItems ?? 1) }, () => item);
  }
  if (type === "boolean") return true;
  if (type === "integer" || type === "number") return minimum ?? 1;
  if (format === "date") return "2018-01-31";
  if (format === "date-time") return "2018-01-31T06:30:00Z";
  if (typeof pattern === "string")
    return ["2018-01-31T06:30:00", "1", "1.5"].find((text) => new RegExp(pattern, "u").test(text));
  return "a";
}

describe("answers", () => {
  const answered = [
    ["/year/{year}/geo_code/{geo_code}", "/year/2018/geo_code/E00000003"],
    ["/area/{area}", "/area/E00000003"],
    ["/figure/{geo_code}/{month}", "/figure/E00000003/2018-01-31"],
    ["/datasets", "/datasets"],
    ...["deaths", "types"].flatMap((name) => [
      [`/datasets/${name}`, `/datasets/${name}`],
      [`/datasets/${name}/rows`, `/datasets/${name}/rows?limit=60`],
      [
        `/datasets/${name}/rows`,
        `/datasets/${name}/rows?limit=3&sort=-${name === "types" ? "id" : "deaths"}`,
      ],
      [`/datasets/${name}/facets`, `/datasets/${name}/facets`],
      [`/datasets/${name}/versions`, `/datasets/${name}/versions`],
      [`/datasets/${name}/export`, `/datasets/${name}/export`],
    ]),
    ["/datasets/deaths/aggregate", "/datasets/deaths/aggregate?by=month.year&values=sum(deaths),count"],
  ];

  test.each(answered)("of %s fit their schema: %s", async (path, url) => {
    const answer = await api.get(url!);
    expect(answer.status).toBe(200);
    const fits = check(
      `/paths/${pointerOf(path!)}/get/responses/200/content/${pointerOf("application/json")}/schema`,
    );
    expect(fits(answer.json()), JSON.stringify(fits.errors?.slice(0, 3))).toBe(true);
  });

  test("have a media type that the document names, in every format", async () => {
    for (const [path, { responses }] of operations().filter(([path]) => path.startsWith("/datasets/deaths")))
      for (const type of Object.keys(responses["200"]!.content!)) {
        const answer = await api.get(path, { accept: type });
        expect([answer.status, answer.headers.get("content-type")!.split(";")[0]], path).toEqual([200, type]);
      }
  });

  test("that are problems fit theirs", async () => {
    const fits = check("/components/schemas/Problem");
    for (const url of [
      "/datasets/birds",
      "/datasets/deaths/rows?x=1",
      "/year/x/geo_code/y",
      "/datasets/deaths/rows?cursor=1",
    ])
      expect(fits((await api.get(url)).json()), JSON.stringify(fits.errors)).toBe(true);
  });
});
