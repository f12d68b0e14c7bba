/** The tasks of a run as a graph that can be drawn: tasks of one name are one node, columns are the order in time. */
import type { TaskRun } from "../../model/run-record.ts";
import type { TaskState } from "../../model/run-task-state.ts";

/** Nodes of one graph; a flow with more names of tasks is drawn without the last ones. */
const nodesMax = 200;

/** Tasks of one name. `column` and `row` say where it is drawn. */
export type GraphNode = Readonly<{
  name: string;
  kind: TaskRun["kind"];
  count: number;
  states: Readonly<Partial<Record<TaskState, number>>>;
  startedAtMs: number | null;
  endedAtMs: number | null;
  column: number;
  row: number;
}>;

export type TaskGraph = Readonly<{
  nodes: readonly GraphNode[];
  edges: readonly Readonly<{ from: string; to: string }>[];
}>;

type Group = Readonly<{ name: string; tasks: readonly TaskRun[]; openedAtMs: number; endedAtMs: number }>;

/**
 * Lays the graph out. A flow is a function, and nobody knows what it does with a result: so an edge says only that all
 * tasks of one name had ended when the first of the other was called.
 */
export function layGraph(tasks: readonly TaskRun[]): TaskGraph {
  const groups: Group[] = [...Map.groupBy(tasks, (task) => task.name)]
    .slice(0, nodesMax)
    .map(([name, own]) => ({
      name,
      tasks: own,
      openedAtMs: Math.min(...bounded(own.map((task) => task.openedAtMs))),
      endedAtMs: Math.max(...bounded(own.map((task) => task.endedAtMs ?? Number.POSITIVE_INFINITY))),
    }));
  const ordinals = new Map(groups.map(({ name, tasks: own }) => [name, own[0]?.ordinal ?? 0]));
  const isBefore = (one: Group, other: Group): boolean =>
    one !== other &&
    one.endedAtMs <= other.openedAtMs &&
    // Within one millisecond the order of calls decides, so that there is no circle.
    (ordinals.get(one.name) ?? 0) < (ordinals.get(other.name) ?? 0);
  const edges = groups.flatMap((to) => {
    const before = groups.filter((one) => isBefore(one, to));
    const direct = before.filter((one) => !before.some((between) => isBefore(one, between)));
    return direct.map((from) => ({ from: from.name, to: to.name }));
  });
  const columns = new Map<string, number>();
  const rows = new Map<number, number>();
  const nodes = groups.map((group): GraphNode => {
    const from = edges.filter((edge) => edge.to === group.name).map((edge) => columns.get(edge.from) ?? 0);
    const column = from.length === 0 ? 0 : Math.max(...from) + 1;
    const row = rows.get(column) ?? 0;
    columns.set(group.name, column);
    rows.set(column, row + 1);
    return describeGroup(group, column, row);
  });
  return { nodes, edges };
}

/** `Math.min` takes its values as arguments, and a map may have a hundred thousand. */
function bounded(values: readonly number[]): readonly number[] {
  const least = values.reduce((one, other) => (other < one ? other : one), Number.POSITIVE_INFINITY);
  const most = values.reduce((one, other) => (other > one ? other : one), Number.NEGATIVE_INFINITY);
  return [least, most];
}

function describeGroup(group: Group, column: number, row: number): GraphNode {
  const states: Partial<Record<TaskState, number>> = {};
  for (const { state } of group.tasks) states[state] = (states[state] ?? 0) + 1;
  const started = group.tasks.flatMap(({ startedAtMs }) => (startedAtMs === null ? [] : [startedAtMs]));
  return {
    name: group.name,
    kind: group.tasks[0]?.kind ?? "task",
    count: group.tasks.length,
    states,
    startedAtMs: started.length === 0 ? null : Math.min(...bounded(started)),
    endedAtMs: Number.isFinite(group.endedAtMs) ? group.endedAtMs : null,
    column,
    row,
  };
}
