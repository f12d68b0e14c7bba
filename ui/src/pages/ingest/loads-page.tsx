/** Loads: which packages are in the warehouse, newest first. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type ReactElement, useMemo } from "react";
import { useLive } from "../../client/live.ts";
import { Combobox } from "../../components/combobox.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { fieldClass } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { ColumnChooser } from "../../components/table-head.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { plural, printCount } from "../../format/duration.ts";
import { type Load, loadsMax, loadsQuery, sourcesQuery } from "./ingest-queries.ts";
import { EndpointLink, LoadLink, PackageFilesLink, RowsLink } from "./stream-links.tsx";

const route = getRouteApi("/loads");

const columns: readonly DataColumn<Load>[] = [
  {
    id: "load",
    name: "Load",
    isFixed: true,
    width: 250,
    sortBy: (one) => one.stream,
    cell: (one) => (
      <LoadLink at={one} seq={one.seq}>
        <b>{one.stream}</b> {one.seq}
      </LoadLink>
    ),
  },
  {
    id: "tenant",
    name: "Tenant",
    sortBy: (one) => one.tenant,
    cell: (one) => <EndpointLink at={one}>{one.tenant}</EndpointLink>,
  },
  {
    id: "loaded",
    name: "Rows loaded",
    width: 120,
    align: "end",
    sortBy: (one) => one.loaded,
    cell: (one) => printCount(one.loaded),
  },
  {
    id: "rejected",
    name: "Rejected",
    width: 110,
    align: "end",
    sortBy: (one) => one.rejected,
    cell: (one) =>
      one.rejected === 0 ? (
        <span className="text-muted">0</span>
      ) : (
        <span className="font-semibold text-attention">! {printCount(one.rejected)}</span>
      ),
  },
  {
    id: "at",
    name: "Loaded",
    width: 140,
    sortBy: (one) => one.loaded_at,
    cell: (one) => <TimeText at={one.loaded_at} />,
  },
  {
    id: "see",
    name: "See",
    width: 140,
    cell: (one) => (
      <span className="inline-flex gap-3">
        <PackageFilesLink at={one} seq={one.seq}>
          files
        </PackageFilesLink>
        <RowsLink at={one} seq={one.seq}>
          rows
        </RowsLink>
      </span>
    ),
  },
];

export function LoadsPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const open = useNavigate();
  const sources = useQuery(sourcesQuery);
  const { data, error, isPending, refetch } = useQuery(
    loadsQuery({ tenant: search.tenant, source: search.source }),
  );
  useLive("streams", () => void refetch());
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const shown = useMemo(() => {
    const wanted = (search.find ?? "").toLowerCase();
    return (data ?? []).filter(
      (one) =>
        `${one.stream} ${one.tenant}`.toLowerCase().includes(wanted) &&
        (search.only === undefined || one.rejected > 0),
    );
  }, [data, search.find, search.only]);
  const isFiltered =
    search.find !== undefined ||
    search.only !== undefined ||
    search.source !== undefined ||
    search.tenant !== undefined;
  return (
    <>
      <PageHeader title="Loads" />
      <div className="flex flex-wrap items-center gap-2 px-4 pb-2">
        <input
          aria-label="Find by name"
          placeholder="Stream or tenant"
          value={search.find ?? ""}
          onChange={(event) => change({ find: event.target.value || undefined })}
          className={`${fieldClass} w-52`}
        />
        <Combobox
          label="Source"
          placeholder="Any source"
          options={(sources.data ?? []).map(({ name }) => name)}
          value={search.source ?? ""}
          onChange={(source) => change({ source: source || undefined })}
        />
        <label className="inline-flex min-h-7 items-center gap-2">
          <input
            type="checkbox"
            checked={search.only === "rejected"}
            onChange={(event) => change({ only: event.target.checked ? "rejected" : undefined })}
            className="size-4 accent-accent"
          />
          With rejects
        </label>
        <span role="status" className="text-muted">
          {data !== undefined &&
            `${plural(shown.length, "load")}${data.length >= loadsMax ? ` of the newest ${loadsMax}` : ""}`}
        </span>
        <span className="flex-1" />
        <ColumnChooser columns={columns} hidden={search.hide} onChange={(hide) => change({ hide })} />
      </div>
      {isPending ? (
        <LoadingState what="loads" />
      ) : data === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <DataTable
          label="Loads"
          columns={columns}
          rows={shown}
          rowId={(one) => `${one.stream} ${one.tenant} ${one.seq}`}
          onOpen={({ stream, tenant, seq }) =>
            void open({
              to: "/loads/$stream/$tenant/$seq",
              params: { stream, tenant, seq: String(seq) },
            })
          }
          sort={search.sort}
          onSort={(sort) => change({ sort })}
          hidden={search.hide}
          empty={
            isFiltered ? (
              <EmptyState
                kind="filtered"
                title="No load fits these filters"
                onClear={() =>
                  change({ find: undefined, source: undefined, tenant: undefined, only: undefined })
                }
              />
            ) : (
              <EmptyState kind="none" title="Nothing has been loaded yet">
                Packages that a run has landed are loaded by the same run, or by <code>leat load</code>.
              </EmptyState>
            )
          }
        />
      )}
    </>
  );
}
