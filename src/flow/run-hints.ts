/** Hints for the dispatcher. */
import { type FlowRun, foregroundWorker } from "../model/run-record.ts";
import type { RunHint } from "../ports/dispatcher.ts";

/** Hints of runs that workers may claim; those of persons at a terminal are left out. */
export const hintsOf = (runs: readonly FlowRun[]): readonly RunHint[] =>
  runs
    .filter((run) => run.state === "queued" && foregroundWorker(run.pool) === undefined)
    .map(({ id, pool, priority, startAtMs }) => ({ id, pool, priority, startAtMs }));
