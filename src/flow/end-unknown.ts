/** The end of a run whose flow the code does not have any more: it was taken out while the run was queued. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { Ledger } from "../ports/ledger.ts";
import type { Executed } from "./run-executor.ts";
import { hintsOf } from "./run-hints.ts";
import { toStoredError } from "./stored-error.ts";

/**
 * Fails the attempt, where this is what went wrong; anything else is thrown again. Given back to the queue the run would be
 * claimed for ever.
 */
export async function endUnknownFlow(ledger: Ledger, run: FlowRun, error: unknown): Promise<Executed> {
  if (!isLeatError(error) || error.code !== "FLOW_UNKNOWN") throw error;
  const told = new LeatError("FLOW_UNKNOWN", {
    message: `The run ${run.id} is of the flow "${run.flow}", which the project does not have any more.`,
    hint: "Bring the flow back and retry the run, or leave it as it is.",
    details: { run: run.id, name: run.flow },
  });
  const end = { move: "fail", error: toStoredError(told, (text) => text) } as const;
  const answer = await ledger.endAttempt({ runId: run.id, attempt: run.attempt }, end);
  if (answer.status === "fenced") return { status: "fenced", hints: [] };
  return { status: "failed", hints: hintsOf(answer.next) };
}
