/** Deployments: flows with their parameters, pool and schedules. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { GetApiDeploymentsResponse } from "../../api/types.gen.ts";
import { deploymentsQuery } from "../../client/queries.ts";
import { buttonClass } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { FindField } from "../../components/find-field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { ColumnChooser } from "../../components/table-head.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { aboutColumn } from "./about-column.tsx";

const route = getRouteApi("/deployments");

export type Deployment = GetApiDeploymentsResponse["deployments"][number];

const columns: readonly DataColumn<Deployment>[] = [
  {
    id: "name",
    name: "Deployment",
    isFixed: true,
    sortBy: (one) => one.name,
    cell: (one) => (
      <Link to="/deployments/$name" params={{ name: one.name }} tabIndex={-1} className="font-semibold">
        {one.name}
      </Link>
    ),
  },
  {
    id: "flow",
    name: "Flow",
    width: 160,
    sortBy: (one) => one.flow,
    cell: (one) => (
      <Link to="/flows/$name" params={{ name: one.flow }} tabIndex={-1}>
        {one.flow}
      </Link>
    ),
  },
  aboutColumn(300),
  {
    id: "schedules",
    name: "Schedules",
    width: 120,
    align: "end",
    sortBy: (one) => one.schedules.length,
    cell: (one) => one.schedules.length || "–",
  },
  { id: "pool", name: "Pool", width: 120, sortBy: (one) => one.pool, cell: (one) => one.pool },
  {
    id: "saved",
    name: "Deployed",
    width: 130,
    sortBy: (one) => one.saved_at,
    cell: (one) => <TimeText at={one.saved_at} />,
  },
  {
    id: "code",
    name: "Code",
    width: 120,
    isHidden: true,
    cell: (one) => <span className="font-mono text-meta">{one.code_version ?? "–"}</span>,
  },
  {
    id: "run",
    name: "Actions",
    width: 90,
    isFixed: true,
    align: "end",
    cell: (one) => (
      <Link
        to="/deployments/$name"
        params={{ name: one.name }}
        search={{ run: true }}
        aria-label={`Run ${one.name}`}
        className={buttonClass()}
      >
        Run …
      </Link>
    ),
  },
];

export function DeploymentsPage(): ReactElement {
  const { find, sort, hide } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(deploymentsQuery);
  const change = (
    changed: Readonly<{ find?: string | undefined; sort?: string | undefined; hide?: string | undefined }>,
  ): void => void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const wanted = (find ?? "").toLowerCase();
  const shown = (data ?? []).filter((one) =>
    `${one.name} ${one.flow} ${one.description}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <PageHeader title="Deployments" />
      <div className="flex flex-wrap items-center gap-3 px-4 pb-3">
        <FindField
          label="Find a deployment"
          value={find ?? ""}
          onChange={(text) => change({ find: text || undefined })}
        />
        <span className="flex-1" />
        <ColumnChooser columns={columns} hidden={hide} onChange={(next) => change({ hide: next })} />
      </div>
      {data === undefined ? (
        error === null ? (
          <LoadingState what="deployments" />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )
      ) : (
        <DataTable
          label="Deployments"
          columns={columns}
          rows={shown}
          rowId={(one) => one.name}
          onOpen={(one) =>
            void navigate({ to: "/deployments/$name", params: { name: one.name }, search: {} })
          }
          sort={sort}
          onSort={(next) => change({ sort: next })}
          hidden={hide}
          empty={
            data.length === 0 ? (
              <EmptyState kind="none" title="No deployments">
                Each flow of <code>leat.config.ts</code> gets one when <code>leat up</code> starts.
              </EmptyState>
            ) : (
              <EmptyState
                kind="filtered"
                title="No deployment fits"
                onClear={() => change({ find: undefined })}
              />
            )
          }
        />
      )}
    </>
  );
}
