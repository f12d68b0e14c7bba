/**
 * The states of a flow run, in prose, and the table of moves between them.
 *
 * - `queued`: waits to be claimed, from `startAt` on, when the limit of its key lets it. Left by a worker's claim, or by
 *   a cancellation.
 * - `running`: one attempt of it owns it and executes. Left by its end (`succeed`, `fail`), by a failure that the flow's
 *   `retries` cover (`retry`), by a sleep or a question (`suspend`), by its worker's shutdown or death (`release`,
 *   `lose`), or by a request to cancel.
 * - `waiting`: sleeps, or waits for an answer to a question; no process works on it. Left when the time or the answer
 *   comes (`wake`), or by a cancellation.
 * - `cancelling`: somebody asked to cancel it and its attempt has not ended yet. Left by the end of the attempt, whatever
 *   that is, or by the death of its worker.
 * - `succeeded`, `failed`, `cancelled`: over. Left only by hand (`again`), which keeps what is finished.
 * - `skipped`: never ran, because its key was taken and the flow says `skip`. Never left.
 */

/** A state of a flow run. */
export type RunState =
  | "queued"
  | "running"
  | "waiting"
  | "cancelling"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "skipped";

/**
 * What moves a run, and who does it.
 *
 * - `claim` a worker takes it and raises the attempt; `adopt` the same for a sub-flow, which the attempt of its parent
 *   takes whatever became of the attempt before.
 * - `succeed`, `fail`, `retry`, `suspend`, `stop` the runner, for the attempt it owns; `stop` is the end of a cancelled one.
 * - `release` its worker, at shutdown; `lose` the sweep, when its worker is dead; `abandon` the sweep, when nobody may
 *   take it over: a run in the foreground, or one that has cost too many workers.
 * - `wake` the sweep or the answer to a question; `cancel`, `again` a person or a program.
 */
export type RunMove =
  | "claim"
  | "adopt"
  | "succeed"
  | "fail"
  | "retry"
  | "suspend"
  | "stop"
  | "release"
  | "lose"
  | "abandon"
  | "wake"
  | "cancel"
  | "again";

const none: Readonly<Record<RunMove, RunState | null>> = {
  claim: null,
  adopt: null,
  succeed: null,
  fail: null,
  retry: null,
  suspend: null,
  stop: null,
  release: null,
  lose: null,
  abandon: null,
  wake: null,
  cancel: null,
  again: null,
};

/** Where each move leads from each state; `null`: it is refused. A state or move without its entry does not compile. */
export const runMoves: Readonly<Record<RunState, Readonly<Record<RunMove, RunState | null>>>> = {
  queued: {
    claim: "running",
    adopt: "running",
    succeed: null,
    fail: null,
    retry: null,
    suspend: null,
    stop: null,
    release: null,
    lose: null,
    abandon: "failed",
    wake: null,
    cancel: "cancelled",
    again: null,
  },
  running: {
    claim: null,
    adopt: "running",
    succeed: "succeeded",
    fail: "failed",
    retry: "queued",
    suspend: "waiting",
    stop: "cancelled",
    release: "queued",
    lose: "queued",
    abandon: "failed",
    wake: null,
    cancel: "cancelling",
    again: null,
  },
  waiting: {
    claim: null,
    adopt: "running",
    succeed: null,
    fail: null,
    retry: null,
    suspend: null,
    stop: null,
    release: null,
    lose: null,
    abandon: "failed",
    wake: "queued",
    cancel: "cancelled",
    again: null,
  },
  // An attempt that reached its end before the request reached it has succeeded: that is the truth, and it is told.
  cancelling: {
    claim: null,
    adopt: null,
    succeed: "succeeded",
    fail: "cancelled",
    retry: "cancelled",
    suspend: "cancelled",
    stop: "cancelled",
    release: "cancelled",
    lose: "cancelled",
    abandon: "cancelled",
    wake: null,
    cancel: null,
    again: null,
  },
  succeeded: { ...none, again: "queued" },
  failed: { ...none, again: "queued" },
  cancelled: { ...none, again: "queued" },
  skipped: none,
};

/** Every state, in the order in which a run passes them. */
export const runStates: readonly RunState[] = [
  "queued",
  "running",
  "waiting",
  "cancelling",
  "succeeded",
  "failed",
  "cancelled",
  "skipped",
];

/** States in which an attempt owns the run: only then are its writes taken. */
export const liveRunStates: readonly RunState[] = ["running", "cancelling"];

/** States that only a person leaves. */
export const endedRunStates: readonly RunState[] = ["succeeded", "failed", "cancelled", "skipped"];

/** The states that a move is taken from. */
export function runStatesBefore(move: RunMove): readonly RunState[] {
  return runStates.filter((state) => runMoves[state][move] !== null);
}
