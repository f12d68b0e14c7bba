/** Runs as the command line shows them: to people. */
import type { FlowRun, RunCause } from "../model/run-record.ts";
import { printSpan } from "./terminal.ts";

/** Why a run is there, in a word or two. */
export function printCause(cause: RunCause): string {
  switch (cause.kind) {
    case "manual":
      return `by ${cause.by}`;
    case "schedule":
      return `schedule ${cause.schedule}`;
    case "backfill":
      return `back-fill of ${cause.schedule} by ${cause.by}`;
    case "event":
      return `event ${cause.event} (${cause.trigger})`;
    case "parent":
      return "sub-flow";
  }
}

/** How long a run took, or has taken so far. */
export function printRunSpan(run: FlowRun, nowMs: number): string {
  return run.startedAtMs === null ? "" : printSpan((run.endedAtMs ?? nowMs) - run.startedAtMs);
}
