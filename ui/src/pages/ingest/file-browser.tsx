/** Landed files of a stream and tenant as a table, and the one that is looked into beside it. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactElement, useMemo } from "react";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { ColumnChooser } from "../../components/table-head.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { plural, printBytes, printCount } from "../../format/duration.ts";
import { FileInspector } from "./file-inspector.tsx";
import { filesQuery, type LandedFile, type StreamAt } from "./ingest-queries.ts";
import { LoadLink } from "./stream-links.tsx";

type Chosen = Readonly<{
  seq?: number | undefined;
  file?: string | undefined;
  sort?: string | undefined;
  hide?: string | undefined;
}>;

export type FileBrowserProps = Readonly<{
  at: StreamAt;
  /** Only this package's. */
  seq: number | undefined;
  fileKey: string | undefined;
  sort: string | undefined;
  hidden: string | undefined;
  onChange: (changed: Chosen) => void;
}>;

const kinds: Readonly<Record<LandedFile["kind"], string>> = {
  part: "Records",
  raw: "As published",
  quarantine: "Quarantine",
};

export function FileBrowser({ at, seq, fileKey, sort, hidden, onChange }: FileBrowserProps): ReactElement {
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } =
    useInfiniteQuery(filesQuery(at, seq));
  const columns = useMemo(() => columnsOf(at), [at.stream, at.tenant]);
  const files = useMemo(() => data?.pages.flatMap((page) => page.files) ?? [], [data]);
  // Where a package has none, the answer begins with the next older one.
  const shown = seq === undefined ? files : files.filter((one) => one.seq === seq);
  const more = (): void => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  };
  if (isPending) return <LoadingState what="landed files" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const first = shown[0];
  // A package's files, and one of them: with a link from a load alone the first is what is meant.
  const chosen = files.find((one) => one.key === fileKey) ?? (seq === undefined ? undefined : first);
  return (
    <div className="wide:flex-row flex min-h-0 flex-1 flex-col">
      <div className="flex min-h-80 min-w-0 flex-1 flex-col">
        <div className="flex flex-wrap items-center gap-2 px-4 py-2">
          <span role="status" className="text-muted">
            {seq === undefined
              ? `${plural(shown.length, "file")}${hasNextPage ? " and more" : ""}, ${printBytes(shown.reduce((sum, one) => sum + one.bytes, 0))}`
              : `${plural(shown.length, "file")} of package ${seq}`}
          </span>
          {seq !== undefined && (
            <button
              type="button"
              className="text-accent hover:underline"
              onClick={() => onChange({ seq: undefined, file: undefined })}
            >
              All packages
            </button>
          )}
          <span className="flex-1" />
          <ColumnChooser columns={columns} hidden={hidden} onChange={(hide) => onChange({ hide })} />
        </div>
        <DataTable
          label="Landed files"
          columns={columns}
          rows={shown}
          rowId={(one) => one.key}
          sort={sort}
          onSort={(next) => onChange({ sort: next })}
          hidden={hidden}
          onOpen={(one) => onChange({ file: one.key })}
          onEnd={more}
          empty={
            seq !== undefined ? (
              <EmptyState
                kind="filtered"
                title={`Package ${seq} has no files`}
                onClear={() => onChange({ seq: undefined, file: undefined })}
              >
                Edits of the cursor and runs that found nothing new have none.
              </EmptyState>
            ) : (
              <EmptyState kind="none" title="Nothing has been landed yet">
                Files appear when a run of this stream and tenant commits its first package.
              </EmptyState>
            )
          }
        />
      </div>
      <aside
        aria-label="File"
        className="wide:border-t-0 wide:border-l wide:w-[44%] flex min-w-0 flex-col overflow-y-auto border-t border-line"
      >
        {chosen === undefined ? (
          <EmptyState kind="unselected" title="No file is chosen">
            Choose one to see what is in it.
          </EmptyState>
        ) : (
          <FileInspector at={at} file={chosen} />
        )}
      </aside>
    </div>
  );
}

const columnsOf = (at: StreamAt): readonly DataColumn<LandedFile>[] => [
  { id: "seq", name: "Package", width: 88, align: "end", sortBy: (one) => one.seq, cell: (one) => one.seq },
  {
    id: "name",
    name: "File",
    isFixed: true,
    width: 185,
    sortBy: (one) => one.name,
    cell: (one) => (
      <span className="font-mono text-log" title={one.key}>
        {one.name}
      </span>
    ),
  },
  { id: "kind", name: "Kind", width: 110, sortBy: (one) => one.kind, cell: (one) => kinds[one.kind] },
  {
    id: "records",
    name: "Records",
    width: 88,
    align: "end",
    sortBy: (one) => one.records,
    cell: (one) => (one.records === null ? "–" : printCount(one.records)),
  },
  {
    id: "bytes",
    name: "Bytes",
    width: 80,
    align: "end",
    sortBy: (one) => one.bytes,
    cell: (one) => printBytes(one.bytes),
  },
  {
    id: "at",
    name: "Landed",
    width: 95,
    sortBy: (one) => one.committed_at,
    cell: (one) => <TimeText at={one.committed_at} />,
  },
  {
    id: "load",
    name: "Load",
    width: 80,
    isHidden: true, // The inspector links to it, and the table is narrow beside it.
    cell: (one) =>
      one.kind === "part" ? (
        <LoadLink at={at} seq={one.seq}>
          load
        </LoadLink>
      ) : (
        "–"
      ),
  },
];
