/** Graph, times and log of a run in one view: what is chosen in one is chosen in all. */
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { type ReactElement, useMemo, useRef, useState } from "react";
import type { GetApiRunsByIdResponse } from "../../api/types.gen.ts";
import { firstErrorQuery, type LogChoice } from "../../client/log-queries.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { LogView } from "./log-view.tsx";
import { NodeInspector } from "./node-inspector.tsx";
import { TaskGantt } from "./task-gantt.tsx";
import { stateOf, TaskGraph } from "./task-graph.tsx";
import { isEnded } from "./use-run.ts";

export type WatchSearch = Readonly<{
  node?: string | undefined;
  task?: string | undefined;
  attempt?: number | undefined;
  level?: string[] | undefined;
  find?: string | undefined;
  line?: number | undefined;
}>;

export type RunWatchProps = Readonly<{
  detail: GetApiRunsByIdResponse;
  search: WatchSearch;
  onChange: (changed: WatchSearch) => void;
}>;

/** Tasks that the log can be narrowed to, in one list. */
const listedTasksMax = 200;

export function RunWatch({ detail, search, onChange }: RunWatchProps): ReactElement {
  const { run, graph, tasks } = detail;
  const router = useRouter();
  const top = useRef<HTMLDivElement>(null);
  const { task, attempt, level } = search;
  const levelText = level?.join(",");
  const choice = useMemo<LogChoice>(
    () => ({ task, attempt, level: levelText?.split(",") }),
    [task, attempt, levelText],
  );
  // A run that failed opens at its failure, unless the address says otherwise.
  const hasFailed = run.state === "failed";
  const isUntouched = search.line === undefined && !search.find && level === undefined && task === undefined;
  const firstError = useQuery(firstErrorQuery(run.id, run.attempt, hasFailed && isUntouched));
  const failedNode = hasFailed ? graph.nodes.find((one) => stateOf(one) === "failed")?.name : undefined;
  const [isPutAway, setPutAway] = useState(false);
  const chosen = search.node ?? (isUntouched && !isPutAway ? failedNode : undefined);
  const node = graph.nodes.find(({ name }) => name === chosen);

  const choose = (name: string | undefined): void => {
    setPutAway(true); // From now on people say what is chosen.
    onChange({ node: name });
  };
  const hrefOf = (line: number): string =>
    router.buildLocation({
      to: "/runs/$id",
      params: { id: run.id },
      search: { tenant: undefined, node: search.node, task, attempt, level, line },
    }).href;
  const isWaitingForError = hasFailed && isUntouched && firstError.isPending;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div
        ref={top}
        className="wide:flex-row wide:h-[clamp(150px,28vh,340px)] flex shrink-0 flex-col border-b border-line bg-panel"
      >
        {graph.nodes.length === 0 ? (
          <div className="flex-1">
            <EmptyState kind="none" title={isEnded(run) ? "No task was called" : "No task is called yet"}>
              A flow shows here what it calls, as it calls it.
            </EmptyState>
          </div>
        ) : (
          <>
            <div className="wide:border-r wide:max-h-none flex max-h-64 min-h-0 min-w-0 flex-[3] flex-col border-line">
              <TaskGraph
                graph={graph}
                chosen={node?.name}
                onChoose={(name) => choose(name === chosen ? undefined : name)}
              />
            </div>
            <div className="wide:max-h-none flex max-h-64 min-h-0 min-w-0 flex-[2] flex-col">
              <TaskGantt
                run={run}
                nodes={graph.nodes}
                chosen={node?.name}
                onChoose={(name) => choose(name === chosen ? undefined : name)}
              />
            </div>
            {node !== undefined && (
              <NodeInspector
                key={node.name}
                run={run}
                node={node}
                tasks={tasks.filter(({ name }) => name === node.name)}
                isOpenedByHand={search.node !== undefined}
                onClose={() => {
                  choose(undefined);
                  top.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(node.name)}"]`)?.focus();
                }}
                onTask={(key) => onChange({ task: key })}
              />
            )}
          </>
        )}
      </div>
      {isWaitingForError ? null : (
        <LogView
          runId={run.id}
          choice={choice}
          onChoice={(next) =>
            onChange({
              task: next.task,
              level: next.level === undefined ? undefined : [...next.level],
              line: undefined,
            })
          }
          tasks={tasks.slice(0, listedTasksMax).map(({ key, name, ordinal }) => ({
            value: key,
            name: tasks.some((one) => one.name === name && one.key !== key) ? `${name} · ${ordinal}` : name,
          }))}
          find={search.find ?? ""}
          onFind={(find) => onChange({ find: find || undefined })}
          pointed={search.line ?? (isUntouched ? firstError.data?.id : undefined)}
          onPoint={(line) => onChange({ line })}
          hrefOf={hrefOf}
          isLive={!isEnded(run)}
        />
      )}
    </div>
  );
}
