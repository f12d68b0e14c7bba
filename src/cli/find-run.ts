/** The run that a person means. */
import { LeatError } from "../errors/leat-error.ts";
import type { FlowRun } from "../model/run-record.ts";
import type { Ledger } from "../ports/ledger.ts";

/**
 * Finds a run by its id or the beginning of it.
 *
 * @throws LeatError `RUN_UNKNOWN`, also where several begin so.
 */
export async function findRun(ledger: Ledger, text: string): Promise<FlowRun> {
  const id = text.toLowerCase();
  const found = /^[0-9a-f]{1,16}$/.test(id) ? await ledger.findRuns(id) : [];
  const [run, other] = found;
  if (run !== undefined && other === undefined) return run;
  throw new LeatError("RUN_UNKNOWN", {
    message: run === undefined ? `There is no run "${text}".` : `More than one run begins with "${text}".`,
    hint: run === undefined ? "`leat runs` lists them." : "Write more of its id.",
    details: { run: text },
  });
}
