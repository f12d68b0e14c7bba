/** One load: what a package brought into the warehouse, what fitted no type, and how the table changed with it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { GetApiStreamsByIdPackagesBySeqResponse } from "../../api/types.gen.ts";
import { buttonClass } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { Tabs } from "../../components/tabs.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { printCount } from "../../format/duration.ts";
import { packageQuery, type StreamAt, schemaQuery, streamLoadQuery } from "./ingest-queries.ts";
import { LoadRejects } from "./load-rejects.tsx";
import { PackageRunLink } from "./package-run-link.tsx";
import { printChange } from "./schema-changes.tsx";
import { EndpointLink, PackageFilesLink } from "./stream-links.tsx";

const route = getRouteApi("/loads/$stream/$tenant/$seq");
const tabs = ["counts", "schema", "rejects"] as const;

type PackageFacts = GetApiStreamsByIdPackagesBySeqResponse;

export function LoadPage(): ReactElement {
  const { stream, tenant, seq: named } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const seq = Number(named);
  const at = { stream, tenant };
  const landed = useQuery(packageQuery({ ...at, seq }));
  const load = useQuery(streamLoadQuery({ ...at, seq }));
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const above = (
    <>
      <Link to="/loads">Loads</Link> ›{" "}
      <EndpointLink at={at}>
        {stream} of {tenant}
      </EndpointLink>
    </>
  );
  const title = `Load ${named} of ${stream}`;
  if (landed.data === undefined || load.data === undefined) {
    return (
      <>
        <PageHeader title={title} above={above} />
        {landed.isPending || load.isPending ? (
          <LoadingState what="the load" />
        ) : (
          <ErrorState
            error={landed.error ?? load.error}
            onRetry={() => void Promise.all([landed.refetch(), load.refetch()])}
          />
        )}
      </>
    );
  }
  const done = load.data;
  const tab = search.tab ?? "counts";
  return (
    <>
      <PageHeader
        title={title}
        above={above}
        about={
          done === null ? (
            <Unloaded landed={landed.data} />
          ) : (
            <>
              loaded <TimeText at={done.loaded_at} />
            </>
          )
        }
        actions={
          <>
            <PackageFilesLink at={at} seq={seq}>
              Files
            </PackageFilesLink>
            <Link
              to="/tables/$stream"
              params={{ stream }}
              search={{ tenant, seq }}
              className={buttonClass("primary")}
            >
              Rows of this load
            </Link>
          </>
        }
      />
      <Tabs
        label="Parts of the load"
        items={[
          { id: "counts", name: "Tables and rows" },
          { id: "schema", name: "Schema changes" },
          { id: "rejects", name: "Rejects", ...(done !== null && { count: done.rejected }) },
        ]}
        value={tab}
        onChange={(id) => change({ tab: tabs.find((one) => one === id) })}
      >
        {tab === "counts" && <Counts at={at} landed={landed.data} load={done} />}
        {tab === "schema" && <Schema stream={stream} landed={landed.data} load={done} />}
        {tab === "rejects" && <LoadRejects at={at} seq={seq} />}
      </Tabs>
    </>
  );
}

/** Packages of other kinds than data move a cursor, or say something of the stream: nobody waits for their rows. */
const hasRows = ({ kind }: PackageFacts): boolean => kind === "data";

function Unloaded({ landed }: Readonly<{ landed: PackageFacts }>): ReactElement {
  return hasRows(landed) ? (
    <span className="text-attention">‖ Landed, and not in the warehouse yet.</span>
  ) : (
    <>It has no rows to load.</>
  );
}

type LoadFacts = Readonly<{ loaded: number; rejected: number; generation: number; loaded_at: string }>;

const countNames: Readonly<Record<string, string>> = {
  received: "Received from the source",
  landed: "Landed",
  boundary_skipped: "Known already, left out",
  repeated: "Repeated, left out",
  quarantined: "Quarantined",
  restated: "Changed without a new cursor value",
  unusable_cursor: "Without a usable cursor value",
};

function Counts({
  at,
  landed,
  load,
}: Readonly<{ at: StreamAt; landed: PackageFacts; load: LoadFacts | null }>): ReactElement {
  return (
    <div className="wide:grid-cols-2 grid gap-4 p-4">
      <section className="card min-w-0 p-4">
        <h2 className="mb-3 text-section">Landed</h2>
        <KeyValue
          facts={[
            ...Object.entries(landed.counts).map(
              ([name, count]) => [countNames[name] ?? name, printCount(count)] as const,
            ),
            [
              "Files",
              <PackageFilesLink key="files" at={at} seq={landed.seq}>
                {printCount(landed.files.length)}
              </PackageFilesLink>,
            ],
            ["Committed", <TimeText key="at" at={landed.committed_at} />],
            ["Read by", <PackageRunLink key="run" at={at} seq={landed.seq} />],
          ]}
        />
      </section>
      <section className="card min-w-0 p-4">
        <h2 className="mb-3 text-section">Table</h2>
        {load === null ? (
          hasRows(landed) ? (
            <EmptyState kind="none" title="Not loaded yet">
              The next run of the stream loads it, or <code>leat load</code>.
            </EmptyState>
          ) : (
            <EmptyState kind="none" title="Nothing to load">
              The package has no rows.
            </EmptyState>
          )
        ) : (
          <KeyValue
            facts={[
              [
                "Table",
                <Link key="table" to="/tables/$stream" params={{ stream: at.stream }} search={{}}>
                  {at.stream}
                </Link>,
              ],
              ["Rows in", printCount(landed.counts["landed"] ?? 0)],
              ["Rows loaded", printCount(load.loaded)],
              [
                "Rejected",
                load.rejected === 0 ? (
                  "0"
                ) : (
                  <b key="rejected" className="text-attention">
                    ! {printCount(load.rejected)}
                  </b>
                ),
              ],
              ["Generation", load.generation],
            ]}
          />
        )}
      </section>
    </div>
  );
}

type SchemaRow = Readonly<{ name: string; change: string; type: string }>;

const schemaColumns: readonly DataColumn<SchemaRow>[] = [
  { id: "name", name: "Column", cell: (one) => <span className="font-mono text-log">{one.name}</span> },
  {
    id: "type",
    name: "Type now",
    width: 180,
    cell: (one) => <span className="font-mono text-log">{one.type}</span>,
  },
  { id: "change", name: "Change of the table", cell: (one) => one.change },
];

/** How long after its rows a load's changes of the table are written down at most, ms. */
const toldWithinMs = 5000;

/** Columns of the package, with what became of the table when it was loaded. */
function Schema({
  stream,
  landed,
  load,
}: Readonly<{ stream: string; landed: PackageFacts; load: LoadFacts | null }>): ReactElement {
  const { data, error, isPending, refetch } = useQuery(schemaQuery(stream));
  if (isPending) return <LoadingState what="the schema" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const loadedMs = Date.parse(load?.loaded_at ?? "");
  const names = new Set(landed.columns.map(({ name }) => name));
  const rows = data.columns
    .filter(({ name }) => names.has(name))
    .map(({ name, type }) => {
      const own = data.changes.filter(
        (one) => one.data["column"] === name && Math.abs(Date.parse(one.at) - loadedMs) < toldWithinMs,
      );
      return { name, type, change: own.map(printChange).join(", ") || "–" };
    });
  return (
    <DataTable
      label="Columns of the load"
      columns={schemaColumns}
      rows={rows}
      rowId={(one) => one.name}
      empty={
        <EmptyState kind="none" title="The package has no columns">
          It holds no records.
        </EmptyState>
      }
    />
  );
}
