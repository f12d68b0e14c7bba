/**
 * The planner: turns schedules into named tasks of a queue.
 *
 * It keeps one hint in the landing: up to when it has planned. The next plan begins there, so that ticks during an outage
 * of the planner are made up for. The hint moves after the last task was taken; a planner that dies before plans the same
 * span again, which costs requests: tasks of the same name are one, and syncs of the same name one extract.
 */
import type { WorkSchedule } from "../../flow/ready-made.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { Project } from "../../ports/project.ts";
import type { Tenant } from "../../ports/source.ts";
import type { TaskQueue } from "../../ports/task-queue.ts";
import type { Clock } from "../../ports/world.ts";
import { openLane } from "../../sync/lanes.ts";
import { planDue, toTask } from "./plan-due.ts";

/** What the planner works with. */
export type PlannerPorts = Readonly<{
  project: Project;
  schedules: readonly WorkSchedule[];
  readTenants: () => readonly Tenant[];
  queue: TaskQueue;
  store: ObjectStore;
  clock: Clock;
}>;

/** What a plan did. */
export type PlanOutcome = Readonly<{ fromMs: number; untilMs: number; enqueued: number; known: number }>;

/** Where the hint lies. */
export const plannedKey = "plan/planned-to";
/** How far the first plan looks back, ms: three periods of a planner that runs every five minutes. */
const firstLookMs = 15 * 60_000;
/** How far a plan looks back after an outage, ms: a weekly tick is made up for. */
const lookMsMax = 8 * 24 * 3600_000;
/** Requests to the queue at once: 1,000 tasks in some seconds. */
const enqueuesMax = 20;

/**
 * Plans once. Safe to do twice at once.
 *
 * @param appUrl - the app's own address, to which tasks are sent.
 * @throws LeatError the first failure of the queue, after every other task was tried; the hint has not moved then.
 */
export async function planSyncs(
  ports: PlannerPorts,
  appUrl: string,
  signal: AbortSignal,
): Promise<PlanOutcome> {
  const { queue, store, clock } = ports;
  const untilMs = clock.nowMs();
  const fromMs = await readPlanned(store, untilMs);
  const due = planDue({ ...ports, tenants: ports.readTenants() }, { fromMs, untilMs });
  const lane = openLane(enqueuesMax);
  const ended = await Promise.allSettled(
    due.map((sync) => lane(() => queue.enqueue(toTask(sync), appUrl, signal))),
  );
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  await store.put(plannedKey, Buffer.from(JSON.stringify({ plannedTo: new Date(untilMs).toISOString() })));
  const count = (what: string): number =>
    ended.filter((one) => one.status === "fulfilled" && one.value === what).length;
  return { fromMs, untilMs, enqueued: count("enqueued"), known: count("known") };
}

/** Up to when was planned. A hint that is missing, broken or of the future, is as good as none. */
async function readPlanned(store: ObjectStore, nowMs: number): Promise<number> {
  const bytes = await store.read(plannedKey);
  const plannedMs = bytes === undefined ? Number.NaN : parseHint(Buffer.from(bytes).toString("utf8"));
  if (!(plannedMs <= nowMs)) return nowMs - firstLookMs;
  return Math.max(plannedMs, nowMs - lookMsMax);
}

function parseHint(text: string): number {
  try {
    const hint: unknown = JSON.parse(text);
    const isHint = typeof hint === "object" && hint !== null && "plannedTo" in hint;
    return isHint ? Date.parse(String(hint.plannedTo)) : Number.NaN;
  } catch {
    return Number.NaN;
  }
}
