/** Questions about runs. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { GetApiRunsByIdResponse, GetApiRunsResponse, Run } from "../api/types.gen.ts";
import { request } from "./request.ts";

export type RunFilter = Readonly<{
  flow?: string | undefined;
  deployment?: string | undefined;
  state?: readonly string[] | undefined;
  /** `24h`, `7d`: created since then. */
  since?: string | undefined;
  key?: string | undefined;
  /** Sub-flows as well as outermost runs. */
  tenant?: string | undefined;
  parent?: string | undefined;
}>;

/** Runs of one page of the list. */
const pageRuns = 100;

const spanUnits: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** ms of `24h`, `7d`; `undefined` for what is none. */
export function readSpan(span: string | undefined): number | undefined {
  const read = /^(\d{1,4})([mhd])$/.exec(span ?? "");
  const unit = spanUnits[read?.[2] ?? ""];
  return read === null || unit === undefined ? undefined : Number(read[1]) * unit;
}

/** The filter as the API takes it. */
function toQuery({ since, ...filter }: RunFilter): Record<string, string | readonly string[] | undefined> {
  const spanMs = readSpan(since);
  return {
    ...filter,
    // By the minute, so that the same view asks the same question for a while.
    created_from:
      spanMs === undefined
        ? undefined
        : new Date(Math.floor((Date.now() - spanMs) / 60_000) * 60_000).toISOString(),
  };
}

/** Runs, newest first, a page at a time. */
export const runsQuery = (filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ["runs", filter],
    queryFn: async ({ pageParam, signal }) => {
      const query = { ...toQuery(filter), limit: pageRuns, before: pageParam };
      return (await request<GetApiRunsResponse>("runs", { query, signal })).runs;
    },
    initialPageParam: undefined as string | undefined, // No run before the first page.
    getNextPageParam: (page) => (page.length < pageRuns ? undefined : page.at(-1)?.id),
    placeholderData: keepPreviousData,
  });

/** Runs of one page at most, as a timeline shows them. */
export const recentRunsQuery = (filter: RunFilter, limit: number) =>
  queryOptions({
    queryKey: ["runs", "recent", filter, limit],
    queryFn: async ({ signal }): Promise<readonly Run[]> =>
      (await request<GetApiRunsResponse>("runs", { query: { ...toQuery(filter), limit }, signal })).runs,
    placeholderData: keepPreviousData,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: ({ signal }) => request<GetApiRunsByIdResponse>(`runs/${encodeURIComponent(id)}`, { signal }),
  });
