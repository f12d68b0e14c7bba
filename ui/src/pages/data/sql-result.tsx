/** Rows that a query gave. */
import { Download } from "lucide-react";
import { type ReactElement, useMemo, useState } from "react";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { type DataColumn, readSort } from "../../components/table-columns.ts";
import { RowCell } from "./row-cell.tsx";
import { familyOf } from "./row-filter.ts";
import type { SqlAnswer } from "./sql-engine.ts";

type Line = Readonly<{ number: number; values: readonly (string | null)[] }>;

export function SqlResult({ answer }: Readonly<{ answer: SqlAnswer }>): ReactElement {
  const [sort, setSort] = useState<string>();
  const columns = useMemo(
    () =>
      answer.columns.map(({ name, type }, at): DataColumn<Line> => {
        const isNumber = familyOf(type) === "number";
        return {
          id: `${at}`, // Two columns of a query may have one name.
          name,
          width: Math.max(120, Math.min(260, name.length * 8 + 40)),
          ...(isNumber && { align: "end" as const }),
          sortBy: ({ values }) => {
            const value = values[at];
            return value == null || !isNumber ? value : Number(value);
          },
          cell: ({ values }) => <RowCell value={values[at]} />,
        };
      }),
    [answer],
  );
  const rows = useMemo(() => answer.rows.map((values, at): Line => ({ number: at, values })), [answer]);
  return (
    <>
      <div className="flex justify-end px-4 py-1">
        <Button onClick={() => save(answer)}>
          <Download aria-hidden="true" /> CSV of these rows
        </Button>
      </div>
      <DataTable
        label="Answer"
        columns={columns}
        rows={rows}
        rowId={(row) => String(row.number)}
        sort={readSort(sort).length === 0 ? undefined : sort}
        onSort={setSort}
        empty={<EmptyState kind="none" title="No row fits the query" />}
      />
    </>
  );
}

const quote = (value: string | null): string => (value === null ? "" : `"${value.replaceAll('"', '""')}"`);

function save({ columns, rows }: SqlAnswer): void {
  const lines = [columns.map(({ name }) => quote(name)), ...rows.map((row) => row.map(quote))];
  const href = URL.createObjectURL(
    new Blob([lines.map((line) => `${line.join(",")}\r\n`).join("")], { type: "text/csv" }),
  );
  const link = document.createElement("a");
  link.href = href;
  link.download = "answer.csv";
  link.click();
  URL.revokeObjectURL(href);
}
