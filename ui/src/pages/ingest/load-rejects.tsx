/** Records of one load that fitted no type of the table: why, and as they were landed. */
import { useQuery } from "@tanstack/react-query";
import { type ReactElement, useState } from "react";
import type { GetApiStreamsByIdRejectsResponse } from "../../api/types.gen.ts";
import { CodeBlock } from "../../components/code-block.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { rejectsQuery, type StreamAt } from "./ingest-queries.ts";

type Reject = GetApiStreamsByIdRejectsResponse["rejects"][number];

const columns: readonly DataColumn<Reject>[] = [
  { id: "row", name: "Row", width: 80, align: "end", cell: (one) => one.row ?? "–" },
  {
    id: "column",
    name: "Column",
    width: 200,
    cell: (one) => <span className="font-mono text-log">{one.column ?? "–"}</span>,
  },
  { id: "reason", name: "Reason", width: 320, cell: (one) => <span title={one.reason}>{one.reason}</span> },
  { id: "record", name: "Record", cell: (one) => <span className="font-mono text-log">{one.record}</span> },
];

const idOf = (one: Reject): string => `${one.row} ${one.column}`;

export function LoadRejects({ at, seq }: Readonly<{ at: StreamAt; seq: number }>): ReactElement {
  const { data, error, isPending, refetch } = useQuery(rejectsQuery({ ...at, seq }));
  const [chosen, setChosen] = useState<Reject>();
  if (isPending) return <LoadingState what="rejects" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  return (
    <>
      <DataTable
        label="Rejects"
        columns={columns}
        rows={data}
        rowId={idOf}
        onOpen={setChosen}
        empty={
          <EmptyState kind="none" title="Every record fitted">
            What fits no type of the table would be listed here, with the reason, and never becomes an empty
            value.
          </EmptyState>
        }
      />
      {chosen !== undefined && (
        <div className="p-4">
          <CodeBlock code={chosen.record} what="record" />
          {chosen.is_cut && <p className="text-meta text-muted">Only its beginning is shown.</p>}
        </div>
      )}
    </>
  );
}
