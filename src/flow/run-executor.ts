/** What a worker hands its runs to: this process, or processes of their own. */
import type { FlowRun } from "../model/run-record.ts";
import type { RunHint } from "../ports/dispatcher.ts";
import type { AttemptOutcome } from "./attempt.ts";
import type { FlowRegistry } from "./deployment.ts";
import { executeRun } from "./execute-run.ts";
import { hintsOf } from "./run-hints.ts";
import type { RunWorld } from "./run-world.ts";

/** How an attempt ended, for who keeps the queue. `hints`: runs that somebody may claim now, or later. */
export type Executed = Readonly<{
  status: "succeeded" | "failed" | "retry" | "suspended" | "released" | "fenced";
  hints: readonly RunHint[];
}>;

/** Executes attempts that its worker has claimed. */
export interface RunExecutor {
  /**
   * Executes to the end. The signal's reason says how to end it from outside, as of `executeRun`; code that does not
   * listen loses its process where it has one of its own.
   */
  execute(run: FlowRun, signal: AbortSignal): Promise<Executed>;
  /** Cancels a sub-flow of a run that is being executed. */
  cancelChild(root: FlowRun["id"], child: FlowRun["id"]): void;
  close(): Promise<void>;
}

/** What who keeps the queue is told of an outcome. */
export function executedOf(outcome: AttemptOutcome): Executed {
  const own = outcome.status === "fenced" ? [] : [outcome.run];
  return { status: outcome.status, hints: hintsOf([...own, ...outcome.next]) };
}

/** Executes in this process: a flow that blocks the event loop or ends the process takes the worker with it. */
export function createLocalExecutor(
  world: RunWorld,
  registry: FlowRegistry,
  cancelled: () => Error,
): RunExecutor {
  return {
    async execute(run, signal) {
      return executedOf(await executeRun(world, run, registry.flow(run.flow), signal));
    },
    cancelChild: (_root, child) => world.live.get(child)?.(cancelled()),
    async close() {},
  };
}
