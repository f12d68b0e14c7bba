import { expect, test } from "vitest";
import type { TaskRun } from "../../src/model/run-record.ts";
import { layGraph } from "../../src/server/control/lay-graph.ts";

let ordinal = 0;

/** A task run of which only what is drawn is there. */
const ran = (name: string, openedAtMs: number, endedAtMs: number | null): TaskRun =>
  ({
    name,
    kind: "task",
    ordinal: ++ordinal,
    state: endedAtMs === null ? "running" : "succeeded",
    openedAtMs,
    startedAtMs: openedAtMs,
    endedAtMs,
  }) as TaskRun; // The rest is not read.

const places = (tasks: readonly TaskRun[]): readonly string[] =>
  layGraph(tasks).nodes.map(({ name, column, row }) => `${name} ${column} ${row}`);

test("branches that run beside each other share a column, and what follows them comes after both", () => {
  const tasks = [ran("find", 0, 10), ran("left", 10, 50), ran("right", 11, 30), ran("join", 50, 60)];
  expect(places(tasks)).toEqual(["find 0 0", "left 1 0", "right 1 1", "join 2 0"]);
  expect(layGraph(tasks).edges).toEqual([
    { from: "find", to: "left" },
    { from: "find", to: "right" },
    { from: "left", to: "join" },
    { from: "right", to: "join" },
  ]);
});

test("tasks of a map are one node, with their states counted", () => {
  const { nodes, edges } = layGraph([ran("one", 0, 10), ran("one", 0, null), ran("one", 5, 12)]);
  expect(nodes).toEqual([
    {
      name: "one",
      kind: "task",
      count: 3,
      states: { succeeded: 2, running: 1 },
      startedAtMs: 0,
      endedAtMs: null,
      column: 0,
      row: 0,
    },
  ]);
  expect(edges).toEqual([]);
});

test("tasks within one millisecond lead forward only", () => {
  const tasks = [ran("first", 5, 5), ran("second", 5, 5), ran("third", 5, 5)];
  expect(places(tasks)).toEqual(["first 0 0", "second 1 0", "third 2 0"]);
});

test("a map of a hundred thousand is laid out, and a run without tasks is empty", () => {
  const tasks = Array.from({ length: 100_000 }, () => ran("many", 0, 1));
  expect(layGraph(tasks).nodes).toMatchObject([{ count: 100_000, column: 0 }]);
  expect(layGraph([])).toEqual({ nodes: [], edges: [] });
});
