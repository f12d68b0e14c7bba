/** Makes the runs that events ask for. A run is named by its event, so that it is made once whoever looks. */
import { hash } from "node:crypto";
import type { FlowEvent } from "../model/run-record.ts";
import type { Ledger, Submitted } from "../ports/ledger.ts";
import type { Deployment, FlowRegistry } from "./deployment.ts";
import { newRunOf } from "./new-run.ts";
import { readTicks } from "./ticks.ts";
import type { EventMatch, TriggerDeclaration } from "./trigger-declaration.ts";

type TriggerWorld = Readonly<{ ledger: Ledger; registry: FlowRegistry }>;

/** A trigger of a deployment, with the name that its runs say they came from. */
type NamedTrigger = Readonly<{ deployment: Deployment; trigger: TriggerDeclaration; name: string }>;

/** Whether an event is one of those meant. */
export function matchesEvent(match: EventMatch, event: FlowEvent): boolean {
  switch (match.on) {
    case "stream.packages":
      return event.kind === match.on && event.subject === match.stream;
    case "dataset.version":
      return event.kind === match.on && event.subject === match.dataset;
    case "webhook":
      return event.kind === match.on && event.subject === match.webhook;
    case "event":
      return event.kind === match.kind && (match.subject === undefined || event.subject === match.subject);
    default:
      return event.kind === match.on && event.subject === match.deployment;
  }
}

const listTriggers = ({ registry }: TriggerWorld): readonly NamedTrigger[] =>
  registry.deployments.flatMap((deployment) =>
    deployment.triggers.map((trigger, index) => ({
      deployment,
      trigger,
      name: `${deployment.name}.${trigger.on}.${index}`,
    })),
  );

/** Makes the runs of one event. */
export async function fireEvent(world: TriggerWorld, event: FlowEvent): Promise<readonly Submitted[]> {
  const fired: Submitted[] = [];
  for (const named of listTriggers(world)) {
    const { trigger } = named;
    if (trigger.on === "absence" || !matchesEvent(trigger, event)) continue;
    const made = await submit(world, named, event, `event:${event.id}`);
    if (made !== undefined) fired.push(made);
  }
  return fired;
}

/**
 * Makes the runs of events that did not come between one tick and the next.
 *
 * Spans begin with the first tick after the trigger was seen first: before, nobody expected anything.
 */
export async function fireAbsences(world: TriggerWorld): Promise<readonly Submitted[]> {
  const fired: Submitted[] = [];
  for (const named of listTriggers(world)) {
    const { trigger, name } = named;
    if (trigger.on !== "absence") continue;
    const ticks = readTicks({ kind: "cron", cron: trigger.by, timezone: trigger.timezone ?? "UTC" });
    const toMs = ticks.last(world.ledger.nowMs());
    const fromMs = toMs === undefined ? undefined : ticks.last(toMs - 1000);
    if (toMs === undefined || fromMs === undefined) continue;
    const tick = new Date(toMs).toISOString();
    const { of, by, timezone } = trigger;
    const about = hash("sha256", JSON.stringify({ of, by, timezone })).slice(0, 16);
    const watched = `absence.watched:${name}:${about}`;
    const began = {
      kind: "absence.watched",
      subject: name,
      runId: null,
      data: { of, by },
      dedupKey: watched,
    };
    const { id } = await world.ledger.appendEvent(began);
    const [first] = await world.ledger.listEvents({ afterId: id - 1, limit: 1 });
    if (first === undefined || first.atMs > fromMs || (await hasCome(world, of, { fromMs, toMs }))) continue;
    const told = await world.ledger.appendEvent({
      kind: "absence",
      subject: name,
      runId: null,
      data: { of, from: new Date(fromMs).toISOString(), to: tick },
      dedupKey: `absence:${name}:${about}:${tick}`,
    });
    if (!told.isNew) continue;
    const [event] = await world.ledger.listEvents({ afterId: told.id - 1, limit: 1 });
    const made = event && (await submit(world, named, event, `absence:${tick}`));
    if (made !== undefined) fired.push(made);
  }
  return fired;
}

/** Events of a span that are looked at; more than these are taken for one of those expected. */
const lookedAtMax = 1000;

async function hasCome(
  { ledger }: TriggerWorld,
  of: EventMatch,
  span: Readonly<{ fromMs: number; toMs: number }>,
): Promise<boolean> {
  const kinds = [of.on === "event" ? of.kind : of.on];
  const events = await ledger.listEvents({ kinds, atFromMs: span.fromMs, limit: lookedAtMax });
  return events.length === lookedAtMax || events.some((one) => one.atMs < span.toMs && matchesEvent(of, one));
}

/** Makes the run; parameters that do not fit are told, and lose nobody else's run. */
async function submit(
  { ledger }: TriggerWorld,
  { deployment, trigger, name }: NamedTrigger,
  event: FlowEvent,
  key: string,
): Promise<Submitted | undefined> {
  try {
    const isOwn = typeof trigger.params === "function";
    const params = typeof trigger.params === "function" ? trigger.params(event) : (trigger.params ?? {});
    const isCoalesced = trigger.coalesce ?? !isOwn;
    const run = newRunOf(deployment, {
      params: params as Readonly<Record<string, unknown>>, // An object, as declared; the flow's schema looks at it.
      cause: { kind: "event", trigger: name, event: event.id },
      startAtMs: ledger.nowMs(),
      idempotencyKey: `${name}:${key}`,
      coalesceKey: isCoalesced ? name : undefined,
    });
    return await ledger.submitRun(run);
  } catch (error) {
    if (isOfLedger(error)) throw error; // The event is looked at again.
    await ledger.appendEvent({
      kind: "trigger.failed",
      subject: deployment.name,
      runId: null,
      data: {
        trigger: name,
        event: event.id,
        message: error instanceof Error ? error.message : String(error),
      },
      dedupKey: `trigger.failed:${name}:${event.id}`,
    });
    return undefined;
  }
}

const isOfLedger = (error: unknown): boolean =>
  error instanceof Error && "code" in error && String(error.code).startsWith("LEDGER_");
