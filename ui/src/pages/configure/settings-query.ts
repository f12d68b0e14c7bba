/** What the project and this server are set up with: it changes when the server is started again. */
import { queryOptions } from "@tanstack/react-query";
import type { GetApiSettingsResponse } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => request<GetApiSettingsResponse>("settings", { signal }),
  staleTime: 60_000,
});
