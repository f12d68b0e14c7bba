/** What a query can be made of: tables and columns, queries that were run, and those that were kept. */
import { Trash2 } from "lucide-react";
import type { ReactElement } from "react";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { forgetQuery, useQueryMemory } from "./query-memory.ts";
import { quoteName } from "./row-filter.ts";
import type { SqlColumn } from "./sql-engine.ts";

const sides = ["tables", "history", "saved"] as const;
export type SideName = (typeof sides)[number];

export type SqlSideProps = Readonly<{
  side: SideName;
  onSide: (side: SideName) => void;
  tables: readonly Readonly<{ name: string; columns: readonly SqlColumn[] }>[];
  onPick: (text: string) => void;
}>;

const pickClass =
  "w-full min-w-0 rounded-control px-2 py-1 text-start font-mono text-log whitespace-pre-wrap [overflow-wrap:anywhere] hover:bg-selected";

export function SqlSide({ side, onSide, tables, onPick }: SqlSideProps): ReactElement {
  const { history, saved } = useQueryMemory();
  return (
    <aside
      aria-label="Tables and queries"
      className="wide:w-80 wide:border-t-0 wide:border-l flex min-h-60 shrink-0 flex-col border-t border-line"
    >
      <Tabs
        label="Tables and queries"
        items={[
          { id: "tables", name: "Tables" },
          { id: "history", name: "History" },
          { id: "saved", name: "Saved", count: saved.length },
        ]}
        value={side}
        onChange={(id) => onSide(sides.find((one) => one === id) ?? "tables")}
      >
        <div className="min-h-0 flex-1 overflow-y-auto p-2">
          {side === "tables" && (
            <>
              {tables.length === 0 && <EmptyState kind="none" title="No dataset is published yet" />}
              {tables.map(({ name, columns }) => (
                <details key={name} className="mb-1">
                  <summary className="min-h-7 rounded-control px-2 py-1 font-semibold [overflow-wrap:anywhere] hover:bg-sunk">
                    {name}
                  </summary>
                  <button
                    type="button"
                    className={pickClass}
                    onClick={() => onPick(`SELECT *\nFROM ${quoteName(name)}\nLIMIT 20`)}
                  >
                    SELECT * …
                  </button>
                  <ul className="pl-4">
                    {columns.map((column) => (
                      <li key={column.name} className="flex gap-2 py-0.5">
                        <span className="min-w-0 flex-1 font-mono text-log [overflow-wrap:anywhere]">
                          {column.name}
                        </span>
                        <span className="text-meta text-muted">{column.type}</span>
                      </li>
                    ))}
                  </ul>
                </details>
              ))}
            </>
          )}
          {side === "history" &&
            (history.length === 0 ? (
              <EmptyState kind="none" title="No query has been run yet" />
            ) : (
              <ul>
                {history.map(({ text, at }) => (
                  <li key={at} className="border-b border-line py-1">
                    <button type="button" className={pickClass} onClick={() => onPick(text)}>
                      {text.slice(0, 300)}
                    </button>
                    <span className="px-2 text-meta text-muted">
                      <TimeText at={at} />
                    </span>
                  </li>
                ))}
              </ul>
            ))}
          {side === "saved" &&
            (saved.length === 0 ? (
              <EmptyState kind="none" title="No query is saved">
                Save keeps the query in this browser.
              </EmptyState>
            ) : (
              <ul>
                {saved.map(({ name, text }) => (
                  <li key={name} className="flex items-start gap-1 border-b border-line py-1">
                    <button type="button" className={pickClass} onClick={() => onPick(text)}>
                      <b className="font-sans">{name}</b>
                      {"\n"}
                      {text.slice(0, 200)}
                    </button>
                    <Button
                      look="quiet"
                      className="px-1.5"
                      aria-label={`Forget ${name}`}
                      onClick={() => forgetQuery(name)}
                    >
                      <Trash2 aria-hidden="true" />
                    </Button>
                  </li>
                ))}
              </ul>
            ))}
        </div>
      </Tabs>
    </aside>
  );
}
