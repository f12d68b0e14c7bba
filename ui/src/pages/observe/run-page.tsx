/** One run: what it did, does, and said. */
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactElement, useState } from "react";
import type { GetApiRunsByIdResponse } from "../../api/types.gen.ts";
import { Button, buttonClass } from "../../components/button.tsx";
import { CopyButton } from "../../components/copy-button.tsx";
import { ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Select } from "../../components/select.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { Duration, TimeText } from "../../components/time-text.tsx";
import { type BulkDeed, BulkDialog, canDo } from "./bulk-dialog.tsx";
import { FailedChildren } from "./failed-children.tsx";
import { printCause, shortId } from "./run-columns.tsx";
import { RunEvents } from "./run-events.tsx";
import { RunOutputs } from "./run-outputs.tsx";
import { RunParameters } from "./run-parameters.tsx";
import { RunQuestions } from "./run-questions.tsx";
import { RunTasks } from "./run-tasks.tsx";
import { RunWatch } from "./run-watch.tsx";
import { useRun } from "./use-run.ts";

const route = getRouteApi("/runs/$id");

export function RunPage(): ReactElement {
  const { id } = route.useParams();
  const { data, error, refetch, onRevived } = useRun(id);
  if (data === undefined) {
    return (
      <>
        <PageHeader title={`Run ${shortId(id)}`} above={<Link to="/runs">Runs</Link>} />
        {error === null ? <LoadingState what="the run" /> : <ErrorState error={error} onRetry={refetch} />}
      </>
    );
  }
  return (
    <LoadedRun
      key={id}
      detail={data}
      onChanged={() => {
        refetch();
        onRevived();
      }}
    />
  );
}

function LoadedRun({
  detail,
  onChanged,
}: Readonly<{ detail: GetApiRunsByIdResponse; onChanged: () => void }>): ReactElement {
  const { run, attempts, task_count: taskCount, artifacts, children } = detail;
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [deed, setDeed] = useState<BulkDeed>();
  const tab = search.tab ?? "watch";
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  return (
    <>
      <PageHeader
        title={`${run.flow} ${shortId(run.id)}`}
        above={
          <>
            <Link to="/runs">Runs</Link> ›{" "}
            <Link to="/deployments/$name" params={{ name: run.deployment }}>
              {run.deployment}
            </Link>
            {run.parent !== null && (
              <>
                {" "}
                ›{" "}
                <Link to="/runs/$id" params={{ id: run.parent }}>
                  run {shortId(run.parent)}
                </Link>
              </>
            )}
          </>
        }
        state={
          <>
            <StateBadge state={run.state} />
            {run.is_late && <StateBadge state="late" />}
          </>
        }
        about={
          <span className="flex flex-wrap items-center gap-x-3">
            <span>
              {run.started_at === null ? "created " : "started "}
              <TimeText at={run.started_at ?? run.created_at} />
            </span>
            <Duration from={run.started_at} to={run.ended_at} />
            <span>{printCause(run)}</span>
            {run.key !== null && <span>key {run.key}</span>}
            {run.cancel_reason !== null && <span>cancelled: {run.cancel_reason}</span>}
            {run.is_code_changed && (
              <span className="text-attention">! its code changed between attempts</span>
            )}
          </span>
        }
        actions={
          <>
            {attempts.length > 1 && (
              <Select
                label="Attempt"
                options={[
                  { value: "", name: "all" },
                  ...attempts.map(({ attempt }) => ({ value: String(attempt), name: String(attempt) })),
                ]}
                value={search.attempt === undefined ? "" : String(search.attempt)}
                onChange={(value) => change({ attempt: value === "" ? undefined : Number(value) })}
              />
            )}
            <CopyButton what="id of the run" text={run.id} />
            <Link
              to="/deployments/$name"
              params={{ name: run.deployment }}
              search={{ run: true, from: run.id }}
              className={buttonClass()}
            >
              Run again with …
            </Link>
            {canDo("cancel", run) && (
              <Button look="danger" onClick={() => setDeed("cancel")}>
                Cancel
              </Button>
            )}
            {run.parent !== null && run.state === "failed" && (
              <Link to="/runs/$id" params={{ id: run.parent }} className={buttonClass()}>
                Retry where it began …
              </Link>
            )}
            {canDo("retry", run) && (
              <Button look="primary" onClick={() => setDeed("retry")}>
                Retry
              </Button>
            )}
          </>
        }
      />
      <RunQuestions detail={detail} onAnswered={onChanged} />
      {run.error !== null && (
        <div
          role="alert"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboards
          tabIndex={0}
          className="wide:max-h-none mx-4 mb-3 max-h-36 shrink-0 overflow-y-auto border-l-4 border-failed bg-panel px-3 py-1.5"
        >
          <p className="[overflow-wrap:anywhere]">
            <span className="text-failed">✕ </span>
            <span className="font-semibold">{run.error.message}</span>{" "}
            <span className="font-mono text-meta text-muted">{run.error.code}</span>
          </p>
          {run.error.hint !== null && <p className="text-muted [overflow-wrap:anywhere]">{run.error.hint}</p>}
          <FailedChildren runs={children} parent={run.id} />
        </div>
      )}
      <Tabs
        label="Views of the run"
        items={[
          { id: "watch", name: "Watch" },
          { id: "tasks", name: "Tasks", count: taskCount },
          { id: "outputs", name: "Outputs", count: artifacts.length + children.length },
          { id: "parameters", name: "Parameters" },
          { id: "events", name: "Events" },
        ]}
        value={tab}
        onChange={(next) => change({ tab: next === "watch" ? undefined : (next as typeof tab) })}
      >
        {tab === "watch" && <RunWatch detail={detail} search={search} onChange={change} />}
        {tab === "tasks" && (
          <RunTasks runId={run.id} version={`${run.state} ${taskCount}`} search={search} onChange={change} />
        )}
        {tab === "outputs" && <RunOutputs detail={detail} />}
        {tab === "parameters" && <RunParameters run={run} attempts={attempts} />}
        {tab === "events" && <RunEvents run={run} />}
      </Tabs>
      {deed !== undefined && (
        <BulkDialog deed={deed} runs={[run]} onClose={() => setDeed(undefined)} onDone={onChanged} />
      )}
    </>
  );
}
