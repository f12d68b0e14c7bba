/** A failure of a flow as it is told to people: the flow's own errors are no fault of leat. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { FlowRun } from "../model/run-record.ts";

/** Characters of a flow's own message that are told at the end; its log has more of them. */
const saidMax = 4000;

/** What a run failed with, as a LeatError with the way to go on. */
export function toFlowError(error: unknown, run: FlowRun): LeatError {
  if (isLeatError(error)) return error;
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const cut = said.length <= saidMax ? said : `${said.slice(0, saidMax)}… (${said.length} characters)`;
  return new LeatError("FLOW_FAILED", {
    message: `The run ${run.id} of "${run.flow}" failed: ${cut}`,
    hint: `\`leat logs ${run.id}\` has its log; \`leat retry ${run.id}\` goes on from what is finished.`,
    details: { run: run.id, flow: run.flow },
    cause: error instanceof Error ? error.cause : undefined,
  });
}
