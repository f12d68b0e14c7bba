/** Columns of a table of runs. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Run } from "../../api/types.gen.ts";
import { StateBadge } from "../../components/state-badge.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { Duration, TimeText } from "../../components/time-text.tsx";

/** Who or what made a run. */
export function printCause({ cause }: Run): string {
  switch (cause.kind) {
    case "manual":
      return cause.by === undefined ? "by hand" : `by ${cause.by}`;
    case "schedule":
      return `schedule ${cause.schedule ?? ""}`;
    case "backfill":
      return `backfill${cause.by === undefined ? "" : ` by ${cause.by}`}`;
    case "event":
      return `trigger ${cause.trigger ?? ""}`;
    case "parent":
      return "another run";
  }
}

/** The id as people name it: its end is what differs. */
export const shortId = (id: string): string => (id.length <= 12 ? id : `…${id.slice(-8)}`);

/** @param isInRow - of a table, whose rows are walked through by keys and opened by Enter. */
export function RunLink({
  run,
  isInRow = false,
}: Readonly<{ run: Pick<Run, "id" | "flow">; isInRow?: boolean }>): ReactElement {
  return (
    <Link
      to="/runs/$id"
      params={{ id: run.id }}
      title={run.id}
      tabIndex={isInRow ? -1 : undefined}
      className="font-semibold"
    >
      {run.flow} <span className="font-mono text-meta font-normal text-muted">{shortId(run.id)}</span>
    </Link>
  );
}

export const runColumns: readonly DataColumn<Run>[] = [
  { id: "run", name: "Run", width: 230, isFixed: true, cell: (run) => <RunLink run={run} isInRow /> },
  {
    id: "state",
    name: "State",
    width: 150,
    sortBy: (run) => run.state,
    cell: (run) => <StateBadge state={run.state} />,
  },
  {
    id: "started",
    name: "Started",
    width: 130,
    sortBy: (run) => run.started_at,
    cell: (run) => <TimeText at={run.started_at ?? run.created_at} />,
  },
  {
    id: "took",
    name: "Took",
    width: 110,
    align: "end",
    sortBy: (run) =>
      run.started_at === null
        ? null
        : (run.ended_at === null ? Date.now() : Date.parse(run.ended_at)) - Date.parse(run.started_at),
    cell: (run) => <Duration from={run.started_at} to={run.ended_at} />,
  },
  { id: "cause", name: "Cause", width: 160, sortBy: printCause, cell: (run) => printCause(run) },
  {
    id: "attempt",
    name: "Attempt",
    width: 90,
    align: "end",
    sortBy: (run) => run.attempt,
    cell: (run) => run.attempt,
  },
  {
    id: "error",
    name: "Error",
    cell: (run) => <span className="text-muted">{run.error?.message ?? run.cancel_reason ?? ""}</span>,
  },
  {
    id: "deployment",
    name: "Deployment",
    width: 160,
    isHidden: true,
    sortBy: (run) => run.deployment,
    cell: (run) => run.deployment,
  },
  {
    id: "key",
    name: "Key",
    width: 310,
    isHidden: true,
    sortBy: (run) => run.key,
    cell: (run) => run.key ?? "–",
  },
  {
    id: "pool",
    name: "Pool",
    width: 110,
    isHidden: true,
    sortBy: (run) => run.pool,
    cell: (run) => run.pool,
  },
  { id: "worker", name: "Worker", width: 160, isHidden: true, cell: (run) => run.worker ?? "–" },
];

/** px of columns that make room for keys: the tenant is their end. */
const tenantWidths: ReadonlyMap<string, Readonly<{ width: number }>> = new Map([
  ["run", { width: 200 }],
  ["key", { width: 290 }],
  ["state", { width: 130 }],
  ["started", { width: 110 }],
  ["took", { width: 90 }],
]);

/** Of one tenant there are mostly sub-flows of syncs, which their keys tell apart, and not their cause. */
export const tenantRunColumns: readonly DataColumn<Run>[] = ["run", "key", "state", "started", "took"]
  .map((id) => runColumns.find((column) => column.id === id)!) // They are all there.
  .map((column): DataColumn<Run> => ({ ...column, ...tenantWidths.get(column.id), isHidden: false }))
  .concat(
    runColumns
      .filter(({ id }) => !["run", "key", "state", "started", "took"].includes(id))
      .map((column) => (column.id === "cause" ? { ...column, isHidden: true } : column)),
  );
