/** Schedules: what fires when, pause and resume, backfill. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactElement, useMemo, useState } from "react";
import type { Schedule } from "../../api/types.gen.ts";
import { schedulesQuery } from "../../client/queries.ts";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { FindField } from "../../components/find-field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { TimeText } from "../../components/time-text.tsx";
import { plural } from "../../format/duration.ts";
import { printTicks } from "./print-ticks.ts";
import { type ScheduleDeed, ScheduleDialogs } from "./schedule-dialogs.tsx";

const route = getRouteApi("/schedules");

export type ScheduleAct = Readonly<{ deed: ScheduleDeed; schedule: Schedule }>;

/** Columns with their buttons. `onAct`: opens the dialog. */
export const scheduleColumns = (onAct: (act: ScheduleAct) => void): readonly DataColumn<Schedule>[] => [
  {
    id: "name",
    name: "Schedule",
    isFixed: true,
    sortBy: (one) => one.id,
    cell: (one) => (
      <Link
        to="/deployments/$name"
        params={{ name: one.deployment }}
        search={{ tab: "schedules" }}
        className="font-semibold"
      >
        {one.id}
      </Link>
    ),
  },
  {
    id: "state",
    name: "State",
    width: 200,
    sortBy: (one) => String(one.is_paused),
    cell: (one) =>
      one.is_paused ? (
        <StateBadge state="paused" word={one.missed === 0 ? "Paused" : `Paused, ${one.missed} missed`} />
      ) : (
        <StateBadge state="scheduled" word="Active" />
      ),
  },
  {
    id: "when",
    name: "When",
    width: 220,
    sortBy: (one) => printTicks(one.ticks),
    cell: (one) => <span className="figures">{printTicks(one.ticks)}</span>,
  },
  {
    id: "next",
    name: "Next fires",
    width: 240,
    sortBy: (one) => one.next[0],
    cell: (one) =>
      one.next.length === 0 ? (
        <span className="text-muted">none</span>
      ) : (
        <span className="flex gap-3">
          {one.next.slice(0, 3).map((at) => (
            <TimeText key={at} at={at} />
          ))}
        </span>
      ),
  },
  {
    id: "handled",
    name: "Handled to",
    width: 130,
    isHidden: true,
    sortBy: (one) => one.handled_to,
    cell: (one) => <TimeText at={one.handled_to} />,
  },
  {
    id: "act",
    name: "Actions",
    width: 220,
    isFixed: true,
    align: "end",
    cell: (schedule) => (
      <span className="inline-flex gap-2">
        <Button onClick={() => onAct({ deed: "backfill", schedule })} aria-label={`Backfill ${schedule.id}`}>
          Backfill …
        </Button>
        {schedule.is_paused ? (
          <Button onClick={() => onAct({ deed: "resume", schedule })} aria-label={`Resume ${schedule.id}`}>
            Resume …
          </Button>
        ) : (
          <Button onClick={() => onAct({ deed: "pause", schedule })} aria-label={`Pause ${schedule.id}`}>
            Pause …
          </Button>
        )}
      </span>
    ),
  },
];

export function SchedulesPage(): ReactElement {
  const { find, paused, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery({ ...schedulesQuery, refetchInterval: 30_000 });
  const [act, setAct] = useState<ScheduleAct>();
  const columns = useMemo(() => scheduleColumns(setAct), []);
  const change = (
    changed: Readonly<{ find?: string | undefined; paused?: true | undefined; sort?: string | undefined }>,
  ): void => void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const shown = (data ?? []).filter(
    (one) => one.id.toLowerCase().includes((find ?? "").toLowerCase()) && (!paused || one.is_paused),
  );
  return (
    <>
      <PageHeader title="Schedules" />
      <div className="flex flex-wrap items-center gap-3 px-4 pb-3">
        <FindField
          label="Find a schedule"
          value={find ?? ""}
          onChange={(text) => change({ find: text || undefined })}
        />
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            checked={paused === true}
            onChange={(event) => change({ paused: event.target.checked || undefined })}
            className="size-4 accent-accent"
          />
          Paused only
        </label>
        <span className="text-muted">{data !== undefined && plural(shown.length, "schedule")}</span>
      </div>
      {data === undefined ? (
        error === null ? (
          <LoadingState what="schedules" />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )
      ) : (
        <DataTable
          label="Schedules"
          columns={columns}
          rows={shown}
          rowId={(one) => one.id}
          sort={sort}
          onSort={(next) => change({ sort: next })}
          empty={
            data.length === 0 ? (
              <EmptyState kind="none" title="No schedules">
                A deployment gets one in its code: <code>schedules: [{'{ cron: "0 5 * * *" }'}]</code>.
              </EmptyState>
            ) : (
              <EmptyState
                kind="filtered"
                title="No schedule fits"
                onClear={() => change({ find: undefined, paused: undefined })}
              />
            )
          }
        />
      )}
      {act !== undefined && <ScheduleDialogs act={act} onClose={() => setAct(undefined)} />}
    </>
  );
}
