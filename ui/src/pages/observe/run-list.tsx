/** Runs as a list: choose some, retry or cancel them. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactElement, useCallback, useMemo, useState } from "react";
import { type RunFilter, runsQuery } from "../../client/run-queries.ts";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import type { SortText } from "../../components/table-columns.ts";
import { ColumnChooser } from "../../components/table-head.tsx";
import { plural } from "../../format/duration.ts";
import { type BulkDeed, BulkDialog, canDo } from "./bulk-dialog.tsx";
import { runColumns, tenantRunColumns } from "./run-columns.tsx";

export type RunListProps = Readonly<{
  filter: RunFilter;
  isFiltered: boolean;
  onClear: () => void;
  sort: SortText;
  onSort: (sort: SortText) => void;
  hidden: string | undefined;
  onHide: (hidden: string | undefined) => void;
}>;

export function RunList(props: RunListProps): ReactElement {
  const { filter, isFiltered, onClear, sort, onSort, hidden, onHide } = props;
  const navigate = useNavigate();
  const { data, error, isPending, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } =
    useInfiniteQuery(runsQuery(filter));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [deed, setDeed] = useState<BulkDeed>();
  const columns = filter.tenant === undefined ? runColumns : tenantRunColumns;
  const runs = useMemo(() => data?.pages.flat() ?? [], [data]);
  const chosen = runs.filter(({ id }) => selected.has(id));
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (isPending) return <LoadingState what="runs" />;
  if (error !== null && runs.length === 0) return <ErrorState error={error} onRetry={() => void refetch()} />;
  return (
    <>
      <div className="flex min-h-11 flex-wrap items-center gap-2 px-4 py-2">
        <span className="text-muted" role="status">
          {chosen.length === 0
            ? `${plural(runs.length, "run")}${hasNextPage ? " and more" : ""}`
            : `${plural(chosen.length, "run")} of ${runs.length} selected`}
        </span>
        <Button disabled={!chosen.some((run) => canDo("retry", run))} onClick={() => setDeed("retry")}>
          Retry …
        </Button>
        <Button disabled={!chosen.some((run) => canDo("cancel", run))} onClick={() => setDeed("cancel")}>
          Cancel …
        </Button>
        <div className="flex-1" />
        <ColumnChooser columns={columns} hidden={hidden} onChange={onHide} />
      </div>
      <DataTable
        label="Runs"
        columns={columns}
        rows={runs}
        rowId={(run) => run.id}
        onOpen={(run) => void navigate({ to: "/runs/$id", params: { id: run.id } })}
        sort={sort}
        onSort={onSort}
        hidden={hidden}
        selected={selected}
        onSelect={setSelected}
        onEnd={onEnd}
        empty={
          isFiltered ? (
            <EmptyState kind="filtered" title="No run fits these filters" onClear={onClear} />
          ) : (
            <EmptyState kind="none" title="No runs yet">
              Runs are made by schedules and triggers, by Run on a deployment, and by <code>leat run</code>.
            </EmptyState>
          )
        }
      />
      {deed !== undefined && (
        <BulkDialog
          deed={deed}
          runs={chosen}
          onClose={() => setDeed(undefined)}
          onDone={() => setSelected(new Set())}
        />
      )}
    </>
  );
}
