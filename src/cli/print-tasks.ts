/** The tasks of a run as rows of a table; of a map with thousands only what people look for. */
import type { TaskRun } from "../model/run-record.ts";
import { taskStates } from "../model/run-task-state.ts";
import { printCount, printSpan } from "./terminal.ts";

/** Tasks of one name that are told one by one. */
const toldMax = 20;

/** Headings of the rows. */
export const taskHeadings: readonly string[] = ["task", "state", "tries", "took", ""];

type TaskCells = readonly (string | number)[];

/**
 * Rows in the order in which tasks were called. Of more than twenty of one name those are told that have not succeeded,
 * twenty at most, and then how many there are; `leat show --json` has all.
 */
export function taskRows(tasks: readonly TaskRun[], nowMs: number): readonly TaskCells[] {
  const byName = Map.groupBy(tasks, ({ name }) => name);
  const folded = new Set<string>();
  return tasks.flatMap((task) => {
    const own = byName.get(task.name) ?? [];
    if (own.length <= toldMax) return [taskRow(task, nowMs)];
    if (folded.has(task.name)) return [];
    folded.add(task.name);
    const noted = own.filter(({ state }) => state !== "succeeded").slice(0, toldMax);
    return [...noted.map((one) => taskRow(one, nowMs)), foldedRow(own)];
  });
}

const taskRow = (task: TaskRun, nowMs: number): TaskCells => [
  task.name,
  task.isCached ? `${task.state}, cached` : task.state,
  task.tryCount,
  task.startedAtMs === null ? "" : printSpan((task.endedAtMs ?? nowMs) - task.startedAtMs),
  task.error?.message ?? task.input ?? "",
];

function foldedRow(own: readonly TaskRun[]): TaskCells {
  const states = taskStates.flatMap((state) => {
    const count = own.filter((task) => task.state === state).length;
    return count === 0 ? [] : [`${printCount(count)} ${state}`];
  });
  const tries = own.reduce((sum, { tryCount }) => sum + tryCount, 0);
  return [own[0]?.name ?? "", states.join(", "), tries, "", `${printCount(own.length)} in all`];
}
