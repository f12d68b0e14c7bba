/** Schedules of a project as Google Cloud runs them: jobs of Cloud Scheduler, or a planner's tasks. Pure. */
import { hash } from "node:crypto";
import type { WorkSchedule } from "../flow/ready-made.ts";
import { listTicks, readTicks } from "../flow/ticks.ts";
import type { ScheduleTicks } from "../model/run-schedule.ts";
import type { Project } from "../ports/project.ts";
import type { Tenant } from "../ports/source.ts";
import { choosePairs } from "../sync/choose-pairs.ts";

/** A schedule as Cloud Scheduler writes it. */
export type CloudCron = Readonly<{ cron: string; timezone: string }>;

/** One stream of one tenant, and when it is synced. */
export type SyncPair = Readonly<{
  /** Names its job: readable, and unique by its hash. */
  key: string;
  source: string;
  stream: string;
  tenant: string;
  schedule: string;
  /** `undefined`: Cloud Scheduler cannot say it; a planner can. */
  cron: CloudCron | undefined;
  runsPerMonth: number;
}>;

/** A month of the bill, ms. */
const monthMs = 30 * 24 * 3600_000;
/** Ticks of one schedule that are counted one by one: finding one takes up to a quarter of a millisecond. */
const ticksMax = 2000;
/** Characters of each readable part of a key. */
const readableMax = 40;

/**
 * A schedule in the five fields that Cloud Scheduler reads.
 *
 * @returns `undefined` for what it has no words for: seconds, dates, `L` and `#`, intervals that do not divide the day.
 * @see https://docs.cloud.google.com/scheduler/docs/configuring/cron-job-schedules
 */
export function toCloudCron(ticks: ScheduleTicks): CloudCron | undefined {
  if (ticks.kind === "cron") {
    const named: Readonly<Record<string, string>> = {
      "@hourly": "0 * * * *",
      "@daily": "0 0 * * *",
      "@midnight": "0 0 * * *",
      "@weekly": "0 0 * * 0",
      "@monthly": "0 0 1 * *",
      "@yearly": "0 0 1 1 *",
      "@annually": "0 0 1 1 *",
    };
    const cron = (named[ticks.cron.trim().toLowerCase()] ?? ticks.cron).trim().split(/\s+/);
    const isPlain =
      cron.length === 5 &&
      cron.every((field) => /^(\*|[\dA-Za-z,-]+)(\/\d+)?(,[\dA-Za-z,/*-]+)?$/.test(field));
    const isOdd = cron.some((field) => /[LW#?]/.test(field.replace(/JUL|WED|APR|AUG/gi, "")));
    return isPlain && !isOdd ? { cron: cron.join(" "), timezone: ticks.timezone } : undefined;
  }
  if (ticks.kind === "interval") return intervalCron(ticks.everyMs, ticks.anchorMs);
  return undefined;
}

function intervalCron(everyMs: number, anchorMs: number): CloudCron | undefined {
  const minutes = everyMs / 60_000;
  const offset = (((anchorMs / 60_000) % minutes) + minutes) % minutes;
  if (!Number.isInteger(minutes) || !Number.isInteger(offset)) return undefined;
  const timezone = "Etc/UTC";
  if (minutes < 60 && 60 % minutes === 0) {
    if (minutes === 1) return { cron: "* * * * *", timezone };
    return { cron: `${offset === 0 ? "*" : `${offset}-59`}/${minutes} * * * *`, timezone };
  }
  const hours = minutes / 60;
  if (!Number.isInteger(hours) || hours > 24 || 24 % hours !== 0) return undefined;
  const [hour, minute] = [Math.floor(offset / 60), offset % 60];
  if (hours === 1) return { cron: `${minute} * * * *`, timezone };
  if (hours === 24) return { cron: `${minute} ${hour} * * *`, timezone };
  return { cron: `${minute} ${hour === 0 ? "*" : `${hour}-23`}/${hours} * * *`, timezone };
}

/** Ticks of a month from an instant on; of frequent ones as many as in the time of the first ones. */
export function countMonthly(ticks: ScheduleTicks, fromMs: number): number {
  if (ticks.kind === "interval") return Math.floor(monthMs / ticks.everyMs);
  const found = listTicks(readTicks(ticks), { fromMs, untilMs: fromMs + monthMs }, ticksMax);
  const last = found.at(-1);
  if (last === undefined || found.length < ticksMax) return found.length;
  return Math.round((found.length * monthMs) / (last - fromMs));
}

/** Every stream and tenant of every schedule of a sync. */
export function listPairs(
  work: Readonly<{ schedules: readonly WorkSchedule[]; project: Project; tenants: readonly Tenant[] }>,
  nowMs: number,
): readonly SyncPair[] {
  return work.schedules
    .filter(({ kind }) => kind === "sync")
    .flatMap((schedule) => {
      const cron = toCloudCron(schedule.ticks);
      const runsPerMonth = countMonthly(schedule.ticks, nowMs);
      const choice = { streams: schedule.names, tenants: schedule.tenants };
      return choosePairs(work, choice).flatMap(({ source, spec, tenants }) =>
        tenants.map(({ id }) => {
          const place = { source: source.name, stream: spec.name, tenant: id };
          return {
            key: keyOf({ ...place, schedule: schedule.id }),
            ...place,
            schedule: schedule.id,
            cron,
            runsPerMonth,
          };
        }),
      );
    });
}

function keyOf(pair: Readonly<{ source: string; stream: string; tenant: string; schedule: string }>): string {
  const { source, stream, tenant, schedule } = pair;
  const readable = [source, stream, tenant].map((name) =>
    name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, readableMax),
  );
  const digest = hash("sha256", JSON.stringify([source, stream, tenant, schedule]), "hex").slice(0, 8);
  return [...readable, digest].join("-");
}
