/** Questions about sources, their streams, landed files and loads. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type {
  GetApiFilesPreviewResponse,
  GetApiFilesResponse,
  GetApiLoadsResponse,
  GetApiSourcesResponse,
  GetApiStreamsByIdLoadsResponse,
  GetApiStreamsByIdPackagesBySeqResponse,
  GetApiStreamsByIdPackagesResponse,
  GetApiStreamsByIdRejectsResponse,
  GetApiStreamsByIdSchemaResponse,
  GetApiStreamsByIdTenantsByTenantResponse,
  GetApiTreeResponse,
} from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";

/** A stream for one tenant, and how it stands. */
export type Standing = GetApiTreeResponse["sources"][number]["tenants"][number]["streams"][number];
export type SourceTree = GetApiTreeResponse["sources"][number];
export type Endpoint = GetApiStreamsByIdTenantsByTenantResponse;
export type LandedFile = GetApiFilesResponse["files"][number];
export type LandedPackage = GetApiStreamsByIdPackagesResponse["packages"][number];
export type Load = GetApiLoadsResponse["loads"][number];

/** A stream and tenant, as the API names them. */
export type StreamAt = Readonly<{ stream: string; tenant: string }>;

/** How often lateness, which only time brings, is asked again, ms. */
const againMs = 30_000;

/** Packages of one page of a list. */
const pagePackages = 50;

const part = encodeURIComponent;

export const treeQuery = (filter: Readonly<{ tenant?: string | undefined; source?: string | undefined }>) =>
  queryOptions({
    queryKey: ["tree", filter],
    queryFn: ({ signal }) => request<GetApiTreeResponse>("tree", { query: filter, signal }),
    refetchInterval: againMs,
    placeholderData: keepPreviousData,
  });

export const sourcesQuery = queryOptions({
  queryKey: ["sources"],
  queryFn: async ({ signal }) => (await request<GetApiSourcesResponse>("sources", { signal })).sources,
  staleTime: 60_000,
});

export const endpointQuery = ({ stream, tenant }: StreamAt) =>
  queryOptions({
    queryKey: ["endpoint", stream, tenant],
    queryFn: ({ signal }) => request<Endpoint>(`streams/${part(stream)}/tenants/${part(tenant)}`, { signal }),
    refetchInterval: againMs,
  });

/** Landed packages, newest first; edits of the cursor are among them. */
export const packagesQuery = ({ stream, tenant }: StreamAt) =>
  infiniteQueryOptions({
    queryKey: ["packages", stream, tenant],
    queryFn: async ({ pageParam, signal }) => {
      const query = { tenant, limit: pagePackages, before: pageParam };
      const path = `streams/${part(stream)}/packages`;
      return (await request<GetApiStreamsByIdPackagesResponse>(path, { query, signal })).packages;
    },
    initialPageParam: undefined as number | undefined, // No package before the first page.
    getNextPageParam: (page) => {
      const last = page.at(-1);
      return page.length < pagePackages || last === undefined || last.seq <= 1 ? undefined : last.seq;
    },
  });

export const packageQuery = ({ stream, tenant, seq }: StreamAt & Readonly<{ seq: number }>) =>
  queryOptions({
    queryKey: ["package", stream, tenant, seq],
    queryFn: ({ signal }) =>
      request<GetApiStreamsByIdPackagesBySeqResponse>(`streams/${part(stream)}/packages/${seq}`, {
        query: { tenant },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY, // A package never changes.
  });

/** Landed files, newest package first; with `seq` those of one package, however old it is. */
export const filesQuery = ({ stream, tenant }: StreamAt, seq?: number) =>
  infiniteQueryOptions({
    queryKey: ["files", stream, tenant, seq],
    queryFn: ({ pageParam, signal }) => {
      const query = { stream, tenant, limit: seq === undefined ? pagePackages : 1, before: pageParam };
      return request<GetApiFilesResponse>("files", { query, signal });
    },
    initialPageParam: (seq === undefined ? undefined : seq + 1) as number | undefined, // Of either kind.
    getNextPageParam: (page) => (seq === undefined ? (page.next_before ?? undefined) : undefined),
  });

/** One landed file: of a stream, a tenant and a package. */
export type FileAt = StreamAt & Readonly<{ seq: number; key: string }>;

export const previewQuery = (at: FileAt) =>
  queryOptions({
    queryKey: ["preview", at],
    queryFn: ({ signal }) => request<GetApiFilesPreviewResponse>("files/preview", { query: at, signal }),
    staleTime: Number.POSITIVE_INFINITY, // A landed file never changes.
  });

/** Loads that are listed: beyond them people narrow to a source or tenant. */
export const loadsMax = 200;

export const loadsQuery = (filter: Readonly<{ tenant?: string | undefined; source?: string | undefined }>) =>
  queryOptions({
    queryKey: ["loads", filter],
    queryFn: async ({ signal }) =>
      (await request<GetApiLoadsResponse>("loads", { query: { ...filter, limit: loadsMax }, signal })).loads,
    placeholderData: keepPreviousData,
  });

/** One load; `null`: the package is not in the warehouse. */
export const streamLoadQuery = ({ stream, tenant, seq }: StreamAt & Readonly<{ seq: number }>) =>
  queryOptions({
    queryKey: ["loads", stream, tenant, seq],
    queryFn: async ({ signal }) => {
      const query = { tenant, seq, limit: 1 };
      const path = `streams/${part(stream)}/loads`;
      return (await request<GetApiStreamsByIdLoadsResponse>(path, { query, signal })).loads[0] ?? null;
    },
  });

export const schemaQuery = (stream: string) =>
  queryOptions({
    queryKey: ["schema", stream],
    queryFn: ({ signal }) =>
      request<GetApiStreamsByIdSchemaResponse>(`streams/${part(stream)}/schema`, { signal }),
  });

/** Records of one package that fit no type, as many as one answer has. */
export const rejectsQuery = ({ stream, tenant, seq }: StreamAt & Readonly<{ seq: number }>) =>
  queryOptions({
    queryKey: ["rejects", stream, tenant, seq],
    queryFn: async ({ signal }) =>
      (
        await request<GetApiStreamsByIdRejectsResponse>(`streams/${part(stream)}/rejects`, {
          query: { tenant, seq, limit: 200 },
          signal,
        })
      ).rejects,
  });
