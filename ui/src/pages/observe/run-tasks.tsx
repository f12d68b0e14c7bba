/** All tasks of a run, however many: the server cuts the list into windows. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactElement, useCallback, useState } from "react";
import type { GetApiRunsByIdTasksResponse, Task } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { Button } from "../../components/button.tsx";
import { CheckMenu } from "../../components/check-menu.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { ColumnChooser } from "../../components/table-head.tsx";
import { Duration, TimeText } from "../../components/time-text.tsx";
import { plural } from "../../format/duration.ts";
import { lookOf } from "../../format/state-look.ts";
import { ThingLinks } from "./thing-links.tsx";

/** Tasks of one window. */
const windowTasks = 300;

/** Windows begin at multiples of this, so that scrolling a little asks for nothing. */
const stepTasks = 50;

const states = ["failed", "retrying", "running", "waiting", "pending", "succeeded", "cancelled"];

/** What of its key tells a task from others of its name: the end of a hash, or what its flow calls it. */
function printKey(name: string, key: string): string {
  const own = key.startsWith(`${name}:`) ? key.slice(name.length + 1) : key;
  return /^[0-9a-f]{32,}/.test(own) ? `…${own.slice(-8)}` : own;
}

const columns: readonly DataColumn<Task>[] = [
  {
    id: "key",
    name: "Task",
    isFixed: true,
    width: 340,
    cell: ({ name, key }) => (
      <span title={key}>
        <b>{name}</b> <span className="font-mono text-meta text-muted">{printKey(name, key)}</span>
      </span>
    ),
  },
  { id: "state", name: "State", width: 150, cell: (task) => <StateBadge state={task.state} /> },
  { id: "started", name: "Started", width: 130, cell: (task) => <TimeText at={task.started_at} /> },
  {
    id: "took",
    name: "Took",
    width: 110,
    align: "end",
    cell: (task) => <Duration from={task.started_at} to={task.ended_at} />,
  },
  { id: "tries", name: "Tries", width: 80, align: "end", cell: (task) => task.tries },
  { id: "attempt", name: "Attempt", width: 90, align: "end", cell: (task) => task.attempt },
  {
    id: "error",
    name: "Error",
    cell: (task) => <span className="text-muted">{task.error?.message ?? ""}</span>,
  },
  {
    id: "input",
    name: "Input",
    isHidden: true,
    cell: (task) => <span className="font-mono text-meta">{task.input}</span>,
  },
  { id: "makes", name: "Makes", isHidden: true, cell: (task) => <ThingLinks things={task.produces} /> },
];

type TasksSearch = Readonly<{
  node?: string | undefined;
  state?: string[] | undefined;
  hide?: string | undefined;
  task?: string | undefined;
  tab?: "watch" | undefined;
}>;

export type RunTasksProps = Readonly<{
  runId: string;
  /** Another one after something happened. */
  version: string;
  search: Omit<TasksSearch, "tab">;
  onChange: (changed: TasksSearch) => void;
}>;

export function RunTasks({ runId, version, search, onChange }: RunTasksProps): ReactElement {
  const { node, state, hide } = search;
  const [offset, setOffset] = useState(0);
  const { data, error, refetch } = useQuery({
    queryKey: ["run", runId, "tasks", node ?? "", state, offset, version],
    // With where it begins: the window before it is shown until this one is there.
    queryFn: async ({ signal }) => {
      const query = { name: node || undefined, state, offset, limit: windowTasks };
      const path = `runs/${encodeURIComponent(runId)}/tasks`;
      return { offset, ...(await request<GetApiRunsByIdTasksResponse>(path, { query, signal })) };
    },
    placeholderData: keepPreviousData,
  });
  const onRange = useCallback((from: number, to: number): void => {
    const middle = Math.floor((from + to) / 2);
    setOffset(Math.max(0, Math.floor((middle - windowTasks / 2) / stepTasks) * stepTasks));
  }, []);
  if (data === undefined) {
    return error === null ? (
      <LoadingState what="tasks" />
    ) : (
      <ErrorState error={error} onRetry={() => void refetch()} />
    );
  }
  const isFiltered = state !== undefined || Boolean(node);
  const clear = (): void => onChange({ node: undefined, state: undefined });
  return (
    <>
      <div className="flex flex-wrap items-center gap-2 px-4 py-2">
        <span className="text-muted">{plural(data.count, "task")}</span>
        {node && (
          <Button onClick={() => onChange({ node: undefined })}>
            {node} <span aria-hidden="true">✕</span>
            <span className="sr-only">: show tasks of all names</span>
          </Button>
        )}
        <CheckMenu
          label={`State: ${state?.map((one) => lookOf(one).word).join(", ") ?? "any"}`}
          options={states.map((one) => ({ value: one, name: <StateBadge state={one} /> }))}
          chosen={state ?? []}
          onChange={(chosen) => onChange({ state: chosen.length === 0 ? undefined : [...chosen] })}
        >
          State{state !== undefined && `: ${state.map((one) => lookOf(one).word).join(", ")}`}
        </CheckMenu>
        <span className="flex-1" />
        <ColumnChooser columns={columns} hidden={hide} onChange={(next) => onChange({ hide: next })} />
      </div>
      <DataTable
        label="Tasks"
        columns={columns}
        rows={data.tasks}
        rowId={(task) => task.key}
        onOpen={(task) => onChange({ tab: undefined, node: task.name, task: task.key })}
        isSortedElsewhere
        hidden={hide}
        windowed={{ count: data.count, offset: data.offset, onRange }}
        empty={
          isFiltered ? (
            <EmptyState kind="filtered" title="No task fits these filters" onClear={clear} />
          ) : (
            <EmptyState kind="none" title="No task is called yet" />
          )
        }
      />
    </>
  );
}
