/** SQL over the published datasets. It runs in this browser, and only reads. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Play, Save, Square } from "lucide-react";
import { lazy, type ReactElement, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { datasetsQuery } from "../../client/queries.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { TextField } from "../../components/field.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Select } from "../../components/select.tsx";
import { tellDone } from "../../components/toast.tsx";
import { printCount, printDuration } from "../../format/duration.ts";
import { versionsQuery } from "./data-queries.ts";
import { rememberRun, saveQuery } from "./query-memory.ts";
import { quoteName } from "./row-filter.ts";
import { runSql, type SqlAnswer, stopSql, warmEngine } from "./sql-engine.ts";
import { SqlResult } from "./sql-result.tsx";
import { SqlSide } from "./sql-side.tsx";

const SqlEditor = lazy(async () => ({ default: (await import("./sql-editor.tsx")).SqlEditor }));

const route = getRouteApi("/sql");

const limits = ["100", "1000", "10000"] as const;

type Outcome =
  | Readonly<{ kind: "none" }>
  | Readonly<{ kind: "running" }>
  | Readonly<{ kind: "done"; answer: SqlAnswer }>
  | Readonly<{ kind: "failed"; error: unknown }>;

export function SqlPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const datasets = useQuery(datasetsQuery);
  const published = (datasets.data ?? []).filter((one) => one.version !== null);
  const versions = useQueries({ queries: published.map((one) => versionsQuery(one.name, 1)) });
  const tables = published.map((one, at) => ({
    name: one.name,
    columns: (versions[at]?.data?.versions[0]?.columns ?? []).map((column) => ({
      name: String(column["name"]),
      type: String(column["type"]),
    })),
  }));
  const shape = JSON.stringify(tables);
  const schema = useMemo(
    () => Object.fromEntries(tables.map(({ name, columns }) => [name, columns.map((one) => one.name)])),
    [shape],
  );
  const first = published[0]?.name;
  const [text, setText] = useState(search.q ?? "");
  const [outcome, setOutcome] = useState<Outcome>({ kind: "none" });
  const [isSaving, setSaving] = useState(false);
  const isTouched = useRef(search.q !== undefined);
  const limit = limits.find((one) => one === String(search.limit)) ?? "1000";
  const change = (changed: Partial<typeof search>, replace = true): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace });

  useEffect(warmEngine, []);
  // A new page begins with a query that works.
  useEffect(() => {
    if (isTouched.current || first === undefined) return;
    isTouched.current = true;
    setText(`SELECT *\nFROM ${quoteName(first)}\nLIMIT 20`);
  }, [first]);

  const run = async (query: string): Promise<void> => {
    change({ q: query }, false);
    setOutcome({ kind: "running" });
    try {
      const answer = await runSql(
        query,
        Number(limit),
        published.map(({ name }) => name),
      );
      rememberRun(query);
      setOutcome({ kind: "done", answer });
    } catch (error) {
      setOutcome({ kind: "failed", error });
    }
  };
  // An address with a query shows its answer, once it is known which datasets there are.
  const hasRun = useRef(false);
  useEffect(() => {
    if (hasRun.current || search.q === undefined || datasets.data === undefined) return;
    hasRun.current = true;
    void run(search.q);
  });

  if (datasets.data === undefined) {
    return (
      <>
        <PageHeader title="SQL" />
        {datasets.error === null ? (
          <LoadingState what="datasets" />
        ) : (
          <ErrorState error={datasets.error} onRetry={() => void datasets.refetch()} />
        )}
      </>
    );
  }
  const isRunning = outcome.kind === "running";
  return (
    <>
      <PageHeader
        title="SQL"
        about="Runs in this browser, in DuckDB, over the newest version of each dataset. It reads and changes nothing."
      />
      <div className="wide:flex-row flex min-h-0 flex-1 flex-col">
        <div className="flex min-h-100 min-w-0 flex-1 flex-col">
          <div className="px-4">
            <Suspense fallback={<LoadingState what="the editor" />}>
              <SqlEditor text={text} onChange={setText} onRun={() => void run(text)} schema={schema} />
            </Suspense>
          </div>
          <div className="flex flex-wrap items-center gap-2 px-4 py-2">
            {isRunning ? (
              <Button look="danger" onClick={stopSql}>
                <Square aria-hidden="true" /> Cancel
              </Button>
            ) : (
              <Button look="primary" disabled={text.trim() === ""} onClick={() => void run(text)}>
                <Play aria-hidden="true" /> Run
              </Button>
            )}
            <Select
              label="Rows at most"
              options={limits.map((one) => ({ value: one, name: printCount(Number(one)) }))}
              value={limit}
              onChange={(next) => change({ limit: Number(next) })}
            />
            <Button disabled={text.trim() === ""} onClick={() => setSaving(true)}>
              <Save aria-hidden="true" /> Save …
            </Button>
            <span role="status" className="text-muted">
              {tell(outcome)}
            </span>
          </div>
          <div className="flex min-h-60 flex-1 flex-col border-t border-line">
            {outcome.kind === "none" && (
              <EmptyState
                kind={published.length === 0 ? "none" : "unselected"}
                title={published.length === 0 ? "No dataset is published yet" : "No query has been run"}
              >
                {published.length === 0 ? "Build one first." : "Press Run, or Ctrl + Enter in the editor."}
              </EmptyState>
            )}
            {isRunning && <LoadingState what="the answer" />}
            {outcome.kind === "failed" && <ErrorState error={outcome.error} />}
            {outcome.kind === "done" && <SqlResult answer={outcome.answer} />}
          </div>
        </div>
        <SqlSide
          side={search.side ?? "tables"}
          onSide={(side) => change({ side: side === "tables" ? undefined : side })}
          tables={tables}
          onPick={(query) => {
            isTouched.current = true;
            setText(query);
          }}
        />
      </div>
      {isSaving && (
        <SaveDialog
          onClose={() => setSaving(false)}
          onSave={(name) => {
            saveQuery(name, text);
            setSaving(false);
            tellDone("Saved in this browser", name);
          }}
        />
      )}
    </>
  );
}

function tell(outcome: Outcome): string {
  if (outcome.kind === "running") return "Running …";
  if (outcome.kind !== "done") return "";
  const { rows, isCut, tookMs } = outcome.answer;
  const count = isCut
    ? `the first ${printCount(rows.length)} rows`
    : rows.length === 1
      ? "1 row"
      : `${printCount(rows.length)} rows`;
  return `${count} in ${printDuration(tookMs)}`;
}

function SaveDialog({
  onClose,
  onSave,
}: Readonly<{ onClose: () => void; onSave: (name: string) => void }>): ReactElement {
  const [name, setName] = useState("");
  const [fault, setFault] = useState<string>();
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title="Save the query"
      about="In this browser; its address can be given to others."
      actions={
        <>
          <Button onClick={onClose}>Leave it</Button>
          <Button look="primary" type="submit" form="save-form">
            Save
          </Button>
        </>
      }
    >
      <form
        id="save-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() === "") setFault("Give it a name.");
          else onSave(name.trim());
        }}
      >
        <TextField
          label="Name"
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.target.value)}
          fault={fault}
        />
      </form>
    </Dialog>
  );
}
