/** Where the next range begins, how that came about, and the way to set it. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactElement, useMemo } from "react";
import { useMay } from "../../client/use-may.ts";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { TimeText } from "../../components/time-text.tsx";
import { printCount } from "../../format/duration.ts";
import { CursorDialog } from "./cursor-dialog.tsx";
import { type Endpoint, type LandedPackage, packagesQuery, type StreamAt } from "./ingest-queries.ts";
import { LoadLink, PackageFilesLink } from "./stream-links.tsx";

export type EndpointCursorProps = Readonly<{
  endpoint: Endpoint;
  isEditing: boolean;
  onEdit: (isOpen: boolean) => void;
}>;

export function EndpointCursor({ endpoint, isEditing, onEdit }: EndpointCursorProps): ReactElement {
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } =
    useInfiniteQuery(packagesQuery(endpoint));
  const packages = useMemo(() => data?.pages.flat() ?? [], [data]);
  const columns = useMemo(() => columnsOf(endpoint), [endpoint]);
  const mayEdit = useMay("operator");
  const refused = mayEdit ? whyRefused(endpoint) : "Operators and admins edit cursors; you look on.";
  return (
    <>
      <section className="m-4 mb-0 card min-w-0 max-w-240 p-4">
        <div className="mb-3 flex flex-wrap items-center gap-3">
          <h2 className="text-section">Cursor</h2>
          <span className="flex-1" />
          <Button
            look="primary"
            disabled={refused !== undefined}
            aria-describedby={refused === undefined ? undefined : "cursor-refused"}
            onClick={() => onEdit(true)}
          >
            Edit cursor …
          </Button>
        </div>
        {refused !== undefined && (
          <p id="cursor-refused" className="mb-3 text-attention">
            ‖ {refused}
          </p>
        )}
        <KeyValue
          facts={[
            ["Cursor", <Value key="cursor" text={endpoint.place?.cursor} />],
            ["Asked for up to", <Value key="scanned" text={endpoint.place?.scanned_to} />],
            [
              "Next range begins",
              <Value key="next" text={endpoint.place?.next ?? endpoint.cursor?.initial} />,
            ],
          ]}
        />
      </section>
      <h2 className="px-4 pt-4 text-section">History</h2>
      {isPending ? (
        <LoadingState what="the history" />
      ) : data === undefined ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : (
        <DataTable
          label="History of the cursor"
          columns={columns}
          rows={packages}
          rowId={(one) => String(one.seq)}
          onEnd={() => {
            if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
          }}
          empty={
            <EmptyState kind="none" title="Nothing has been landed yet">
              The first run begins at {endpoint.cursor?.initial ?? "the beginning"}.
            </EmptyState>
          }
        />
      )}
      {isEditing && refused === undefined && (
        <CursorDialog endpoint={endpoint} onClose={() => onEdit(false)} />
      )}
    </>
  );
}

function whyRefused(endpoint: Endpoint): string | undefined {
  if (endpoint.cursor === null) return "This stream has no cursor: everything is read each time.";
  if (!endpoint.is_known) return "The stream is not read for this tenant any more.";
  return endpoint.can_edit
    ? undefined
    : "It is being read right now: the cursor can be edited when that run has ended.";
}

function Value({ text }: Readonly<{ text: string | null | undefined }>): ReactElement {
  return text == null ? <span className="text-muted">none yet</span> : <code>{text}</code>;
}

const kinds: Readonly<Record<string, string>> = {
  data: "Read",
  empty: "Read, nothing new",
  "state-edit": "Set by hand",
  closed: "Closed",
  forget: "Files thrown away",
};

/** Without the zeros of a fraction, so that both ends of a range stand side by side. */
const printPlace = (place: string | null | undefined): string =>
  place?.replace(/(:\d\d(?:\.\d*[1-9])?)\.?0*Z$/, "$1Z") ?? "–";

const columnsOf = (at: StreamAt): readonly DataColumn<LandedPackage>[] => [
  {
    id: "seq",
    name: "Package",
    width: 80,
    align: "end",
    cell: ({ seq }) => (
      <PackageFilesLink at={at} seq={seq}>
        {seq}
      </PackageFilesLink>
    ),
  },
  { id: "at", name: "When", width: 110, cell: (one) => <TimeText at={one.committed_at} /> },
  { id: "kind", name: "What", width: 160, cell: (one) => kinds[one.kind] ?? one.kind },
  {
    id: "next",
    name: "Next range",
    width: 410,
    cell: ({ before, after }) => (
      <span
        className="font-mono text-log"
        title={`${before.next ?? "the beginning"} → ${after.next ?? "the beginning"}`}
      >
        {before.next === after.next
          ? printPlace(after.next)
          : `${printPlace(before.next)} → ${printPlace(after.next)}`}
      </span>
    ),
  },
  {
    id: "who",
    name: "Who and why",
    cell: ({ edit }) =>
      edit === null ? (
        <span className="text-muted">a run</span>
      ) : (
        <span title={edit.why}>
          <b>{edit.who}</b>
          {edit.why !== "" && `: ${edit.why}`}
        </span>
      ),
  },
  {
    id: "records",
    name: "Records",
    width: 90,
    align: "end",
    cell: ({ counts }) => printCount(counts["landed"] ?? 0),
  },
  {
    id: "load",
    name: "See",
    width: 80,
    cell: ({ seq, kind, edit }) =>
      kind === "data" ? (
        <LoadLink at={at} seq={seq}>
          load
        </LoadLink>
      ) : edit === null ? (
        "–"
      ) : (
        <Link to="/audit" search={{ find: at.stream }}>
          audit
        </Link>
      ),
  },
];
