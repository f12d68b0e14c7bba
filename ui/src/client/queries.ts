/** Questions to the API that several pages ask, each with the key under which its answer is kept. */
import { type QueryKey, queryOptions } from "@tanstack/react-query";
import type {
  GetApiDatasetsResponse,
  GetApiDeploymentsResponse,
  GetApiFlowsResponse,
  GetApiSchedulesResponse,
  GetApiSessionResponse,
  GetApiTenantsResponse,
} from "../api/types.gen.ts";
import { request } from "./request.ts";

/** Answers that hardly change while somebody looks, ms. */
const slowMs = 60_000;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => request<GetApiSessionResponse>("session", { signal }),
  staleTime: slowMs,
});

export const tenantsQuery = queryOptions({
  queryKey: ["tenants"],
  queryFn: async ({ signal }) => (await request<GetApiTenantsResponse>("tenants", { signal })).tenants,
  staleTime: slowMs,
});

export const flowsQuery = queryOptions({
  queryKey: ["flows"],
  queryFn: async ({ signal }) => (await request<GetApiFlowsResponse>("flows", { signal })).flows,
  staleTime: slowMs,
});

export const deploymentsQuery = queryOptions({
  queryKey: ["deployments"],
  queryFn: async ({ signal }) =>
    (await request<GetApiDeploymentsResponse>("deployments", { signal })).deployments,
  staleTime: slowMs,
});

export const schedulesQuery = queryOptions({
  queryKey: ["schedules"],
  queryFn: async ({ signal }) => (await request<GetApiSchedulesResponse>("schedules", { signal })).schedules,
});

export const datasetsQuery = queryOptions({
  queryKey: ["datasets"],
  queryFn: async ({ signal }) => (await request<GetApiDatasetsResponse>("datasets", { signal })).datasets,
});

/** Whether an answer kept under this key is of one of these kinds. */
export const isKeptUnder = (key: QueryKey, kinds: readonly string[]): boolean =>
  typeof key[0] === "string" && kinds.includes(key[0]);
