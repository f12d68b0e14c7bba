/** How loads have changed the tables of a source, newest first: one list over its streams. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Event, GetApiEventsResponse } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { TimeText } from "../../components/time-text.tsx";
import { splitStream } from "./stream-links.tsx";

/** Changes that are listed: tables change a few times a year. */
const changesMax = 1000;

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** What a change was, in words. */
export function printChange({ data }: Pick<Event, "data">): string {
  const [from, to] = [textOf(data["from"]), textOf(data["to"])];
  if (from === undefined) return `added as ${to ?? "unknown"}`;
  return to === undefined ? `${from}, gone` : `${from} became ${to}`;
}

const columns: readonly DataColumn<Event>[] = [
  { id: "at", name: "When", width: 150, cell: (one) => <TimeText at={one.at} /> },
  {
    id: "stream",
    name: "Stream",
    cell: (one) => (
      <Link to="/tables/$stream" params={{ stream: one.subject }} search={{ tab: "columns" }}>
        {one.subject}
      </Link>
    ),
  },
  {
    id: "column",
    name: "Column",
    cell: (one) => <span className="font-mono text-log">{textOf(one.data["column"]) ?? "–"}</span>,
  },
  { id: "change", name: "Change", cell: printChange },
];

export function SchemaChanges({ source }: Readonly<{ source: string }>): ReactElement {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["events", "stream.schema"],
    queryFn: async ({ signal }) =>
      (
        await request<GetApiEventsResponse>("events", {
          query: { kind: "stream.schema", order: "desc", limit: changesMax },
          signal,
        })
      ).events,
  });
  if (isPending) return <LoadingState what="changes" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  return (
    <DataTable
      label="Schema changes"
      columns={columns}
      rows={data.filter(({ subject }) => splitStream(subject).source === source)}
      rowId={(one) => String(one.id)}
      empty={
        <EmptyState kind="none" title="No schema has changed">
          New columns and wider types are told here after the loads that bring them.
        </EmptyState>
      }
    />
  );
}
