/** One source: its endpoints, its tenants, how its schemas have changed, and how it is declared. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactElement, useMemo } from "react";
import { useRunNews } from "../../client/run-news.ts";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { Tabs } from "../../components/tabs.tsx";
import { lookOf } from "../../format/state-look.ts";
import { type SourceTree, sourcesQuery, treeQuery } from "./ingest-queries.ts";
import { SchemaChanges } from "./schema-changes.tsx";
import { NoTenants } from "./sources-page.tsx";
import { StandingTable, statusWords } from "./standing-table.tsx";

const route = getRouteApi("/sources/$source");

export function SourcePage(): ReactElement {
  useRunNews();
  const { source: name } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, isPending, refetch } = useQuery(treeQuery({ source: name, tenant: search.tenant }));
  const source = data?.sources[0];
  const standings = useMemo(() => source?.tenants.flatMap(({ streams }) => streams) ?? [], [source]);
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const above = <Link to="/sources">Sources</Link>;
  if (source === undefined) {
    return (
      <>
        <PageHeader title={name} above={above} />
        {isPending ? (
          <LoadingState what="the source" />
        ) : error === null ? (
          <EmptyState kind="none" title={`The project has no source "${name}"`}>
            It may have been renamed or taken out of <code>leat.config.ts</code>. See{" "}
            <Link to="/sources" className="underline">
              all sources
            </Link>
            .
          </EmptyState>
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )}
      </>
    );
  }
  const tab = search.tab ?? "endpoints";
  return (
    <>
      <PageHeader title={name} above={above} />
      <Tabs
        label="Parts of the source"
        items={[
          { id: "endpoints", name: "Endpoints", count: standings.length },
          { id: "tenants", name: "Tenants", count: source.tenants.length },
          { id: "changes", name: "Schema changes" },
          { id: "settings", name: "Settings" },
        ]}
        value={tab}
        onChange={(id) => change({ tab: tabs.find((one) => one === id) })}
      >
        {tab === "endpoints" && (
          <StandingTable
            standings={standings}
            search={search}
            onChange={change}
            none={<NoTenants tenant={search.tenant} />}
          />
        )}
        {tab === "tenants" && (
          <TenantTable
            source={source}
            sort={search.sort}
            onSort={(sort) => change({ sort })}
            none={<NoTenants tenant={search.tenant} />}
          />
        )}
        {tab === "changes" && <SchemaChanges source={name} />}
        {tab === "settings" && <SourceSettings name={name} />}
      </Tabs>
    </>
  );
}

const tabs = ["endpoints", "tenants", "changes", "settings"] as const;

type TenantRow = SourceTree["tenants"][number];

const countOf = ({ streams }: TenantRow, status: string): number =>
  streams.filter((one) => one.status === status).length;

function TenantTable({
  source,
  sort,
  onSort,
  none,
}: Readonly<{
  source: SourceTree;
  sort: string | undefined;
  onSort: (sort: string | undefined) => void;
  none: ReactElement;
}>): ReactElement {
  const columns: readonly DataColumn<TenantRow>[] = [
    {
      id: "tenant",
      name: "Tenant",
      isFixed: true,
      sortBy: (one) => one.tenant,
      cell: (one) => (
        <Link
          to="/sources/$source"
          params={{ source: source.name }}
          search={{ tenant: one.tenant }}
          className="font-semibold"
        >
          {one.tenant}
        </Link>
      ),
    },
    ...statusWords.map(
      (status): DataColumn<TenantRow> => ({
        id: status,
        name: lookOf(status).word,
        width: 120,
        align: "end",
        sortBy: (one) => countOf(one, status),
        cell: (one) => {
          const count = countOf(one, status);
          return count === 0 ? (
            <span className="text-muted">0</span>
          ) : (
            <StateBadge state={status} word={String(count)} />
          );
        },
      }),
    ),
  ];
  return (
    <DataTable
      label="Tenants"
      columns={columns}
      rows={source.tenants}
      rowId={(one) => one.tenant}
      sort={sort}
      onSort={onSort}
      empty={none}
    />
  );
}

type StreamRow = Readonly<{ name: string; primary_key: unknown; landing_table: string; has_files: boolean }>;

const settingColumns: readonly DataColumn<StreamRow>[] = [
  { id: "stream", name: "Stream", isFixed: true, sortBy: (one) => one.name, cell: (one) => one.name },
  {
    id: "key",
    name: "Primary key",
    cell: (one) =>
      Array.isArray(one.primary_key) && one.primary_key.length > 0 ? one.primary_key.join(", ") : "none",
  },
  {
    id: "table",
    name: "Landing table",
    cell: (one) => <span className="font-mono text-log">{one.landing_table}</span>,
  },
  { id: "form", name: "Reads", width: 120, cell: (one) => (one.has_files ? "files" : "records") },
];

/** What the project's code says of it: changed there, and shown here. */
function SourceSettings({ name }: Readonly<{ name: string }>): ReactElement {
  const { data, error, isPending, refetch } = useQuery(sourcesQuery);
  if (isPending) return <LoadingState what="settings" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const streams = data.find((one) => one.name === name)?.streams ?? [];
  return (
    <>
      <p className="px-4 py-3 text-muted">
        Declared in <code>leat.config.ts</code>; a change there counts after <code>leat up</code> is started
        again.
      </p>
      <DataTable label="Streams" columns={settingColumns} rows={streams} rowId={(one) => one.name} />
    </>
  );
}
