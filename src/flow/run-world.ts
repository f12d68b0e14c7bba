/** What executing a run works with, and what it tells while it does. */
import type { FlowRunId, WorkerId } from "../model/run-ids.ts";
import type { NewLogLine } from "../model/run-record.ts";
import type { RunState } from "../model/run-state.ts";
import type { TaskState } from "../model/run-task-state.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ProjectWork } from "../ports/project-work.ts";
import type { Clock } from "../ports/world.ts";
import type { LimitGates } from "./limit-gates.ts";

/** What is told while runs execute; the command line draws it. */
export type RunEvent = Readonly<
  | { type: "run"; runId: FlowRunId; flow: string; attempt: number; state: RunState }
  | {
      type: "task";
      runId: FlowRunId;
      key: string;
      name: string;
      state: TaskState;
      /** Its result was there already: of an earlier attempt, or in the cache. */
      isKept: boolean;
      ms: number | undefined;
      error: string | undefined;
    }
  | { type: "log"; runId: FlowRunId; line: NewLogLine }
  | { type: "progress"; runId: FlowRunId; name: string; done: number; total: number }
>;

/** Ends an attempt of this process; the reason says how. */
export type AbortAttempt = (reason: Error) => void;

/** One process's means of executing runs. */
export type RunWorld = Readonly<{
  ledger: Ledger;
  clock: Clock;
  /** `0 <= x < 1`, for jitter. */
  fraction: () => number;
  /** Where results go that are too large for the ledger; `undefined`: nowhere, they are refused. */
  results: ObjectStore | undefined;
  /** Takes secrets out of text. */
  redact: (text: string) => string;
  /** Which code this process runs, for the marks of runs that are continued on other code. */
  codeVersion: string | null;
  workerId: WorkerId;
  /** What long waits do: let go of the process (`suspend`), or hold it, where nobody else would wake the run. */
  waits: "suspend" | "in-place";
  tell: (event: RunEvent) => void;
  gates: LimitGates;
  /** Attempts under way in this process, sub-flows included. */
  live: Map<FlowRunId, AbortAttempt>;
  /** The project's streams and datasets, for the tasks of ready-made flows. */
  work?: ProjectWork;
}>;
