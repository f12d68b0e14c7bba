/** Sources: each with how its streams stand, and below them all endpoints. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactElement, useMemo } from "react";
import { useRunNews } from "../../client/run-news.ts";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { plural } from "../../format/duration.ts";
import { lookOf } from "../../format/state-look.ts";
import { type SourceTree, treeQuery } from "./ingest-queries.ts";
import { StandingTable, statusWords } from "./standing-table.tsx";

const route = getRouteApi("/sources");

export function SourcesPage(): ReactElement {
  useRunNews();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(treeQuery({ tenant: search.tenant }));
  const standings = useMemo(
    () => data?.sources.flatMap(({ tenants }) => tenants.flatMap(({ streams }) => streams)) ?? [],
    [data],
  );
  if (data === undefined) {
    return (
      <>
        <PageHeader title="Sources" />
        {error === null ? (
          <LoadingState what="sources" />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )}
      </>
    );
  }
  return (
    <>
      <PageHeader title="Sources" />
      {data.sources.length > 0 && (
        <ul className="grid grid-cols-[repeat(auto-fill,minmax(240px,1fr))] gap-3 px-4 pb-3">
          {data.sources.map((source) => (
            <SourceCard key={source.name} source={source} />
          ))}
        </ul>
      )}
      <StandingTable
        standings={standings}
        search={search}
        onChange={(changed) =>
          void navigate({
            search: (before) => ({ ...before, ...changed }),
            replace: true,
          })
        }
        none={
          data.sources.length === 0 ? (
            <EmptyState kind="none" title="The project has no sources">
              Declare one with <code>rest</code> or <code>files</code> in <code>leat.config.ts</code>.
            </EmptyState>
          ) : (
            <NoTenants tenant={search.tenant} />
          )
        }
      />
    </>
  );
}

/** Sources are there, and nobody to read them for. */
export function NoTenants({ tenant }: Readonly<{ tenant: string | undefined }>): ReactElement {
  return tenant === undefined ? (
    <EmptyState kind="none" title="The project has no tenants">
      Add them to the tenants file that <code>leat.config.ts</code> names.
    </EmptyState>
  ) : (
    <EmptyState kind="filtered" title={`Nothing is read for the tenant ${tenant}`}>
      Choose another tenant above, or all.
    </EmptyState>
  );
}

function SourceCard({ source }: Readonly<{ source: SourceTree }>): ReactElement {
  const streams = new Set(source.tenants.flatMap((one) => one.streams.map(({ name }) => name)));
  const told = statusWords.filter((one) => (source.statuses[one] ?? 0) > 0);
  return (
    <li className="card min-w-0 p-3">
      <Link
        to="/sources/$source"
        params={{ source: source.name }}
        className="text-section font-semibold [overflow-wrap:anywhere]"
      >
        {source.name}
      </Link>
      <p className="text-meta text-muted">
        {plural(streams.size, "stream")}, {plural(source.tenants.length, "tenant")}
        {source.has_files && ", files"}
      </p>
      <p className="mt-1 flex flex-wrap gap-x-3">
        {told.map((one) => (
          <StateBadge
            key={one}
            state={one}
            word={`${source.statuses[one]} ${lookOf(one).word.toLowerCase()}`}
          />
        ))}
      </p>
    </li>
  );
}
