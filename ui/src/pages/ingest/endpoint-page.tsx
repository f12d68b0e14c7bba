/** One stream of one tenant: how late it is, where its cursor stands and stood, its runs, files and newest records. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useRunNews } from "../../client/run-news.ts";
import { buttonClass } from "../../components/button.tsx";
import { ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { EndpointCursor } from "./endpoint-cursor.tsx";
import { EndpointRuns } from "./endpoint-runs.tsx";
import { EndpointSample } from "./endpoint-sample.tsx";
import { EndpointStatus } from "./endpoint-status.tsx";
import { FileBrowser } from "./file-browser.tsx";
import { endpointQuery } from "./ingest-queries.ts";
import { StandingBadge } from "./standing-table.tsx";

const route = getRouteApi("/sources/$source/$tenant/$stream");
const tabs = ["status", "cursor", "runs", "files", "sample"] as const;

export function EndpointPage(): ReactElement {
  useRunNews();
  const { source, tenant, stream: name } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const at = { stream: `${source}.${name}`, tenant };
  const { data, error, refetch } = useQuery(endpointQuery(at));
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const above = (
    <>
      <Link to="/sources" className="underline">
        Sources
      </Link>{" "}
      ›{" "}
      <Link to="/sources/$source" params={{ source }} className="underline">
        {source}
      </Link>{" "}
      › {tenant}
    </>
  );
  if (data === undefined) {
    return (
      <>
        <PageHeader title={name} above={above} />
        {error === null ? (
          <LoadingState what="the endpoint" />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )}
      </>
    );
  }
  const tab = search.tab ?? "status";
  return (
    <>
      <PageHeader
        title={name}
        above={above}
        state={data.standing === null ? undefined : <StandingBadge standing={data.standing} />}
        {...(!data.is_known && {
          about: "The stream is not read for this tenant any more: what is landed stays.",
        })}
        actions={
          <Link
            to="/tables/$stream"
            params={{ stream: at.stream }}
            search={{ tenant }}
            className={buttonClass()}
          >
            Rows
          </Link>
        }
      />
      <Tabs
        label="Parts of the endpoint"
        items={[
          { id: "status", name: "Status and lag" },
          { id: "cursor", name: "Cursor and history" },
          { id: "runs", name: "Runs", count: data.runs.length },
          { id: "files", name: "Files" },
          { id: "sample", name: "Sample" },
        ]}
        value={tab}
        onChange={(id) => change({ tab: tabs.find((one) => one === id), seq: undefined, file: undefined })}
      >
        {tab === "status" && <EndpointStatus endpoint={data} />}
        {tab === "cursor" && (
          <EndpointCursor
            endpoint={data}
            isEditing={search.edit ?? false}
            onEdit={(isOpen) => change({ edit: isOpen ? true : undefined })}
          />
        )}
        {tab === "runs" && <EndpointRuns runs={data.runs} />}
        {tab === "files" && (
          <FileBrowser
            at={at}
            seq={search.seq}
            fileKey={search.file}
            sort={search.sort}
            hidden={search.hide}
            onChange={change}
          />
        )}
        {tab === "sample" && <EndpointSample at={at} />}
      </Tabs>
    </>
  );
}
