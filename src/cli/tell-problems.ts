/** What goes wrong beside runs, told to whoever watches a process that stays. */
import { isLeatError } from "../errors/leat-error.ts";
import type { Clock } from "../ports/world.ts";
import { reportError } from "./report-error.ts";
import type { Terminal } from "./terminal.ts";

/** How often the same is told, ms: while a ledger is away each look of each loop fails, ten times a second. */
const repeatMs = 60_000;

/** Kinds of problems that are remembered. */
const rememberedMax = 100;

/** Tells of a problem the first time, and then once a minute how often it came again. */
export function openProblems(terminal: Terminal, clock: Pick<Clock, "nowMs">): (error: unknown) => void {
  const known = new Map<string, { toldAtMs: number; untold: number }>();
  return (error) => {
    const kind = kindOf(error);
    const before = known.get(kind);
    if (before !== undefined && clock.nowMs() - before.toldAtMs < repeatMs) {
      before.untold += 1;
      return;
    }
    if (known.size >= rememberedMax) known.clear();
    known.set(kind, { toldAtMs: clock.nowMs(), untold: 0 });
    reportError(terminal, error);
    if (before !== undefined && before.untold > 0)
      terminal.err(`  and ${before.untold} times more since it was told last\n`);
  };
}

/** A ledger that is away fails every call in words of its own. */
function kindOf(error: unknown): string {
  if (isLeatError(error))
    return error.code.startsWith("LEDGER_") ? error.code : `${error.code} ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
