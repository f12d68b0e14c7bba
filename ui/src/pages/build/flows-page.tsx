/** Flows of the project. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { GetApiFlowsResponse } from "../../api/types.gen.ts";
import { deploymentsQuery, flowsQuery } from "../../client/queries.ts";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { FindField } from "../../components/find-field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { aboutColumn } from "./about-column.tsx";

const route = getRouteApi("/flows");

type Flow = GetApiFlowsResponse["flows"][number] & Readonly<{ deployments: number }>;

const columns: readonly DataColumn<Flow>[] = [
  {
    id: "name",
    name: "Flow",
    width: 220,
    isFixed: true,
    sortBy: (one) => one.name,
    cell: (one) => (
      <Link to="/flows/$name" params={{ name: one.name }} tabIndex={-1} className="font-semibold">
        {one.name}
      </Link>
    ),
  },
  aboutColumn(500),
  {
    id: "deployments",
    name: "Deployments",
    width: 130,
    align: "end",
    sortBy: (one) => one.deployments,
    cell: (one) => one.deployments,
  },
  { id: "pool", name: "Pool", width: 140, sortBy: (one) => one.pool, cell: (one) => one.pool },
];

export function FlowsPage(): ReactElement {
  const { find, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(flowsQuery);
  const { data: deployments } = useQuery(deploymentsQuery);
  const change = (changed: Readonly<{ find?: string | undefined; sort?: string | undefined }>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const wanted = (find ?? "").toLowerCase();
  const shown = (data ?? [])
    .filter((one) => `${one.name} ${one.description}`.toLowerCase().includes(wanted))
    .map((one) => ({
      ...one,
      deployments: (deployments ?? []).filter(({ flow }) => flow === one.name).length,
    }));
  return (
    <>
      <PageHeader title="Flows" />
      <div className="px-4 pb-3">
        <FindField
          label="Find a flow"
          value={find ?? ""}
          onChange={(text) => change({ find: text || undefined })}
        />
      </div>
      {data === undefined ? (
        error === null ? (
          <LoadingState what="flows" />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )
      ) : (
        <DataTable
          label="Flows"
          columns={columns}
          rows={shown}
          rowId={(one) => one.name}
          onOpen={(one) => void navigate({ to: "/flows/$name", params: { name: one.name }, search: {} })}
          sort={sort}
          onSort={(next) => change({ sort: next })}
          empty={
            data.length === 0 ? (
              <EmptyState kind="none" title="This project has no flows">
                Add one to <code>flows</code> in <code>leat.config.ts</code>; <code>syncFlow()</code> reads
                every source.
              </EmptyState>
            ) : (
              <EmptyState kind="filtered" title="No flow fits" onClear={() => change({ find: undefined })} />
            )
          }
        />
      )}
    </>
  );
}
