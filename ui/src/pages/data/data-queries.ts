/** Questions about datasets and their versions. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type {
  GetApiDatasetsByIdDiffResponse,
  GetApiDatasetsByIdVersionsResponse,
  GetApiDatasetsResponse,
} from "../../api/types.gen.ts";
import { type Query, request } from "../../client/request.ts";

export type DatasetLine = GetApiDatasetsResponse["datasets"][number];
export type Version = GetApiDatasetsByIdVersionsResponse["versions"][number];

/** Versions that are listed: a dataset that is built each day has them for months. */
const versionsMax = 200;

const part = encodeURIComponent;

export const versionsQuery = (name: string, limit: number = versionsMax) =>
  queryOptions({
    queryKey: ["versions", name, limit],
    queryFn: ({ signal }) =>
      request<GetApiDatasetsByIdVersionsResponse>(`datasets/${part(name)}/versions`, {
        query: { limit },
        signal,
      }),
  });

/** Rows of each kind of change that are shown. */
const samplesMax = 100;

export const diffQuery = (name: string, before: string, after: string) =>
  queryOptions({
    queryKey: ["diff", name, before, after],
    queryFn: ({ signal }) =>
      request<GetApiDatasetsByIdDiffResponse>(`datasets/${part(name)}/diff`, {
        query: { before, after, samples: samplesMax },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY, // Versions do not change.
  });

export type Groups = Readonly<{ total: number; rows: readonly Readonly<Record<string, unknown>>[] }>;

export const groupsQuery = (name: string, query: Query) =>
  queryOptions({
    queryKey: ["groups", name, query],
    queryFn: ({ signal }) => request<Groups>(`data/datasets/${part(name)}/aggregate`, { query, signal }),
    placeholderData: keepPreviousData,
  });
