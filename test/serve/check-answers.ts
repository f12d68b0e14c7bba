/** Answers beside the same questions worked out in memory. */
import { expect } from "vitest";
import type { PublishedColumn } from "../../src/model/dataset-manifest.ts";
import { jsonOf } from "./naive-values.ts";
import type { TestApi } from "./open-test-api.ts";
import type { RandomDataset } from "./random-datasets.ts";
import {
  address,
  type Parameter,
  type RandomFilter,
  type RandomGroups,
  type RandomRows,
} from "./random-queries.ts";
import { type JsonRow, readArrow, readCsv, readLines, readParquet } from "./read-files.ts";

const path = "/datasets/random";

/** How a query is asked: the format, and how lists are encoded. */
export type Asking = Readonly<{ format: string; encodesCommas: boolean; asEnding: boolean }>;
export const formats = ["json", "ndjson", "csv", "parquet", "arrow"] as const;
const accepts: Readonly<Record<string, string>> = {
  json: "application/json",
  ndjson: "application/x-ndjson",
  csv: "text/csv",
  parquet: "application/vnd.apache.parquet",
  arrow: "application/vnd.apache.arrow.file",
};

const nextOf = (link: string | undefined): string | undefined =>
  link === undefined ? undefined : /^<(.+)>; rel="next"$/.exec(link)![1];

/** Keys in their order count as well. */
const entries = (rows: readonly JsonRow[]): unknown[] => rows.map((row) => Object.entries(row));

async function readRows(
  format: string,
  answer: Awaited<ReturnType<TestApi["get"]>>,
  columns: readonly PublishedColumn[],
): Promise<readonly JsonRow[]> {
  if (format === "csv") return readCsv(answer.text, columns);
  if (format === "ndjson") return readLines(answer.text);
  if (format === "parquet") return await readParquet(answer.bytes, columns);
  if (format === "arrow") return readArrow(answer.bytes, columns);
  const body = answer.json<{ rows: JsonRow[] } | JsonRow[]>();
  return Array.isArray(body) ? body : body.rows;
}

/** Rows page by page to the last, and as an export. */
export async function checkRows(
  api: TestApi,
  { schema, table }: RandomDataset,
  { filters, sort, columns, limit, offset }: RandomRows,
  { format, encodesCommas, asEnding }: Asking,
): Promise<void> {
  const shown = columns.length === 0 ? schema.columns.map((_, at) => at) : columns;
  const parameters: Parameter[] = filters.map(({ parameter }) => parameter);
  const nameOf = (at: number): string => schema.columns[at]!.name;
  if (columns.length > 0) parameters.push({ name: "columns", value: columns.map(nameOf) });
  if (sort.length > 0)
    parameters.push({
      name: "sort",
      value: sort.map(({ column, isDescending }) => `${isDescending ? "-" : ""}${nameOf(column)}`),
    });
  const found = table.select(filtersOf(filters), sort);
  const wanted = table.toJson(found, shown);
  const published = shown.map((at) => schema.columns[at]!);
  const ask = async (place: string, own: readonly Parameter[]): ReturnType<TestApi["get"]> => {
    const url = address(`${path}/${place}${asEnding ? `.${format}` : ""}`, own, encodesCommas);
    return await api.get(url, asEnding ? {} : { accept: accepts[format]! });
  };
  const rest = wanted.slice(offset);
  const page = [
    { name: "limit", value: String(limit) },
    ...(offset > 0 ? [{ name: "offset", value: String(offset) }] : []),
  ];
  let answer = await ask("rows", [...parameters, ...page]);
  const pages: JsonRow[] = [];
  for (let number = 0; ; number++) {
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get("leat-total")).toBe(String(wanted.length));
    const rows = await readRows(format, answer, published);
    expect(rows.length, JSON.stringify([format, sort, filters, offset, number])).toBe(
      Math.min(limit, rest.length - pages.length),
    );
    pages.push(...rows);
    const next = nextOf(answer.headers.get("link"));
    expect(next === undefined).toBe(pages.length === rest.length);
    if (format === "json") expect(answer.json<{ next: string | null }>().next).toBe(next ?? null);
    if (next === undefined) break;
    expect(number).toBeLessThan(wanted.length);
    answer = await api.get(next, asEnding ? {} : { accept: accepts[format]! });
  }
  expect(entries(pages)).toEqual(entries(rest));
  const whole = await ask("export", parameters);
  expect(whole.status, whole.text).toBe(200);
  expect(entries(await readRows(format, whole, published))).toEqual(entries(wanted));
}

const filtersOf = (filters: readonly RandomFilter[]): RandomFilter["filter"][] =>
  filters.map(({ filter }) => filter);

/** Counts of each column's values. */
export async function checkFacets(
  api: TestApi,
  { schema, table }: RandomDataset,
  { filters, limit }: RandomRows,
  { encodesCommas }: Asking,
): Promise<void> {
  const columns = schema.columns.flatMap(({ type }, at) => (type === "json" ? [] : [at]));
  const parameters: Parameter[] = [
    ...filters.map(({ parameter }) => parameter),
    { name: "columns", value: columns.map((at) => schema.columns[at]!.name) },
    { name: "limit", value: String(Math.min(limit, 1000)) },
  ];
  const answer = await api.get(address(`${path}/facets`, parameters, encodesCommas));
  expect(answer.status, answer.text).toBe(200);
  const wanted = Object.fromEntries(
    columns.map((at) => [
      schema.columns[at]!.name,
      table.facet(filtersOf(filters), at, Math.min(limit, 1000)),
    ]),
  );
  expect(answer.json<{ facets: unknown }>().facets).toEqual(wanted);
}

/** Groups page by page to the last. */
export async function checkGroups(
  api: TestApi,
  { schema, table }: RandomDataset,
  { filters, groups, measures, limit }: RandomGroups,
  { encodesCommas }: Asking,
): Promise<void> {
  const groupNames = groups.map(({ column, part }) => {
    const { name } = schema.columns[column]!;
    return part === undefined ? name : `${name}.${part}`;
  });
  const measureNames = measures.map(({ measure, column }) =>
    column < 0 ? measure : `${measure}(${schema.columns[column]!.name})`,
  );
  const parameters: Parameter[] = filters.map(({ parameter }) => parameter);
  if (groups.length > 0) parameters.push({ name: "by", value: groupNames });
  parameters.push({ name: "values", value: measureNames }, { name: "limit", value: String(limit) });
  const wanted = table
    .aggregate(filtersOf(filters), groups, measures)
    .map(({ keys, measures: told }) => [
      ...groups.map(({ column }, at) => [groupNames[at], jsonOf(schema.columns[column]!, keys[at]!)]),
      ...measureNames.map((name, at) => [name, told[at]]),
    ]);
  const pages: unknown[] = [];
  let next: string | null = address(`${path}/aggregate`, parameters, encodesCommas);
  while (next !== null) {
    const answer = await api.get(next);
    expect(answer.status, answer.text).toBe(200);
    const body: { rows: JsonRow[]; next: string | null; total: number } = answer.json();
    expect(body.total).toBe(wanted.length);
    pages.push(...body.rows.map(Object.entries));
    expect(pages.length).toBeLessThanOrEqual(wanted.length);
    next = body.next;
  }
  const inexact = new Set(
    measures.flatMap(({ measure, column }, at) => {
      const isDouble = column >= 0 && schema.columns[column]!.type === "double";
      return /^(avg|median|p[0-9]+)$/.test(measure) || (measure === "sum" && isDouble)
        ? [measureNames[at]!]
        : [];
    }),
  );
  expect(toClose(pages, inexact)).toEqual(toClose(wanted, inexact));
}

/** Means and sums of doubles depend on the order of the work in their last digits; what is no number is its name. */
const toClose = (rows: readonly unknown[], inexact: ReadonlySet<string>): unknown =>
  (rows as readonly (readonly [string, unknown])[][]).map(
    (
      row, // Entries, as both sides make them.
    ) =>
      row.map(([name, value]) => {
        if (typeof value !== "number" || !inexact.has(name)) return [name, value];
        return [name, Number.isFinite(value) ? Number(value.toPrecision(10)) : String(value)];
      }),
  );
