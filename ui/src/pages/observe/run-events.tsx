/** What happened to a run, newest first. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { GetApiEventsResponse, Run } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { EventList } from "./event-list.tsx";

/** Events that are shown. */
const eventsMax = 200;

export function RunEvents({ run }: Readonly<{ run: Run }>): ReactElement {
  const { data, error, refetch } = useQuery({
    queryKey: ["run", run.id, "events", run.state, run.attempt],
    queryFn: async ({ signal }) => {
      const query = { run: run.id, order: "desc", limit: eventsMax };
      return (await request<GetApiEventsResponse>("events", { query, signal })).events;
    },
  });
  if (data === undefined) {
    return error === null ? (
      <LoadingState what="events" />
    ) : (
      <ErrorState error={error} onRetry={() => void refetch()} />
    );
  }
  if (data.length === 0) return <EmptyState kind="none" title="Nothing is noted of this run yet" />;
  return <EventList events={data} isRunHidden />;
}
