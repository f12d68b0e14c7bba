/** Ticks of schedules: pure arithmetic of time. The rule for changes of the clock is in docs/concepts/flows.md. */
import type { ScheduleTicks } from "../model/run-schedule.ts";
import { openCron } from "./schedule-declaration.ts";

/** Reads a schedule's ticks. */
export interface TickReader {
  /** First tick after an instant; `undefined`: there is none any more. */
  next(afterMs: number): number | undefined;
  /** Last tick up to an instant, that instant included; `undefined`: there was none. */
  last(untilMs: number): number | undefined;
}

export function readTicks(ticks: ScheduleTicks): TickReader {
  switch (ticks.kind) {
    case "cron": {
      const cron = openCron(ticks.cron, ticks.timezone);
      return {
        next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime(),
        // A tick within the same second as the reference counts as before it.
        last: (untilMs) => cron.previousRuns(1, new Date(untilMs + 1))[0]?.getTime(),
      };
    }
    case "interval": {
      const { everyMs, anchorMs } = ticks;
      const upTo = (ms: number): number => anchorMs + Math.floor((ms - anchorMs) / everyMs) * everyMs;
      return { next: (afterMs) => upTo(afterMs) + everyMs, last: upTo };
    }
    case "dates": {
      const { instantsMs } = ticks;
      return {
        next: (afterMs) => instantsMs.find((instant) => instant > afterMs),
        last: (untilMs) => instantsMs.findLast((instant) => instant <= untilMs),
      };
    }
  }
}

/** Ticks after `fromMs` up to `untilMs` inclusive, the first `max` of them. */
export function listTicks(
  reader: TickReader,
  span: Readonly<{ fromMs: number; untilMs: number }>,
  max: number,
): readonly number[] {
  const found: number[] = [];
  let at = reader.next(span.fromMs);
  while (at !== undefined && at <= span.untilMs && found.length < max) {
    found.push(at);
    at = reader.next(at);
  }
  return found;
}
