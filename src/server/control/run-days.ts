/** Runs of the last days, each day as long as the reader's clock makes it. */
import { LeatError } from "../../errors/leat-error.ts";
import { zoneSchema } from "../../flow/schedule-declaration.ts";
import { listTicks, readTicks } from "../../flow/ticks.ts";
import type { Ledger } from "../../ports/ledger.ts";

const dayMs = 86_400_000;

/** Days of runs that are shown. */
const daysShown = 14;

/** Clocks are set by whole hours, on Lord Howe Island by half of one, ms: days begin at the end of such a span. */
const spanMs = 1_800_000;

/** A day of a reader and the runs that were made in it, by state. Instants are ms since the epoch. */
export type RunDay = Readonly<{ fromMs: number; toMs: number; states: Readonly<Record<string, number>> }>;

/**
 * Counts the outermost runs of the last days, today being the last of them.
 *
 * Days are those of a zone and not of an offset from UTC: those before a change of the clock would begin an hour off.
 *
 * @param timeZone - an IANA name. Days begin at its midnight, or when that is skipped, at the moment after it.
 * @throws {@link LeatError} `USAGE` when there is no such zone.
 */
export async function readRunDays(
  ledger: Ledger,
  nowMs: number,
  timeZone: string,
): Promise<readonly RunDay[]> {
  if (!zoneSchema.safeParse(timeZone).success) {
    throw new LeatError("USAGE", {
      message: `time_zone "${timeZone}" is no time zone that this server knows.`,
      hint: "Write an IANA name such as Europe/London; in the console, choose another zone in the settings.",
    });
  }
  const midnights = readTicks({ kind: "cron", cron: "0 0 * * *", timezone: timeZone });
  // A day more than is shown, for days of 25 hours.
  const span = { fromMs: nowMs - (daysShown + 1) * dayMs, untilMs: nowMs };
  const begins = listTicks(midnights, span, daysShown + 2).slice(-daysShown);
  const [fromMs = nowMs] = begins;
  const counts = await ledger.countRunsBySpan({ fromMs, spanMs });
  return begins.map((beginMs, day) => {
    const toMs = begins[day + 1] ?? midnights.next(nowMs) ?? beginMs + dayMs;
    const states: Record<string, number> = {};
    for (const { atMs, state, count } of counts) {
      if (atMs >= beginMs && atMs < toMs) states[state] = (states[state] ?? 0) + count;
    }
    return { fromMs: beginMs, toMs, states };
  });
}
