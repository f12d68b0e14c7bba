/** Streams of tenants as a table: which are late, when they were read, and by which run. */
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { CheckMenu } from "../../components/check-menu.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { fieldClass } from "../../components/field.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { ColumnChooser } from "../../components/table-head.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { useNow } from "../../components/use-now.ts";
import { plural, printDuration } from "../../format/duration.ts";
import type { Standing } from "./ingest-queries.ts";
import { EndpointLink } from "./stream-links.tsx";

/** In the order in which they ask for people. */
export const statusWords = ["late", "syncing", "queued", "on_track", "on_time", "never"] as const;

export function StandingBadge({ standing }: Readonly<{ standing: Standing }>): ReactElement {
  const nowMs = useNow();
  const { status, late_at: lateAt } = standing;
  if (status !== "late" || lateAt === null) return <StateBadge state={status} />;
  return <StateBadge state="late" word={`Late ${printDuration(nowMs - Date.parse(lateAt))}`} />;
}

const columns: readonly DataColumn<Standing>[] = [
  {
    id: "stream",
    name: "Endpoint",
    width: 240,
    isFixed: true,
    sortBy: (one) => one.stream,
    cell: (one) => (
      <EndpointLink at={one} className="font-semibold">
        {one.stream}
      </EndpointLink>
    ),
  },
  { id: "tenant", name: "Tenant", sortBy: (one) => one.tenant, cell: (one) => one.tenant },
  {
    id: "status",
    name: "Status",
    width: 160,
    sortBy: (one) => statusWords.indexOf(one.status),
    cell: (one) => <StandingBadge standing={one} />,
  },
  {
    id: "synced",
    name: "Last good run",
    width: 150,
    sortBy: (one) => one.synced_at,
    cell: (one) => <TimeText at={one.synced_at} />,
  },
  {
    id: "late",
    name: "Late from",
    width: 150,
    sortBy: (one) => one.late_at,
    cell: (one) => <TimeText at={one.late_at} />,
  },
  {
    id: "run",
    name: "Newest run",
    width: 170,
    sortBy: (one) => one.run?.state,
    cell: (one) =>
      one.run === null ? (
        <span className="text-muted">–</span>
      ) : (
        <Link to="/runs/$id" params={{ id: one.run.id }}>
          <StateBadge state={one.run.state} />
        </Link>
      ),
  },
];

export type StandingSearch = Readonly<{
  find?: string | undefined;
  status?: string[] | undefined;
  sort?: string | undefined;
  hide?: string | undefined;
}>;

export type StandingTableProps = Readonly<{
  standings: readonly Standing[];
  search: StandingSearch;
  onChange: (changed: StandingSearch) => void;
  /** Said where the project has none at all. */
  none: ReactNode;
}>;

export function StandingTable({ standings, search, onChange, none }: StandingTableProps): ReactElement {
  const navigate = useNavigate();
  const wanted = (search.find ?? "").toLowerCase();
  const shown = standings.filter(
    (one) =>
      `${one.stream} ${one.tenant}`.toLowerCase().includes(wanted) &&
      (search.status === undefined || search.status.includes(one.status)),
  );
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-2">
        <input
          aria-label="Find by name"
          placeholder="Stream or tenant"
          value={search.find ?? ""}
          onChange={(event) => onChange({ find: event.target.value || undefined })}
          className={`${fieldClass} w-52`}
        />
        <CheckMenu
          label="Status"
          options={statusWords.map((one) => ({ value: one, name: <StateBadge state={one} /> }))}
          chosen={search.status ?? []}
          onChange={(chosen) => onChange({ status: chosen.length === 0 ? undefined : [...chosen] })}
        >
          Status{search.status !== undefined && ` (${search.status.length})`}
        </CheckMenu>
        <span role="status" className="text-muted">
          {shown.length === standings.length
            ? plural(shown.length, "endpoint")
            : `${shown.length} of ${plural(standings.length, "endpoint")}`}
        </span>
        <span className="flex-1" />
        <ColumnChooser columns={columns} hidden={search.hide} onChange={(hide) => onChange({ hide })} />
      </div>
      <DataTable
        label="Endpoints"
        columns={columns}
        rows={shown}
        rowId={(one) => `${one.stream} ${one.tenant}`}
        onOpen={({ source, tenant, name }) =>
          void navigate({
            to: "/sources/$source/$tenant/$stream",
            params: { source, tenant, stream: name },
          })
        }
        sort={search.sort}
        onSort={(sort) => onChange({ sort })}
        hidden={search.hide}
        empty={
          standings.length > 0 ? (
            <EmptyState
              kind="filtered"
              title="No endpoint fits these filters"
              onClear={() => onChange({ find: undefined, status: undefined })}
            />
          ) : (
            none
          )
        }
      />
    </>
  );
}
