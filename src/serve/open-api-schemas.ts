/** Schemas of answers that are alike in every API. */
import type { JsonObject } from "../model/json-value.ts";
import { problemKinds } from "./problem.ts";

const text: JsonObject = { type: "string" };
const optionalText: JsonObject = { type: ["string", "null"] };
const count: JsonObject = { type: "integer", minimum: 0 };
const texts: JsonObject = { type: "array", items: text };

/** An object, all of whose members are there. */
const object = (properties: Readonly<Record<string, JsonObject>>): JsonObject => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});

const summary = {
  name: text,
  description: text,
  licence: optionalText,
  version: text,
  shortVersion: text,
  rowCount: count,
  columnCount: count,
  builtAt: { type: "string", format: "date-time" },
  url: text,
} as const satisfies Readonly<Record<string, JsonObject>>;

const column = object({
  name: text,
  type: text,
  isNullable: { type: "boolean" },
  description: optionalText,
  unit: optionalText,
  examples: { type: "array" },
  nullCount: count,
  distinctCount: { type: ["integer", "null"] },
  min: {},
  max: {},
});

const lineage = object({
  fileCount: count,
  files: { type: "array", items: object({ name: text, sha256: text, rows: count }) },
  streams: texts,
  code: optionalText,
  leat: text,
});

const quality = object({
  name: text,
  rule: text,
  severity: { type: "string", enum: ["error", "warn"] },
  isPassed: { type: "boolean" },
  checked: count,
  failed: count,
});

export const fixedSchemas: Readonly<Record<string, JsonObject>> = {
  Problem: {
    ...object({
      type: { type: "string", enum: Object.keys(problemKinds).map((kind) => `urn:leat:problem:${kind}`) },
      title: text,
      status: { type: "integer" },
      detail: { type: "string", description: "What is wrong here." },
    }),
    description: "A problem as of RFC 9457.",
  },
  DatasetList: object({ datasets: { type: "array", items: object(summary) } }),
  Dataset: object({
    ...summary,
    key: texts,
    sort: texts,
    columns: { type: "array", items: column },
    freshness: object({
      builtAt: { type: "string", format: "date-time" },
      newest: {
        type: "object",
        description: "The newest value of columns of dates and times.",
        additionalProperties: text,
      },
    }),
    lineage,
    quality: { type: "array", items: quality },
    parts: { type: "array", items: object({ url: text, rows: count, bytes: count, sha256: text }) },
    links: { type: "object" },
  }),
  Versions: object({
    dataset: text,
    versions: {
      type: "array",
      items: object({
        version: text,
        shortVersion: text,
        number: count,
        rowCount: count,
        builtAt: { type: "string", format: "date-time" },
        isKept: { type: "boolean" },
        url: optionalText,
      }),
    },
  }),
  Facets: object({
    dataset: text,
    version: text,
    facets: {
      type: "object",
      additionalProperties: object({
        distinct: count,
        values: { type: "array", items: object({ value: {}, count }) },
      }),
    },
  }),
};
