/** What a worker and the processes of its flows say to each other. */
import type { FlowRunId, WorkerId } from "../model/run-ids.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { Executed } from "./run-executor.ts";

/** To the process of a flow: execute this, end it, end a sub-flow of it. */
export type ProcessRequest = Readonly<
  /** `mark` is written to both outputs when the attempt has ended: what comes before it is of this run. */
  | { kind: "run"; run: FlowRun; workerId: WorkerId; mark: string }
  /** Code and message of the error that is the signal's reason. */
  | { kind: "abort"; code: string; message: string }
  | { kind: "cancel-child"; runId: FlowRunId }
>;

/** From it: the project is loaded; the attempt has ended; the ledger failed it. */
export type ProcessReply = Readonly<
  | { kind: "ready" }
  | { kind: "ended"; executed: Executed; isDirty: boolean }
  | { kind: "broken"; message: string }
>;
