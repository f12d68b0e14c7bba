/** Runs of a schedule's ticks in a span of the past: those that nobody made, or all of them once more. */
import { LeatError } from "../errors/leat-error.ts";
import type { ScheduleRecord } from "../model/run-schedule.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Ledger, Submitted } from "../ports/ledger.ts";
import type { Deployment } from "./deployment.ts";
import { hintsOf } from "./run-hints.ts";
import { tickRun } from "./scheduler.ts";
import { listTicks, readTicks } from "./ticks.ts";

/** Runs of one backfill: a year of hours. They are made one by one, some thousand a second. */
const ticksMax = 10_000;

/** What is to be filled. */
export type BackfillOptions = Readonly<{
  /** From the first instant, inclusive, to the second, exclusive; what lies in the future is left to the schedule. */
  fromMs: number;
  untilMs: number;
  by: string;
  /** Whether ticks that have their run get another. */
  isAgain: boolean;
}>;

/**
 * Makes the runs.
 *
 * @returns one answer a tick, in their order; `exists` where it has its run.
 * @throws LeatError `SCHEDULE_BOUND` before any is made, `PARAMS_INVALID`.
 */
export async function backfill(
  { ledger, dispatcher }: Readonly<{ ledger: Ledger; dispatcher: Dispatcher }>,
  deployment: Deployment,
  schedule: ScheduleRecord,
  options: BackfillOptions,
): Promise<readonly Submitted[]> {
  const nowMs = ledger.nowMs();
  const span = { fromMs: options.fromMs - 1, untilMs: Math.min(options.untilMs - 1, nowMs) };
  const ticksMs = listTicks(readTicks(schedule.ticks), span, ticksMax + 1);
  if (ticksMs.length > ticksMax) {
    throw new LeatError("SCHEDULE_BOUND", {
      message: `The schedule "${schedule.id}" has more than ${ticksMax} ticks in that span.`,
      details: { schedule: schedule.id, fromMs: options.fromMs, untilMs: options.untilMs, ticksMax },
    });
  }
  const cause = { kind: "backfill", schedule: schedule.id, by: options.by } as const;
  const again = options.isAgain ? ` again ${new Date(nowMs).toISOString()}` : "";
  const runs = ticksMs.map((tickMs) => ({
    ...tickRun(deployment, schedule, tickMs, cause, again),
    lateAtMs: null, // It is late already, and somebody knows.
  }));
  const submitted: Submitted[] = [];
  for (const run of runs) submitted.push(await ledger.submitRun(run));
  await dispatcher.send(hintsOf(submitted.map(({ run }) => run)));
  return submitted;
}
