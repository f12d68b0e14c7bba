/** Schedules as people declare them: cron with a time zone, intervals, dates. */
import { Cron } from "croner";
import { z } from "zod";
import type { CatchUp, ScheduleTicks } from "../model/run-schedule.ts";
import { nameSchema } from "./name-schema.ts";
import { spanSchema } from "./span.ts";

/** When a deployment runs by itself. */
export type ScheduleDeclaration<Input = unknown> = (
  | Readonly<{
      /**
       * Five fields (minute, hour, day, month, weekday) or six (seconds first), `@daily` and its like. With both day
       * fields set, either suffices.
       */
      cron: string;
      /** IANA name such as `Europe/London`; default `UTC`. */
      timezone?: string;
    }>
  | Readonly<{
      /** A span such as `"15m"`, at least a second. */
      every: string | number;
      /** An instant from which it counts, ISO 8601; default 1970-01-01T00:00Z, so that `"1h"` is on the hour. */
      from?: string;
    }>
  | Readonly<{
      /** Dates (`2026-12-24`, at midnight) or times (`2026-12-24T06:30`) in the zone, or instants (`…Z`, `…+01:00`). */
      dates: readonly string[];
      timezone?: string;
    }>
) &
  Readonly<{
    /** Tells it from others of the deployment; needed where there are several. */
    name?: string;
    /** Parameters of its runs, over those of the deployment. */
    params?: Partial<Input>;
    /** What becomes of ticks that nobody was there for: none, the `last` (default), or `all` of them. */
    catchUp?: CatchUp;
    /** A run is late, and told so, when it has not ended well so long after its tick. */
    lateAfter?: string | number;
  }>;

/** A checked schedule. */
export type CheckedSchedule = Readonly<{
  name: string | undefined;
  ticks: ScheduleTicks;
  params: Readonly<Record<string, unknown>>;
  catchUp: CatchUp;
  lateAfterMs: number | undefined;
}>;

/** Dates of one schedule: three years of days. */
const datesMax = 1100;

/** What `lateAfter` and its like may span, ms: a hundred years. */
export const spanMsMax: number = 100 * 366 * 24 * 3600 * 1000;

export const zoneSchema: z.ZodType<string, string | undefined> = z
  .string()
  .refine(isZone, "is no time zone; write an IANA name such as Europe/London")
  .default("UTC");

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const common = {
  name: nameSchema.optional(),
  params: z.record(z.string(), z.unknown()).default({}),
  catchUp: z.enum(["skip", "last", "all"]).default("last"),
  lateAfter: spanSchema.refine((ms) => ms <= spanMsMax, "is too long").optional(),
};

const cronSchema = z.strictObject({ cron: z.string(), timezone: zoneSchema, ...common });
const intervalSchema = z.strictObject({
  every: spanSchema.refine((ms) => ms >= 1000 && ms <= spanMsMax, "must be a second at least"),
  from: z.iso.datetime({ offset: true, error: "write an instant such as 2026-01-01T06:00:00Z" }).optional(),
  ...common,
});
const datesSchema = z.strictObject({
  dates: z.array(z.string()).min(1, "must name at least one date").max(datesMax),
  timezone: zoneSchema,
  ...common,
});

/** Any of the three, told apart by what they have, so that a fault is told of the one that was meant. */
export const scheduleSchema: z.ZodType<CheckedSchedule, unknown> = z
  .record(z.string(), z.unknown(), { error: "is no schedule" })
  .transform((input, context) => {
    const kinds = ["cron", "every", "dates"].filter((kind) => Object.hasOwn(input, kind));
    if (kinds.length !== 1) {
      context.addIssue({ code: "custom", message: "must have one of `cron`, `every` and `dates`" });
      return z.NEVER;
    }
    const checked = readDeclared(input, kinds[0] ?? "");
    if ("issues" in checked) {
      for (const issue of checked.issues) {
        context.addIssue({ code: "custom", path: [...issue.path], message: issue.message });
      }
      return z.NEVER;
    }
    return checked;
  });

type Issues = Readonly<{ issues: readonly Readonly<{ path: readonly PropertyKey[]; message: string }>[] }>;

function readDeclared(input: Readonly<Record<string, unknown>>, kind: string): CheckedSchedule | Issues {
  const finish = (
    ticks: ScheduleTicks,
    rest: z.output<typeof intervalSchema> | z.output<typeof cronSchema> | z.output<typeof datesSchema>,
  ): CheckedSchedule => ({
    name: rest.name,
    ticks,
    params: rest.params,
    catchUp: rest.catchUp,
    lateAfterMs: rest.lateAfter,
  });
  if (kind === "cron") {
    const parsed = cronSchema.safeParse(input);
    if (!parsed.success) return parsed.error;
    const { cron, timezone } = parsed.data;
    const problem = cronProblem(cron, timezone);
    if (problem !== undefined) return { issues: [{ path: ["cron"], message: problem }] };
    return finish({ kind: "cron", cron, timezone }, parsed.data);
  }
  if (kind === "every") {
    const parsed = intervalSchema.safeParse(input);
    if (!parsed.success) return parsed.error;
    const { every, from } = parsed.data;
    const anchorMs = from === undefined ? 0 : Date.parse(from);
    return finish({ kind: "interval", everyMs: every, anchorMs }, parsed.data);
  }
  const parsed = datesSchema.safeParse(input);
  if (!parsed.success) return parsed.error;
  const instants = parsed.data.dates.map((date) => readDate(date, parsed.data.timezone));
  const issues = instants.flatMap((instant, index) =>
    instant === undefined
      ? [{ path: ["dates", index], message: "is no date; write 2026-12-24 or 2026-12-24T06:30" }]
      : [],
  );
  if (issues.length > 0) return { issues };
  const instantsMs = [...new Set(instants as number[])].sort((a, b) => a - b); // None is undefined: no issues.
  return finish({ kind: "dates", instantsMs }, parsed.data);
}

/**
 * Reads a cron expression; the one place where its dialect and its rule for changes of the clock are chosen.
 *
 * `sloppyRanges` reads `0/15` as Quartz and Go do. `no-wildcard`: an expression without a star or step in its times of
 * day names times, each of which happens once a day whatever the clock does; any other names an interval.
 */
export function openCron(cron: string, timezone: string): Cron {
  return new Cron(cron, {
    timezone,
    mode: "5-or-6-parts",
    sloppyRanges: true,
    fixedTimeRule: "no-wildcard",
    paused: true,
  });
}

/** A cron expression by itself. */
export const cronFieldSchema: z.ZodType<string, string> = z.string().superRefine((cron, context) => {
  const problem = cronProblem(cron, "UTC");
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

/** What is wrong with an expression; `undefined`: nothing. */
function cronProblem(cron: string, timezone: string): string | undefined {
  if (/^(CRON_)?TZ=/.test(cron)) return "names a zone in front; write it as `timezone`";
  try {
    // Leap days come within eight years, weekdays of them within forty.
    return openCron(cron, timezone).nextRun(new Date(0)) === null ? `"${cron}" never fires` : undefined;
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return `"${cron}" is no cron expression: ${said}`;
  }
}

/** An instant of a date or time in a zone. A time that the clock skips is moved on, of one that comes twice the first counts. */
function readDate(text: string, timezone: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, date, time = "00:00", seconds = ":00", zone] = match;
  const utcMs = Date.parse(`${date}T${time}${seconds}Z`);
  const isReal = !Number.isNaN(utcMs) && new Date(utcMs).toISOString().startsWith(date ?? "");
  if (!isReal) return undefined;
  if (zone !== undefined) return Date.parse(`${date}T${time}${seconds}${zone}`);
  const instant = new Cron(`${date}T${time}${seconds}`, { timezone, paused: true }).getOnce();
  return instant?.getTime();
}
