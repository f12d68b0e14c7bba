/** What a failure makes of an attempt: its end, or another attempt where the flow's retries cover it. */
import type { FlowRun } from "../model/run-record.ts";
import type { AttemptEnd, Ledger } from "../ports/ledger.ts";
import type { FlowSpec } from "./flow-context.ts";
import { isRetryable, retryDelayMs } from "./retry-policy.ts";
import { toStoredError } from "./stored-error.ts";

/** What judging a failure needs of the world. */
export type FailureWorld = Readonly<{
  ledger: Pick<Ledger, "nowMs">;
  fraction: () => number;
  redact: (text: string) => string;
}>;

/** The end of an attempt that has failed. */
export function failureEnd(
  world: FailureWorld,
  run: FlowRun,
  flow: Pick<FlowSpec, "retries">,
  error: unknown,
): AttemptEnd & { move: "fail" | "retry" } {
  const stored = toStoredError(error, world.redact);
  if (!isRetryable(error) || run.retryCount >= flow.retries.max) return { move: "fail", error: stored };
  const delayMs = retryDelayMs(flow.retries, run.retryCount + 1, world.fraction());
  return { move: "retry", error: stored, startAtMs: world.ledger.nowMs() + delayMs };
}
