import { expect, test } from "vitest";
import { taskRows } from "../../src/cli/print-tasks.ts";
import type { TaskRun } from "../../src/model/run-record.ts";

/** As much of a task run as is printed. */
const taskOf = (name: string, state: TaskRun["state"], input: string): TaskRun =>
  ({
    name,
    state,
    input,
    tryCount: 1,
    isCached: false,
    error: null,
    startedAtMs: 5,
    endedAtMs: 7,
  }) as TaskRun;

test("tasks are told in the order of their calls, and a map of thousands by what did not succeed", () => {
  const mapped = Array.from({ length: 5000 }, (_, n) =>
    taskOf("fetch", n % 1000 === 999 ? "failed" : "succeeded", String(n)),
  );
  const few = [taskOf("check", "succeeded", "a"), taskOf("publish", "succeeded", "a")];
  const rows = taskRows([...few, ...mapped, ...few], 9);
  expect(rows.map(([name, state, tries, , what]) => [name, state, tries, what])).toEqual([
    ["check", "succeeded", 1, "a"],
    ["publish", "succeeded", 1, "a"],
    ...[999, 1999, 2999, 3999, 4999].map((n) => ["fetch", "failed", 1, String(n)]),
    ["fetch", "4,995 succeeded, 5 failed", 5000, "5,000 in all"],
    ["check", "succeeded", 1, "a"],
    ["publish", "succeeded", 1, "a"],
  ]);
});

test("of many failures twenty are told", () => {
  const rows = taskRows(
    Array.from({ length: 100 }, (_, n) => taskOf("fetch", "failed", String(n))),
    9,
  );
  expect(rows).toHaveLength(21);
});
