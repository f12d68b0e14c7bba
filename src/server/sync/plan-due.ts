/** Which streams of which tenants are due to be synced. Pure: no clock, no queue. */
import { hash } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import type { WorkSchedule } from "../../flow/ready-made.ts";
import { readTicks } from "../../flow/ticks.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Project } from "../../ports/project.ts";
import type { Tenant } from "../../ports/source.ts";
import { type QueuedTask, taskNameMax } from "../../ports/task-queue.ts";
import { choosePairs } from "../../sync/choose-pairs.ts";

/** A stream and tenant whose time has come. Instants are ms since the epoch. */
export type DueSync = Readonly<{
  source: string;
  stream: string;
  tenant: TenantId;
  /** The tick. */
  slotMs: number;
  /** The tick after it, when this sync is no longer needed; `undefined`: there is none. */
  nextMs: number | undefined;
}>;

/** Streams and tenants of one plan: some thousand tenants of some dozens of streams. Each costs the planner a request. */
export const dueMax = 50_000;

/**
 * Plans the syncs of all ticks in `(fromMs, untilMs]`. Of several ticks of a stream and tenant the last one counts: one
 * sync brings in all that is new.
 *
 * @throws LeatError `STREAM_UNKNOWN`, `TENANT_UNKNOWN`, `TENANT_NOT_READ` where a schedule names what there is not,
 *   `RUN_BOUND_REACHED`.
 */
export function planDue(
  work: Readonly<{ schedules: readonly WorkSchedule[]; project: Project; tenants: readonly Tenant[] }>,
  span: Readonly<{ fromMs: number; untilMs: number }>,
): readonly DueSync[] {
  const due = new Map<string, DueSync>();
  for (const schedule of work.schedules) {
    if (schedule.kind !== "sync") continue;
    const ticks = readTicks(schedule.ticks);
    const slotMs = ticks.last(span.untilMs);
    if (slotMs === undefined || slotMs <= span.fromMs) continue;
    const nextMs = ticks.next(slotMs);
    for (const { source, spec, tenants } of choosePairs(work, {
      streams: schedule.names,
      tenants: schedule.tenants,
    })) {
      for (const { id } of tenants) {
        const key = JSON.stringify([source.name, spec.name, id]);
        if ((due.get(key)?.slotMs ?? Number.NEGATIVE_INFINITY) >= slotMs) continue;
        due.set(key, { source: source.name, stream: spec.name, tenant: id, slotMs, nextMs });
        if (due.size > dueMax) throw tooMany();
      }
    }
  }
  return [...due.values()];
}

function tooMany(): LeatError {
  return new LeatError("RUN_BOUND_REACHED", {
    message: `More than ${dueMax} streams and tenants are due at once.`,
    hint: "Split the schedule by `streams` or `tenants` of its parameters, at different minutes.",
  });
}

/** Characters of each readable part of a name: enough for a person to know it again in a list. */
const readableMax = 60;

/**
 * The request of a due sync. Its name is the idempotency key of the sync: the same tick of the same stream and tenant,
 * planned twice, is one task, and sent twice, one extract. The hash comes first, since Cloud Tasks spreads its load by
 * the beginning of names, and makes it unique, since letters are lost in the readable part.
 */
export function toTask({ source, stream, tenant, slotMs, nextMs }: DueSync): QueuedTask {
  const digest = hash("sha256", JSON.stringify([source, stream, tenant]), "hex").slice(0, 16);
  const readable = [source, stream, tenant].map((name) =>
    name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, readableMax),
  );
  const slot = new Date(slotMs).toISOString().replace(/\D/g, "").slice(0, 14);
  return {
    name: [digest, ...readable, slot].join("_").slice(0, taskNameMax),
    path: `/${encodeURIComponent(source)}/${encodeURIComponent(stream)}`,
    body: {
      tenant_id: tenant,
      ...(nextMs !== undefined && { not_after: new Date(nextMs).toISOString() }),
    },
  };
}
