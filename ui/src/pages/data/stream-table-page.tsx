/** The table of a stream in the warehouse: of one load, of one tenant, or all. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { type ReactElement, type ReactNode, useMemo, useState } from "react";
import type { Event } from "../../api/types.gen.ts";
import { useLive } from "../../client/live.ts";
import { Button, buttonClass } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Select } from "../../components/select.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { Tabs } from "../../components/tabs.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { settingsQuery } from "../configure/settings-query.ts";
import { schemaQuery } from "../ingest/ingest-queries.ts";
import { printChange } from "../ingest/schema-changes.tsx";
import { EndpointLink, LoadLink, PackageFilesLink, splitStream } from "../ingest/stream-links.tsx";
import { RowBrowser } from "./row-browser.tsx";
import { tableSource } from "./row-source.ts";

const route = getRouteApi("/tables/$stream");

/** Column in which every landed row has its package. */
const packageColumn = "_leat_package";

export function StreamTablePage(): ReactElement {
  const { stream } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { tenant, seq } = search;
  const of = search.of ?? "landed";
  const source = useMemo(() => tableSource({ stream, of, tenant, seq }), [stream, of, tenant, seq]);
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  // Rows that come while somebody reads do not move those under their eyes.
  const client = useQueryClient();
  const [hasNews, setNews] = useState(false);
  useLive("streams", (event) => {
    const events = (event["events"] ?? []) as readonly Event[]; // As the API's description says of `/live`.
    if (events.some((one) => one.kind === "stream.packages" && one.subject === stream)) setNews(true);
  });
  const showNews = (): void => {
    setNews(false);
    void client.resetQueries({
      predicate: ({ queryKey }) => ["rows", "facet"].includes(String(queryKey[0])) && queryKey[2] === stream,
    });
  };
  const settings = useQuery(settingsQuery); // Which column says whose a row is.
  const tab = search.tab ?? "table";
  const links = (row: Readonly<Record<string, unknown>>): ReactNode => {
    const own = Number(row[packageColumn]);
    const named = tenant ?? row[settings.data?.tenant_column ?? ""];
    if (typeof named !== "string" || !(own > 0)) return null;
    const at = { stream, tenant: named };
    return (
      <>
        <LoadLink at={at} seq={own}>
          its load
        </LoadLink>
        <PackageFilesLink at={at} seq={own}>
          its file
        </PackageFilesLink>
        <EndpointLink at={at} tab="cursor">
          the cursor
        </EndpointLink>
      </>
    );
  };
  return (
    <>
      <PageHeader
        title={stream}
        above={
          <>
            <Link to="/datasets">Datasets</Link> ›{" "}
            <Link to="/sources/$source" params={{ source: splitStream(stream).source }}>
              {splitStream(stream).source}
            </Link>
          </>
        }
        actions={hasNews && <Button onClick={showNews}>Show new rows</Button>}
        about={tenant === undefined ? "Rows of all tenants." : `Rows of the tenant ${tenant}.`}
      />
      <Tabs
        label="Parts of the table"
        items={[
          { id: "table", name: "Table" },
          { id: "columns", name: "Columns and their changes" },
        ]}
        value={tab}
        onChange={(id) => change({ tab: id === "columns" ? "columns" : undefined })}
      >
        {tab === "table" ? (
          <RowBrowser
            source={source}
            label={`Rows of ${stream}`}
            search={search}
            onChange={change}
            scope={
              <>
                <Select
                  label="Rows"
                  options={[
                    { value: "landed", name: "every version" },
                    { value: "current", name: "newest of each key" },
                  ]}
                  value={of}
                  onChange={(next) =>
                    change({ of: next === "current" ? "current" : undefined, row: undefined })
                  }
                />
                {seq !== undefined && (
                  <button
                    type="button"
                    aria-label={`Remove: load ${seq}`}
                    onClick={() => change({ seq: undefined, row: undefined })}
                    className={buttonClass("plain", "bg-selected font-normal")}
                  >
                    load {seq}
                    <X aria-hidden="true" />
                  </button>
                )}
              </>
            }
            links={links}
            none={
              seq !== undefined ? (
                <EmptyState
                  kind="filtered"
                  title={`Load ${seq} brought no rows`}
                  onClear={() => change({ seq: undefined })}
                />
              ) : tenant !== undefined ? (
                <EmptyState
                  kind="filtered"
                  title={`The table has no rows of the tenant ${tenant}`}
                  onClear={() => change({ tenant: undefined })}
                />
              ) : (
                <EmptyState kind="none" title="The table has no rows yet">
                  They come when a run of the stream has loaded its first package.
                </EmptyState>
              )
            }
          />
        ) : (
          <TableColumns stream={stream} />
        )}
      </Tabs>
    </>
  );
}

type ColumnRow = Readonly<{ name: string; type: string; changes: string; at: string | undefined }>;

const columns: readonly DataColumn<ColumnRow>[] = [
  { id: "name", name: "Column", width: 240, cell: (one) => <b>{one.name}</b> },
  {
    id: "type",
    name: "Type",
    width: 180,
    cell: (one) => <span className="font-mono text-log">{one.type}</span>,
  },
  { id: "changes", name: "Changes", cell: (one) => <span title={one.changes}>{one.changes || "–"}</span> },
  { id: "at", name: "Last changed", width: 150, cell: (one) => <TimeText at={one.at} /> },
];

function TableColumns({ stream }: Readonly<{ stream: string }>): ReactElement {
  const { data, error, isPending, refetch } = useQuery(schemaQuery(stream));
  if (isPending) return <LoadingState what="columns" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const rows = data.columns.map(({ name, type }): ColumnRow => {
    const own = data.changes.filter((one) => one.data["column"] === name);
    return { name, type, changes: own.map(printChange).join(", "), at: own.at(-1)?.at };
  });
  return (
    <DataTable
      label="Columns"
      columns={columns}
      rows={rows}
      rowId={(one) => one.name}
      empty={
        <EmptyState kind="none" title="The table has no columns yet">
          They come with the first package that is loaded.
        </EmptyState>
      }
    />
  );
}
