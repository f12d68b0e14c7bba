/** Finds the run that a request names. */
import { LeatError } from "../../errors/leat-error.ts";
import { toFlowRunId } from "../../model/run-ids.ts";
import type { FlowRun } from "../../model/run-record.ts";
import type { ControlPorts } from "./control-ports.ts";

/** @throws LeatError `RUN_UNKNOWN`. */
export async function readRun({ ledger }: ControlPorts, id: string): Promise<FlowRun> {
  const run = await ledger.readRun(toFlowRunId(id));
  if (run !== undefined) return run;
  throw new LeatError("RUN_UNKNOWN", {
    message: `There is no run "${id}".`,
    hint: "Old runs are pruned; /api/runs lists those that are there.",
  });
}
