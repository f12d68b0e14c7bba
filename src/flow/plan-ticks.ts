/** Which ticks of a schedule are due, and where its cursor goes. Pure: no clock, no ledger. */
import type { CatchUp } from "../model/run-schedule.ts";
import { listTicks, type TickReader } from "./ticks.ts";

/** Ticks that one look makes runs of; the next look, a second later, goes on. */
const ticksMax = 100;

/** A tick so long ago was missed: nobody was there for it, ms. Younger ones are only late by the pause between two looks. */
const missedMs = 60_000;

/** A cursor so far ahead of the clock says that the clock had been wrong, ms. */
const aheadMsMax = 10 * 60_000;

/** What is to be done. `isReset`: the clock was set back, and the cursor follows it. */
export type TickPlan = Readonly<{ ticksMs: readonly number[]; cursorMs: number; isReset: boolean }>;

/**
 * Plans one look at a schedule.
 *
 * @returns `undefined` when nothing is due.
 */
export function planTicks(
  reader: TickReader,
  catchUp: CatchUp,
  clock: Readonly<{ cursorMs: number; nowMs: number }>,
): TickPlan | undefined {
  const { cursorMs, nowMs } = clock;
  if (cursorMs - nowMs > aheadMsMax) return { ticksMs: [], cursorMs: nowMs, isReset: true };
  const first = reader.next(cursorMs);
  if (first === undefined || first > nowMs) return undefined;
  if (catchUp === "all") {
    const ticksMs = listTicks(reader, { fromMs: cursorMs, untilMs: nowMs }, ticksMax);
    return { ticksMs, cursorMs: ticksMs.at(-1) ?? nowMs, isReset: false };
  }
  const last = reader.last(nowMs) ?? first;
  const isMissed = nowMs - last > missedMs;
  const ticksMs = catchUp === "skip" && isMissed ? [] : [last];
  return { ticksMs, cursorMs: last, isReset: false };
}
