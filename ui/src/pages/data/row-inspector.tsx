/** One row in full, and where it came from. */
import { X } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import { Button } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { printValue } from "./row-cell.tsx";
import { familyOf, type RowFilter } from "./row-filter.ts";
import type { RowColumn, RowValues } from "./row-source.ts";

export type RowInspectorProps = Readonly<{
  number: number;
  columns: readonly RowColumn[];
  values: RowValues;
  onClose: () => void;
  onFilter: (filter: RowFilter) => void;
  links?: ((row: Readonly<Record<string, unknown>>) => ReactNode) | undefined;
}>;

export function RowInspector({
  number,
  columns,
  values,
  onClose,
  onFilter,
  links,
}: RowInspectorProps): ReactElement {
  const row = Object.fromEntries(columns.map(({ name }, at) => [name, values[at]]));
  return (
    <aside
      aria-label={`Row ${number}`}
      className="flex w-90 max-w-[45%] shrink-0 flex-col overflow-y-auto border-l border-line p-3"
    >
      <div className="mb-2 flex items-center gap-2">
        <h2 className="flex-1 text-section">Row {number}</h2>
        <CopyButton text={() => JSON.stringify(row, null, 2)} what="row as JSON" />
        <Button look="quiet" aria-label="Close the row" className="px-1.5" onClick={onClose}>
          <X aria-hidden="true" />
        </Button>
      </div>
      {links !== undefined && <div className="mb-3 flex flex-wrap gap-x-3">{links(row)}</div>}
      <dl className="flex flex-col gap-2">
        {columns.map(({ name, type, about }, at) => {
          const value = values[at];
          const isEmpty = value === null || value === undefined;
          return (
            <div key={name} className="border-t border-line pt-1">
              <dt className="flex items-baseline gap-2 text-meta text-muted">
                <span className="min-w-0 flex-1 [overflow-wrap:anywhere]" title={about}>
                  {name} <span className="font-mono">{type}</span>
                </span>
                {familyOf(type) !== "json" && (
                  <button
                    type="button"
                    className="min-h-6 text-accent hover:underline"
                    aria-label={`only these: ${name}`}
                    onClick={() =>
                      onFilter(
                        isEmpty
                          ? { column: name, operator: "isnull", value: "true" }
                          : { column: name, operator: "eq", value: printValue(value) },
                      )
                    }
                  >
                    only these
                  </button>
                )}
              </dt>
              <dd className="whitespace-pre-wrap [overflow-wrap:anywhere]">
                {isEmpty ? <i className="text-muted">empty</i> : printValue(value)}
              </dd>
            </div>
          );
        })}
      </dl>
    </aside>
  );
}
