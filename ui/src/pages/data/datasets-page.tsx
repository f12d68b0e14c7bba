/** Datasets that the project publishes, and the tables of its streams. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { datasetsQuery } from "../../client/queries.ts";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { fieldClass } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { TimeText } from "../../components/time-text.tsx";
import { printCount } from "../../format/duration.ts";
import { sourcesQuery } from "../ingest/ingest-queries.ts";
import type { DatasetLine } from "./data-queries.ts";

const route = getRouteApi("/datasets");

/** A dataset, or the table of a stream. */
type Line = Readonly<{
  name: string;
  kind: "dataset" | "table";
  dataset: DatasetLine | undefined;
  about: string;
}>;

const columns: readonly DataColumn<Line>[] = [
  {
    id: "name",
    name: "Name",
    isFixed: true,
    width: 240,
    sortBy: (one) => one.name,
    cell: (one) =>
      one.kind === "dataset" ? (
        <Link to="/datasets/$name" params={{ name: one.name }} className="font-semibold">
          {one.name}
        </Link>
      ) : (
        <Link to="/tables/$stream" params={{ stream: one.name }} className="font-semibold">
          {one.name}
        </Link>
      ),
  },
  {
    id: "kind",
    name: "Kind",
    width: 150,
    sortBy: (one) => one.kind,
    cell: (one) => (one.kind === "dataset" ? "Dataset" : "Table of a stream"),
  },
  {
    id: "rows",
    name: "Rows",
    width: 120,
    align: "end",
    sortBy: (one) => one.dataset?.rows,
    cell: (one) => (one.dataset?.rows == null ? "–" : printCount(one.dataset.rows)),
  },
  {
    id: "versions",
    name: "Versions",
    width: 100,
    align: "end",
    sortBy: (one) => one.dataset?.versions,
    cell: (one) => one.dataset?.versions ?? "–",
  },
  {
    id: "built",
    name: "Built",
    width: 140,
    sortBy: (one) => one.dataset?.built_at,
    cell: (one) => <TimeText at={one.dataset?.built_at} />,
  },
  { id: "about", name: "About", width: 300, cell: (one) => <span title={one.about}>{one.about}</span> },
];

export function DatasetsPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const open = useNavigate();
  const datasets = useQuery(datasetsQuery);
  const sources = useQuery(sourcesQuery);
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const isPending = datasets.isPending || sources.isPending;
  const lines: readonly Line[] = [
    ...(datasets.data ?? []).map(
      (dataset): Line => ({ name: dataset.name, kind: "dataset", dataset, about: dataset.description }),
    ),
    ...(sources.data ?? []).flatMap((source) =>
      source.streams.map(
        (stream): Line => ({
          name: `${source.name}.${stream.name}`,
          kind: "table",
          dataset: undefined,
          about: `What the stream has brought, in the table ${stream.landing_table}`,
        }),
      ),
    ),
  ];
  const wanted = (search.find ?? "").toLowerCase();
  const shown = lines.filter((one) => `${one.name} ${one.about}`.toLowerCase().includes(wanted));
  return (
    <>
      <PageHeader title="Datasets" />
      <div className="flex flex-wrap items-center gap-2 px-4 pb-2">
        <input
          aria-label="Find by name"
          placeholder="Name or words about it"
          value={search.find ?? ""}
          onChange={(event) => change({ find: event.target.value || undefined })}
          className={`${fieldClass} w-60`}
        />
      </div>
      {isPending ? (
        <LoadingState what="datasets" />
      ) : datasets.data === undefined || sources.data === undefined ? (
        <ErrorState
          error={datasets.error ?? sources.error}
          onRetry={() => void Promise.all([datasets.refetch(), sources.refetch()])}
        />
      ) : (
        <DataTable
          label="Datasets"
          columns={columns}
          rows={shown}
          rowId={(one) => `${one.kind} ${one.name}`}
          onOpen={(one) =>
            one.kind === "dataset"
              ? void open({ to: "/datasets/$name", params: { name: one.name } })
              : void open({ to: "/tables/$stream", params: { stream: one.name } })
          }
          sort={search.sort}
          onSort={(sort) => change({ sort })}
          hidden={search.hide}
          empty={
            lines.length > 0 ? (
              <EmptyState
                kind="filtered"
                title="Nothing has this name"
                onClear={() => change({ find: undefined })}
              />
            ) : (
              <EmptyState kind="none" title="The project has no datasets">
                Declare one with <code>defineDataset</code> in <code>leat.config.ts</code>.
              </EmptyState>
            )
          }
        />
      )}
    </>
  );
}
