/** The newest records of a stream and tenant, as they came. */
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { FileInspector } from "./file-inspector.tsx";
import { filesQuery, type StreamAt } from "./ingest-queries.ts";

export function EndpointSample({ at }: Readonly<{ at: StreamAt }>): ReactElement {
  const { data, error, isPending, refetch } = useInfiniteQuery(filesQuery(at));
  if (isPending) return <LoadingState what="a sample" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const newest = data.pages.flatMap(({ files }) => files).find((file) => file.kind !== "quarantine");
  if (newest === undefined) {
    return (
      <EmptyState kind="none" title="Nothing has been landed yet">
        The newest records are shown here once a run has committed some.
      </EmptyState>
    );
  }
  return (
    <div className="max-w-240">
      <FileInspector at={at} file={newest} />
    </div>
  );
}
