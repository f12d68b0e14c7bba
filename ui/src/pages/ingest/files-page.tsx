/** Landed files: of the stream and tenant that are chosen. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { tenantsQuery } from "../../client/queries.ts";
import { Combobox } from "../../components/combobox.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { FileBrowser } from "./file-browser.tsx";
import { sourcesQuery } from "./ingest-queries.ts";
import { EndpointLink } from "./stream-links.tsx";

const route = getRouteApi("/files");

export function FilesPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const sources = useQuery(sourcesQuery);
  const tenants = useQuery(tenantsQuery);
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const streams = (sources.data ?? []).flatMap((source) =>
    source.streams.map(({ name }) => `${source.name}.${name}`),
  );
  // Where there is but one, nobody has to choose it.
  const stream = search.stream ?? (streams.length === 1 ? streams[0] : undefined);
  const tenant = search.tenant ?? (tenants.data?.length === 1 ? tenants.data[0] : undefined);
  return (
    <>
      <PageHeader
        title="Landed files"
        actions={
          stream !== undefined &&
          tenant !== undefined && (
            <EndpointLink at={{ stream, tenant }}>
              {stream} of {tenant}
            </EndpointLink>
          )
        }
      />
      <div className="flex flex-wrap items-center gap-2 px-4 pb-2">
        <Combobox
          label="Stream"
          placeholder="Choose a stream"
          options={streams}
          value={stream ?? ""}
          onChange={(chosen) => change({ stream: chosen || undefined, seq: undefined, file: undefined })}
        />
        <Combobox
          label="Tenant of the files"
          placeholder="Choose a tenant"
          options={tenants.data ?? []}
          value={tenant ?? ""}
          onChange={(chosen) => change({ tenant: chosen || undefined, seq: undefined, file: undefined })}
        />
      </div>
      {sources.isPending || tenants.isPending ? (
        <LoadingState what="streams" />
      ) : sources.data === undefined || tenants.data === undefined ? (
        <ErrorState
          error={sources.error ?? tenants.error}
          onRetry={() => void Promise.all([sources.refetch(), tenants.refetch()])}
        />
      ) : streams.length === 0 ? (
        <EmptyState kind="none" title="The project has no sources">
          Declare one in <code>leat.config.ts</code>.
        </EmptyState>
      ) : stream === undefined || tenant === undefined ? (
        <EmptyState
          kind="unselected"
          title={stream === undefined ? "No stream is chosen" : "No tenant is chosen"}
        >
          Files are landed for each stream and tenant on its own: choose one of each above.
        </EmptyState>
      ) : (
        <FileBrowser
          at={{ stream, tenant }}
          seq={search.seq}
          fileKey={search.file}
          sort={search.sort}
          hidden={search.hide}
          onChange={change}
        />
      )}
    </>
  );
}
