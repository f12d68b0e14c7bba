/** Newest runs of a stream and tenant. */
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Run } from "../../api/types.gen.ts";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { Duration, TimeText } from "../../components/time-text.tsx";

const columns: readonly DataColumn<Run>[] = [
  {
    id: "run",
    name: "Run",
    cell: (run) => (
      <Link to="/runs/$id" params={{ id: run.id }} className="font-mono text-log">
        {run.id}
      </Link>
    ),
  },
  { id: "state", name: "State", width: 150, cell: (run) => <StateBadge state={run.state} /> },
  {
    id: "started",
    name: "Started",
    width: 140,
    cell: (run) => <TimeText at={run.started_at ?? run.created_at} />,
  },
  {
    id: "took",
    name: "Took",
    width: 110,
    align: "end",
    cell: (run) => <Duration from={run.started_at} to={run.ended_at} />,
  },
  {
    id: "error",
    name: "Error",
    cell: (run) =>
      run.error === null ? null : (
        <Link to="/runs/$id" params={{ id: run.id }} search={{ level: ["error"] }} title={run.error.message}>
          {run.error.message}
        </Link>
      ),
  },
];

export function EndpointRuns({ runs }: Readonly<{ runs: readonly Run[] }>): ReactElement {
  const navigate = useNavigate();
  return (
    <DataTable
      label="Runs"
      columns={columns}
      rows={runs}
      rowId={(run) => run.id}
      onOpen={(run) => void navigate({ to: "/runs/$id", params: { id: run.id } })}
      empty={
        <EmptyState kind="none" title="No run has read it">
          A deployment of <code>syncFlow</code> does; <code>leat sync</code> reads without runs.
        </EmptyState>
      }
    />
  );
}
