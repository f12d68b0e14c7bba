/** Audit: who changed what, when. Newest first, to the beginning. */
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactElement, useCallback, useMemo, useState } from "react";
import type { Event, GetApiEventsResponse } from "../../api/types.gen.ts";
import { useLive } from "../../client/live.ts";
import { request } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { CheckMenu } from "../../components/check-menu.tsx";
import { JsonView } from "../../components/code-block.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { fieldClass } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { ColumnChooser } from "../../components/table-head.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { plural } from "../../format/duration.ts";
import { splitStream } from "../ingest/stream-links.tsx";

const route = getRouteApi("/audit");

/** Events of one page. */
const pageEvents = 200;

/** Kinds of events in which somebody has changed something. */
const kinds: Readonly<Record<string, string>> = {
  audit: "Request",
  "stream.cursor": "Cursor set",
  "secret.set": "Secret set",
};

export function AuditPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const asked = search.kind ?? Object.keys(kinds);
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } =
    useInfiniteQuery({
      queryKey: ["events", "audit", asked],
      queryFn: async ({ pageParam, signal }) => {
        const query = { kind: asked, order: "desc", limit: pageEvents, before: pageParam };
        return (await request<GetApiEventsResponse>("events", { query, signal })).events;
      },
      initialPageParam: undefined as number | undefined, // No event before the first page.
      getNextPageParam: (page) => (page.length < pageEvents ? undefined : page.at(-1)?.id),
      placeholderData: keepPreviousData,
    });
  const [chosen, setChosen] = useState<Event>();
  useLive("events", () => void refetch());
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const events = useMemo(() => data?.pages.flat() ?? [], [data]);
  const wanted = (search.find ?? "").toLowerCase();
  const shown = events.filter((one) =>
    `${whoOf(one)} ${one.subject} ${JSON.stringify(one.data)}`.toLowerCase().includes(wanted),
  );
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <>
      <PageHeader title="Audit" />
      <div className="flex flex-wrap items-center gap-2 px-4 pb-2">
        <input
          aria-label="Find"
          placeholder="Who or what"
          value={search.find ?? ""}
          onChange={(event) => change({ find: event.target.value || undefined })}
          className={`${fieldClass} w-60`}
        />
        <CheckMenu
          label="Kind"
          options={Object.entries(kinds).map(([value, name]) => ({ value, name }))}
          chosen={search.kind ?? []}
          onChange={(next) => change({ kind: next.length === 0 ? undefined : [...next] })}
        >
          Kind{search.kind !== undefined && ` (${search.kind.length})`}
        </CheckMenu>
        <span role="status" className="text-muted">
          {plural(shown.length, "change")}
          {hasNextPage && " and more"}
        </span>
        <span className="flex-1" />
        <ColumnChooser columns={columns} hidden={search.hide} onChange={(hide) => change({ hide })} />
      </div>
      {isPending ? (
        <LoadingState what="changes" />
      ) : data === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <DataTable
          label="Changes"
          columns={columns}
          rows={shown}
          rowId={(one) => String(one.id)}
          sort={search.sort}
          onSort={(sort) => change({ sort })}
          hidden={search.hide}
          onOpen={setChosen}
          onEnd={onEnd}
          empty={
            events.length > 0 || search.kind !== undefined ? (
              <EmptyState
                kind="filtered"
                title="No change fits"
                onClear={() => change({ find: undefined, kind: undefined })}
              />
            ) : (
              <EmptyState kind="none" title="Nobody has changed anything yet">
                Every request that changes something is written down here, with who and when.
              </EmptyState>
            )
          }
        />
      )}
      {chosen !== undefined && (
        <section aria-label="Change" className="border-t border-line p-4">
          <div className="mb-2 flex items-center gap-2">
            <h2 className="min-w-0 flex-1 font-semibold [overflow-wrap:anywhere]">{chosen.subject}</h2>
            <Button onClick={() => setChosen(undefined)}>Close</Button>
          </div>
          <JsonView value={chosen} what="event" />
        </section>
      )}
    </>
  );
}

const whoOf = ({ data }: Event): string => (typeof data["by"] === "string" ? data["by"] : "–");

const columns: readonly DataColumn<Event>[] = [
  { id: "at", name: "When", width: 140, sortBy: (one) => one.at, cell: (one) => <TimeText at={one.at} /> },
  { id: "who", name: "Who", width: 160, isFixed: true, sortBy: whoOf, cell: (one) => <b>{whoOf(one)}</b> },
  {
    id: "kind",
    name: "Kind",
    width: 130,
    sortBy: (one) => one.kind,
    cell: (one) => kinds[one.kind] ?? one.kind,
  },
  {
    id: "what",
    name: "What",
    width: 380,
    sortBy: (one) => one.subject,
    cell: (one) => <Subject event={one} />,
  },
  {
    id: "from",
    name: "From",
    width: 110,
    cell: (one) => (typeof one.data["address"] === "string" ? one.data["address"] : "–"),
  },
  {
    id: "run",
    name: "Run",
    width: 150,
    cell: (one) =>
      one.run === null ? (
        "–"
      ) : (
        <Link to="/runs/$id" params={{ id: one.run }} className="font-mono text-log">
          {one.run}
        </Link>
      ),
  },
];

function Subject({ event }: Readonly<{ event: Event }>): ReactElement {
  const { kind, subject, data } = event;
  if (kind === "stream.cursor" && typeof data["tenant"] === "string") {
    const { source, name } = splitStream(subject);
    return (
      <Link
        to="/sources/$source/$tenant/$stream"
        params={{ source, tenant: data["tenant"], stream: name }}
        search={{ tab: "cursor" }}
      >
        {subject} of {data["tenant"]}
      </Link>
    );
  }
  if (kind === "secret.set") {
    return (
      <Link to="/secrets" search={{ find: subject }}>
        {subject}
      </Link>
    );
  }
  return (
    <span className="font-mono text-log" title={subject}>
      {subject}
    </span>
  );
}
