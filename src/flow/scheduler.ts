/** Makes the runs of schedules when their ticks come; any number of processes may do so at once (F11). */
import type { NewRun } from "../model/run-record.ts";
import type { ScheduleRecord } from "../model/run-schedule.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Ledger, Submitted } from "../ports/ledger.ts";
import type { Clock } from "../ports/world.ts";
import type { Deployment, FlowRegistry } from "./deployment.ts";
import { type LookLoop, startLookLoop } from "./look-loop.ts";
import { newRunOf } from "./new-run.ts";
import { planTicks } from "./plan-ticks.ts";
import { hintsOf } from "./run-hints.ts";
import { readTicks, type TickReader } from "./ticks.ts";

export type SchedulerWorld = Readonly<{
  ledger: Ledger;
  dispatcher: Dispatcher;
  clock: Clock;
  registry: FlowRegistry;
  onProblem: (error: unknown) => void;
}>;

/** Starts looking at the schedules of the deployments that this process knows. */
export function startScheduler(world: SchedulerWorld): LookLoop {
  const readers: TickReaders = new Map();
  return startLookLoop(world, async () => (await fireDue(world, readers)).nextMs);
}

/** Readers by their declaration: to parse a cron expression costs more than to ask it. */
export type TickReaders = Map<string, TickReader>;

/** What a look at all schedules made, and when the next tick comes; `null`: none does. */
export type Fired = Readonly<{ runs: readonly Submitted[]; nextMs: number | null }>;

/** Makes the runs of all ticks that are due now. */
export async function fireDue(
  world: Pick<SchedulerWorld, "ledger" | "dispatcher" | "registry">,
  readers: TickReaders,
): Promise<Fired> {
  const { ledger, dispatcher, registry } = world;
  const known = new Map(registry.deployments.map((one) => [one.name, one]));
  const runs: Submitted[] = [];
  let nextMs = Number.POSITIVE_INFINITY;
  for (const schedule of await ledger.listSchedules()) {
    const deployment = known.get(schedule.deployment);
    if (deployment === undefined || schedule.isPaused) continue; // Another process has its code.
    const reader = readerOf(schedule, readers);
    const fired = await fireOne(ledger, deployment, schedule, reader);
    runs.push(...fired.runs);
    nextMs = Math.min(nextMs, reader.next(fired.cursorMs) ?? nextMs);
    await dispatcher.send(hintsOf(fired.runs.map(({ run }) => run)));
  }
  return { runs, nextMs: nextMs === Number.POSITIVE_INFINITY ? null : nextMs };
}

async function fireOne(
  ledger: Ledger,
  deployment: Deployment,
  schedule: ScheduleRecord,
  reader: TickReader,
): Promise<Readonly<{ runs: readonly Submitted[]; cursorMs: number }>> {
  const nowMs = ledger.nowMs();
  const { cursorMs } = schedule;
  const plan = planTicks(reader, schedule.catchUp, { cursorMs, nowMs });
  if (plan === undefined) return { runs: [], cursorMs };
  const runs: NewRun[] = [];
  for (const tickMs of plan.ticksMs) {
    try {
      runs.push(tickRun(deployment, schedule, tickMs, { kind: "schedule", schedule: schedule.id }));
    } catch (error) {
      // The schema of its parameters has changed since it was declared: told once a tick, and the next tick may be mended.
      await ledger.appendEvent({
        kind: "schedule.failed",
        subject: schedule.id,
        runId: null,
        data: { tickMs, message: error instanceof Error ? error.message : String(error) },
        dedupKey: `schedule.failed:${schedule.id}:${tickMs}`,
      });
    }
  }
  const fired = await ledger.fireSchedule(schedule.id, { fromMs: cursorMs, toMs: plan.cursorMs }, runs);
  if (fired === "moved") return { runs: [], cursorMs: plan.cursorMs }; // Another scheduler was faster.
  if (plan.isReset) {
    await ledger.appendEvent({
      kind: "clock.jumped",
      subject: schedule.id,
      runId: null,
      data: { cursorMs, nowMs },
      dedupKey: `clock.jumped:${schedule.id}:${cursorMs}`,
    });
  }
  return { runs: fired, cursorMs: plan.cursorMs };
}

function readerOf(schedule: ScheduleRecord, readers: TickReaders): TickReader {
  const text = JSON.stringify(schedule.ticks);
  const reader = readers.get(text) ?? readTicks(schedule.ticks);
  readers.set(text, reader);
  return reader;
}

/** The run of a tick. Its key is that tick's, so that it is there once whoever makes it. */
export function tickRun(
  deployment: Deployment,
  schedule: ScheduleRecord,
  tickMs: number,
  cause: NewRun["cause"],
  again = "",
): NewRun {
  return newRunOf(deployment, {
    params: schedule.params as Readonly<Record<string, unknown>>, // An object, as declared.
    cause,
    startAtMs: tickMs,
    scheduledAtMs: tickMs,
    lateAfterMs: schedule.lateAfterMs ?? undefined,
    idempotencyKey: `schedule:${schedule.id}:${new Date(tickMs).toISOString()}${again}`,
  });
}
