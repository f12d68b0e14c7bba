/** Looks whether the rules hold, and tells people. One process at a time does so; what was told is told once. */
import { sendNotice } from "../../flow/send-notice.ts";
import { listTenants, readHead } from "../../landing/log.ts";
import { type FlowRunId, newWorkerId } from "../../model/run-ids.ts";
import type { FlowEvent } from "../../model/run-record.ts";
import { chooseStream, streamName } from "../../sync/choose.ts";
import { type AlertRule, listRules } from "./alert-rules.ts";
import type { ControlPorts } from "./control-ports.ts";
import { readStreamStandings, type StreamStanding } from "./stream-status.ts";

/** Pause between two looks, ms: lateness is told in minutes. */
const lookMs = 15_000;

/** How long the look is this process's own, ms. */
const leaseMs = 60_000;

/** How far back failures are looked for, ms: while no process looked, they are told late, and after this not at all. */
const failuresMs = 3_600_000;

/** Logs that are read at once: each is some requests to the store. */
const readsAtOnce = 8;

const eventsMax = 1000;

/** What has happened: its key is that of this one occasion. */
type Occasion = Readonly<{
  key: string;
  subject: string;
  message: string;
  runId: FlowRunId | null;
  isOver: boolean;
}>;

/** Where people see a run. */
export type AlertWorld = ControlPorts & Readonly<{ runUrl: ((runId: string) => string) | undefined }>;

/** Starts looking. */
export function startAlerts(world: AlertWorld): Readonly<{ stop: () => Promise<void> }> {
  const stopped = new AbortController();
  const holder = newWorkerId();
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        if (await world.ledger.takeLease("alerts", holder, leaseMs)) await checkAlerts(world, stopped.signal);
      } catch (error) {
        world.onProblem(error);
      }
      await world.clock.sleep(lookMs, stopped.signal).catch(() => {}); // Stopped.
    }
  };
  const ended = loop();
  return {
    async stop() {
      stopped.abort();
      await ended;
      await world.ledger.takeLease("alerts", holder, 0).catch(world.onProblem);
    },
  };
}

/** One look at every rule. A rule that cannot be looked at leaves the others. */
export async function checkAlerts(world: AlertWorld, signal: AbortSignal): Promise<void> {
  const rules = await listRules(world.store);
  if (rules.length === 0) return;
  const standings = await readStreamStandings(world);
  for (const rule of rules) {
    try {
      const occasions =
        rule.when.on === "late" ? await findLate(world, rule, standings) : await findFailures(world, rule);
      for (const occasion of occasions) await tell(world, rule, occasion, signal);
    } catch (error) {
      world.onProblem(error);
    }
  }
}

/** An occasion is told once, by whoever writes it down first; one that is over is written down and nobody is told. */
async function tell(
  world: AlertWorld,
  rule: AlertRule,
  { key, subject, message, runId, isOver }: Occasion,
  signal: AbortSignal,
): Promise<void> {
  const { ledger } = world;
  const data = { rule: rule.name, subject, message };
  const kind = isOver ? "alert.resolved" : "alert.fired";
  const dedupKey = `${kind}:${rule.id}:${key}`;
  const written = await ledger.appendEvent({
    kind,
    subject: rule.id,
    runId: null,
    data: { ...data, run: runId },
    dedupKey,
  });
  if (!written.isNew || isOver) return;
  await deliver(world, rule, { subject, message, runId, isTest: false }, signal);
}

/**
 * Sends what a rule has to say, and writes down how that went.
 *
 * @returns what went wrong; `undefined`: it was delivered.
 */
export async function deliver(
  world: AlertWorld,
  rule: AlertRule,
  told: Readonly<{ subject: string; message: string; runId: FlowRunId | null; isTest: boolean }>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { ledger, secrets, clock, redact, runUrl } = world;
  const { subject, message, isTest } = told;
  const event: FlowEvent = {
    id: 0,
    atMs: ledger.nowMs(),
    kind: rule.when.on === "late" ? "run.late" : "run.failed",
    subject,
    runId: told.runId,
    data: { rule: rule.name, is_test: isTest, error: { message } },
    dedupKey: null,
    isHandled: true,
  };
  let problem: string | undefined;
  try {
    await sendNotice({ secrets, clock, redact, runUrl }, rule.target, event, signal);
  } catch (error) {
    problem = redact(error instanceof Error ? error.message : String(error));
  }
  await ledger.appendEvent({
    kind: problem === undefined ? "alert.sent" : "alert.failed",
    subject: rule.id,
    runId: null,
    data: {
      rule: rule.name,
      to: rule.target.to,
      subject,
      message,
      is_test: isTest,
      ...(problem !== undefined && { problem }),
    },
    dedupKey: null,
  });
  return problem;
}

/** Tenants of the rule's stream for whom nothing was good since too long; those that were, and are not any more, are over. */
async function findLate(
  world: AlertWorld,
  rule: AlertRule,
  standings: readonly StreamStanding[],
): Promise<readonly Occasion[]> {
  const { when } = rule;
  if (when.on !== "late") return [];
  const chosen = chooseStream(world.project, when.stream);
  const own = standings.filter(
    ({ stream, tenant }) => stream === streamName(chosen) && tenant === (when.tenant ?? tenant),
  );
  const asked = own.map(({ tenant }) => tenant);
  const landed = new Set<string>(await listTenants(world.store, chosen.source.name, chosen.spec.name, asked));
  const open = await readOpen(world, rule);
  const occasions: Occasion[] = [];
  for (let start = 0; start < own.length; start += readsAtOnce) {
    const read = own.slice(start, start + readsAtOnce).map(async ({ tenant, syncedAtMs }) => {
      const place = { source: chosen.source.name, stream: chosen.spec.name, tenant };
      const head = landed.has(tenant) ? await readHead(world.store, place) : undefined;
      const times = [syncedAtMs, head === undefined ? null : Date.parse(head.manifest.committedAt)];
      const goodAtMs = Math.max(Date.parse(rule.createdAt), ...times.filter((ms) => ms !== null));
      const isLate = world.ledger.nowMs() - goodAtMs > when.afterMs;
      const subject = `${streamName(chosen)} (tenant ${tenant})`;
      const before = open.get(subject);
      if (isLate) {
        const since = new Date(goodAtMs).toISOString();
        const message = `Nothing was read since ${since}, longer than ${describeSpan(when.afterMs)}.`;
        return [{ key: `${tenant}:${since}`, subject, message, runId: null, isOver: false }];
      }
      return before === undefined
        ? []
        : [{ key: String(before), subject, message: "It was read again.", runId: null, isOver: true }];
    });
    occasions.push(...(await Promise.all(read)).flat());
  }
  return occasions;
}

/** Failures of the rule's deployments since it was made, and those after which a run was good. */
async function findFailures({ ledger }: AlertWorld, rule: AlertRule): Promise<readonly Occasion[]> {
  const { when } = rule;
  if (when.on !== "failed") return [];
  const atFromMs = Math.max(Date.parse(rule.createdAt), ledger.nowMs() - failuresMs);
  const events = await ledger.listEvents({
    kinds: ["run.failed", "run.recovered"],
    atFromMs,
    limit: eventsMax,
  });
  return events
    .filter(({ subject }) => subject === (when.deployment ?? subject))
    .map(({ id, kind, subject, runId, data }) => {
      const { error } = data;
      const said =
        typeof error === "object" && error !== null && "message" in error ? error["message"] : undefined;
      return {
        key: String(id),
        subject,
        message: kind === "run.recovered" ? "It works again." : String(said ?? "A run failed."),
        runId,
        isOver: kind === "run.recovered",
      };
    });
}

/** What of a rule has been told and is not over: by what it is about, the id of the event. */
export async function readOpen(
  { ledger }: Pick<ControlPorts, "ledger">,
  rule: Pick<AlertRule, "id">,
): Promise<ReadonlyMap<string, number>> {
  const events = await ledger.listEvents({
    kinds: ["alert.fired", "alert.resolved"],
    subject: rule.id,
    isNewestFirst: true,
    limit: eventsMax,
  });
  const open = new Map<string, number>();
  for (const { id, kind, data } of events.toReversed()) {
    const subject = String(data["subject"]);
    if (kind === "alert.fired") open.set(subject, id);
    else open.delete(subject);
  }
  return open;
}

/** `1 h 30 min`, for people. */
function describeSpan(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 ? `${hours} h` : "", rest > 0 || hours === 0 ? `${rest} min` : ""]
    .filter(Boolean)
    .join(" ");
}
