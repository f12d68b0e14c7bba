/**
 * The states of a task's run within a flow run, and the table of moves between them.
 *
 * - `waiting`: holds no process: it waits for a slot of its limit, until a time (a sleep), or for an answer (a question).
 * - `running`: its function is being executed, or was when its attempt died: the next attempt starts it again.
 * - `retrying`: its function failed and will be called again at `retryAt`.
 * - `succeeded`: its result is stored, and it never runs again in this run unless a person resets it.
 * - `failed`: its retries are used up. The same attempt and one that takes over see the same failure; a retry of the run
 *   resets it.
 * - `cancelled`: the run ended while it was under way. A retry of the run resets it.
 * - `pending`: reset; it runs again when the flow comes to it.
 */

/** A state of a task run. */
export type TaskState = "pending" | "waiting" | "running" | "retrying" | "succeeded" | "failed" | "cancelled";

/** What moves a task run: the runner, but for `stop` (the end of the run) and `reset` (a retry of the run). */
export type TaskMove = "wait" | "start" | "retry" | "succeed" | "fail" | "stop" | "reset";

/** Where each move leads from each state; `null`: it is refused. A state or move without its entry does not compile. */
export const taskMoves: Readonly<Record<TaskState, Readonly<Record<TaskMove, TaskState | null>>>> = {
  pending: {
    wait: "waiting",
    start: "running",
    retry: null,
    succeed: "succeeded",
    fail: "failed",
    stop: "cancelled",
    reset: "pending",
  },
  waiting: {
    wait: "waiting",
    start: "running",
    retry: null,
    succeed: "succeeded",
    fail: "failed",
    stop: "cancelled",
    reset: "pending",
  },
  running: {
    wait: "waiting", // Its attempt died; the next one finds the limit taken.
    start: "running", // Its attempt died; the next one has its slot.
    retry: "retrying",
    succeed: "succeeded",
    fail: "failed",
    stop: "cancelled",
    reset: "pending",
  },
  retrying: {
    wait: "waiting",
    start: "running",
    retry: null,
    succeed: "succeeded", // Another run has put the result into the cache meanwhile.
    fail: "failed",
    stop: "cancelled",
    reset: "pending",
  },
  succeeded: {
    wait: null,
    start: null,
    retry: null,
    succeed: null,
    fail: null,
    stop: null,
    reset: "pending",
  },
  failed: { wait: null, start: null, retry: null, succeed: null, fail: null, stop: null, reset: "pending" },
  cancelled: {
    wait: null,
    start: null,
    retry: null,
    succeed: null,
    fail: null,
    stop: null,
    reset: "pending",
  },
};

/** Every state, in the order in which a task run passes them. */
export const taskStates: readonly TaskState[] = [
  "pending",
  "waiting",
  "running",
  "retrying",
  "succeeded",
  "failed",
  "cancelled",
];

/** The states that a move is taken from. */
export function taskStatesBefore(move: TaskMove): readonly TaskState[] {
  return taskStates.filter((state) => taskMoves[state][move] !== null);
}
