/** Where rows come from: a published dataset, or the table of a stream in the warehouse. Both look alike to pages. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { GetApiStreamsByIdFacetsResponse, GetApiStreamsByIdRowsResponse } from "../../api/types.gen.ts";
import { apiHref, type Query, request } from "../../client/request.ts";
import { printFilter, type RowFilter } from "./row-filter.ts";

export type RowColumn = Readonly<{ name: string; type: string; about?: string | undefined }>;

/** A row's values in the order of the columns. */
export type RowValues = readonly unknown[];

export type RowPage = Readonly<{
  columns: readonly RowColumn[];
  rows: readonly RowValues[];
  /** Rows that match in all. */
  total: number;
}>;

export type RowsAsked = Readonly<{ filters: readonly RowFilter[]; sort: string | undefined }>;

export type Facet = Readonly<{
  distinct: number | undefined;
  values: readonly Readonly<{ value: unknown; count: number }>[];
}>;

export type RowSource = Readonly<{
  /** Names it among all that are kept. */
  key: readonly unknown[];
  /** Rows from a place on, which counts from 0. */
  readPage: (asked: RowsAsked, from: number, signal: AbortSignal) => Promise<RowPage>;
  /** Rows that can be gone to; `undefined`: all. */
  reachMax?: number;
  readFacet: (column: string, asked: RowsAsked, signal: AbortSignal) => Promise<Facet>;
  exportHref: (format: ExportFormat, asked: RowsAsked) => string;
  /** Address of the rows, for programs. */
  rowsHref: (asked: RowsAsked) => string;
  formats: readonly ExportFormat[];
}>;

export type ExportFormat = "csv" | "ndjson" | "json" | "parquet" | "arrow";

/** Rows of one window. */
export const windowRows = 200;

const facetValues = 50;

/** Rows that any dataset has at most: the server numbers them with 32 bits. */
export const rowsMost: number = 2 ** 32 - 2;

/** How long windows that nobody looks at are kept, ms: for going back and forth. Those of a long way are soon gone. */
const keptMs = 10_000;

const part = encodeURIComponent;

/** What the data API says of a dataset. */
export type DatasetFacts = Readonly<{
  name: string;
  description: string | null;
  licence: string | null;
  version: string;
  shortVersion: string;
  rowCount: number;
  builtAt: string;
  /** The server has the first rows and is still reading the others: what takes them all is answered when they are there. */
  loading?: boolean;
  key: readonly string[];
  columns: readonly DatasetColumn[];
  parts: readonly Readonly<{ url: string; rows: number; bytes: number }>[];
}>;

export type DatasetColumn = Readonly<{
  name: string;
  type: string;
  isNullable: boolean;
  description: string | null;
  unit: string | null;
  nullCount: number | null;
  distinctCount: number | null;
  min: unknown;
  max: unknown;
}>;

/** Pause between looks whether a version is there as a whole, ms. */
const loadingMs = 1000;

export const factsQuery = (name: string) =>
  queryOptions({
    queryKey: ["dataset", name],
    queryFn: ({ signal }) => request<DatasetFacts>(`data/datasets/${part(name)}`, { signal }),
    refetchInterval: ({ state }) => (state.data?.loading === true ? loadingMs : false),
  });

type DatasetRows = Readonly<{
  total: number;
  rows: readonly Readonly<Record<string, unknown>>[];
}>;

type DatasetFacets = Readonly<{
  facets: Readonly<Record<string, Readonly<{ distinct: number; values: Facet["values"] }>>>;
}>;

/** Conditions as the data API takes them: a parameter each. */
export function toParameters({ filters, sort }: RowsAsked): Query {
  const query: Record<string, string | string[]> = {};
  for (const { column, operator, value } of filters) {
    const name = `${column}.${operator}`;
    const before = query[name];
    query[name] = before === undefined ? value : [before, value].flat();
  }
  return { ...query, ...(sort !== undefined && { sort }) };
}

export function datasetSource(facts: DatasetFacts): RowSource {
  const base = `data/datasets/${part(facts.name)}`;
  return {
    key: ["dataset", facts.name, facts.version],
    formats: ["csv", "ndjson", "json", "parquet", "arrow"],
    readPage: async (asked, from, signal) => {
      const query = { ...toParameters(asked), limit: windowRows, ...(from > 0 && { offset: from }) };
      const page = await request<DatasetRows>(`${base}/rows`, { query, signal });
      return {
        columns: facts.columns.map(({ name, type, description }) => ({
          name,
          type,
          about: description ?? undefined,
        })),
        rows: page.rows.map((row) => facts.columns.map(({ name }) => row[name])),
        total: page.total,
      };
    },
    readFacet: async (column, { filters }, signal) => {
      // The values of a column are shown whatever is chosen of them: so that more can be.
      const others = filters.filter((one) => one.column !== column);
      const query = {
        ...toParameters({ filters: others, sort: undefined }),
        columns: column,
        limit: facetValues,
      };
      const { facets } = await request<DatasetFacets>(`${base}/facets`, { query, signal });
      return facets[column] ?? { distinct: 0, values: [] };
    },
    exportHref: (format, asked) => apiHref(`${base}/export.${format}`, toParameters(asked)),
    rowsHref: (asked) => apiHref(`${base}/rows`, toParameters(asked)),
  };
}

/** Which rows of a stream's table. */
export type TableScope = Readonly<{
  stream: string;
  of: "landed" | "current";
  tenant: string | undefined;
  seq: number | undefined;
}>;

/** Rows of a stream's table that can be gone to: the server passes over no more. */
const tableReachMax = 1_000_000;

export function tableSource({ stream, ...scope }: TableScope): RowSource {
  const base = `streams/${part(stream)}`;
  const toQuery = ({ filters, sort }: RowsAsked): Query => ({
    ...scope,
    filter: filters.map(printFilter),
    sort,
  });
  // Counting takes the warehouse a pass over the table: once for each choice of rows, and again at their beginning.
  const totals = new Map<string, number>();
  return {
    key: ["table", stream, scope],
    formats: ["csv", "ndjson"],
    reachMax: tableReachMax,
    readPage: async (asked, offset, signal) => {
      const chosen = JSON.stringify(asked.filters);
      const known = offset === 0 ? undefined : totals.get(chosen);
      const query = { ...toQuery(asked), limit: windowRows, offset, total: known === undefined };
      const page = await request<GetApiStreamsByIdRowsResponse>(`${base}/rows`, { query, signal });
      const total = page.total ?? known ?? offset + page.rows.length;
      totals.set(chosen, total);
      return { columns: page.columns, rows: page.rows, total };
    },
    readFacet: async (column, { filters }, signal) => {
      const others = filters.filter((one) => one.column !== column);
      const query = { ...toQuery({ filters: others, sort: undefined }), column, limit: facetValues };
      const { values } = await request<GetApiStreamsByIdFacetsResponse>(`${base}/facets`, { query, signal });
      return { distinct: undefined, values: values.map(({ value, count }) => ({ value, count })) };
    },
    exportHref: (format, asked) => apiHref(`${base}/export`, { ...toQuery(asked), format }),
    rowsHref: (asked) => apiHref(`${base}/rows`, toQuery(asked)),
  };
}

/** One window. With where it begins: the window before it is shown until this one is there. */
export const rowsQuery = (source: RowSource, asked: RowsAsked, from: number) =>
  queryOptions({
    queryKey: ["rows", ...source.key, asked, from],
    queryFn: async ({ signal }) => ({ from, ...(await source.readPage(asked, from, signal)) }),
    placeholderData: keepPreviousData,
    // Versions do not change, and tables are reloaded by people.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: keptMs,
  });

export const facetQuery = (source: RowSource, column: string, asked: RowsAsked) =>
  queryOptions({
    queryKey: ["facet", ...source.key, column, asked.filters],
    queryFn: ({ signal }) => source.readFacet(column, asked, signal),
    placeholderData: keepPreviousData,
  });
