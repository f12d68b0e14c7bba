/** What each column of a dataset means and holds. */
import type { ReactElement } from "react";
import { DataTable } from "../../components/data-table.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { printCount } from "../../format/duration.ts";
import { RowCell } from "./row-cell.tsx";
import type { DatasetColumn, DatasetFacts } from "./row-source.ts";

const mono = (text: string): ReactElement => <span className="font-mono text-log">{text}</span>;

const columnsOf = (facts: DatasetFacts): readonly DataColumn<DatasetColumn>[] => [
  {
    id: "name",
    name: "Column",
    isFixed: true,
    width: 200,
    cell: (one) => (
      <>
        <b>{one.name}</b>
        {facts.key.includes(one.name) && <span className="ml-2 text-meta text-muted">key</span>}
      </>
    ),
  },
  { id: "type", name: "Type", width: 130, cell: (one) => mono(one.type) },
  { id: "unit", name: "Unit", width: 100, cell: (one) => one.unit ?? "–" },
  {
    id: "about",
    name: "Meaning",
    width: 440,
    cell: (one) => <span title={one.description ?? ""}>{one.description ?? "–"}</span>,
  },
  {
    id: "empty",
    name: "Empty",
    width: 90,
    align: "end",
    cell: (one) => (one.nullCount === null ? "–" : printCount(one.nullCount)),
  },
  {
    id: "distinct",
    name: "Different",
    width: 100,
    align: "end",
    cell: (one) => (one.distinctCount === null ? "–" : printCount(one.distinctCount)),
  },
  { id: "min", name: "Least", width: 150, cell: (one) => <RowCell value={one.min} /> },
  { id: "max", name: "Greatest", width: 150, cell: (one) => <RowCell value={one.max} /> },
];

export function ColumnFacts({ facts }: Readonly<{ facts: DatasetFacts }>): ReactElement {
  return (
    <>
      {facts.licence !== null && <p className="px-4 py-2 text-meta text-muted">{facts.licence}</p>}
      <DataTable label="Columns" columns={columnsOf(facts)} rows={facts.columns} rowId={(one) => one.name} />
    </>
  );
}
