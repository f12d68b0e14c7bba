/**
 * **alert rule** what people want to be told of, and where: a stream that was not read for some time, a deployment that
 * fails. Rules of the project's code are its notices; those made in the console are kept in the landing.
 *
 * Objects are never changed: a rule is one object, that it was removed is another. So many servers can read them.
 */
import { randomBytes } from "node:crypto";
import { z } from "zod";
import { LeatError } from "../../errors/leat-error.ts";
import { type NoticeTarget, noticesSchema } from "../../flow/notice-declaration.ts";
import type { ObjectStore } from "../../ports/object-store.ts";

/** Goes up when what is written changes; rules of every version must stay readable. */
const ruleFormatVersion = 1;

/** Rules at most: each is looked at several times a minute. */
export const rulesMax = 200;

const prefix = "console/alerts/";
const ruleObject = (id: string): string => `${prefix}${id}/rule.json`;
const removedObject = (id: string): string => `${prefix}${id}/removed.json`;

/** When somebody is told. `null` stands for all: tenants, deployments. */
export type AlertWhen = Readonly<
  | { on: "late"; stream: string; tenant: string | null; afterMs: number }
  | { on: "failed"; deployment: string | null }
>;

/** A rule as it is kept. */
export type AlertRule = Readonly<{
  formatVersion: typeof ruleFormatVersion;
  id: string;
  name: string;
  when: AlertWhen;
  target: NoticeTarget;
  /** ISO 8601, UTC. */
  createdAt: string;
  createdBy: string;
}>;

const ruleSchema = z.object({
  formatVersion: z.literal(ruleFormatVersion),
  id: z.string(),
  name: z.string(),
  when: z.discriminatedUnion("on", [
    z.object({
      on: z.literal("late"),
      stream: z.string(),
      tenant: z.string().nullable(),
      afterMs: z.number().positive(),
    }),
    z.object({ on: z.literal("failed"), deployment: z.string().nullable() }),
  ]),
  target: z.unknown(),
  createdAt: z.string(),
  createdBy: z.string(),
});

/** Reads where a notice goes. @throws LeatError `PARAMS_INVALID` with every fault. */
export function readTarget(target: unknown): NoticeTarget {
  const parsed = noticesSchema.safeParse([target]);
  const [notice] = parsed.data ?? [];
  if (notice !== undefined) return notice;
  const faults = (parsed.error?.issues ?? []).map(({ path, message }) => ({
    path: ["target", ...path.slice(1)].join("."),
    problem: message,
  }));
  throw new LeatError("PARAMS_INVALID", {
    message: `The target has faults: ${faults.map(({ path, problem }) => `${path} ${problem}`).join("; ")}.`,
    hint: "Name secrets by reference, such as env:SLACK_URL.",
    details: { faults },
  });
}

/** Makes a rule. @throws LeatError `USAGE` when there are too many. */
export async function createRule(
  store: ObjectStore,
  facts: Readonly<Pick<AlertRule, "name" | "when" | "target" | "createdBy">>,
  nowMs: number,
): Promise<AlertRule> {
  if ((await listRules(store)).length >= rulesMax)
    throw new LeatError("USAGE", { message: `There are ${rulesMax} rules; remove one first.` });
  const id = randomBytes(6).toString("hex");
  const createdAt = new Date(nowMs).toISOString();
  const rule: AlertRule = { formatVersion: ruleFormatVersion, id, ...facts, createdAt };
  const made = await store.create(ruleObject(id), Buffer.from(`${JSON.stringify(rule)}\n`));
  return made === "exists" ? await createRule(store, facts, nowMs) : rule; // One in 2^48 for each rule there is.
}

/** Removes a rule for good. @throws LeatError `ALERT_UNKNOWN`. */
export async function removeRule(store: ObjectStore, id: string, nowMs: number): Promise<void> {
  await findRule(store, id);
  const removed = { removedAt: new Date(nowMs).toISOString() };
  await store.create(removedObject(id), Buffer.from(`${JSON.stringify(removed)}\n`));
}

/** @throws LeatError `ALERT_UNKNOWN`. */
export async function findRule(store: ObjectStore, id: string): Promise<AlertRule> {
  const found = (await listRules(store)).find((rule) => rule.id === id);
  if (found !== undefined) return found;
  throw new LeatError("ALERT_UNKNOWN", { message: `There is no alert rule "${id}".` });
}

/** Rules that were not removed, oldest first. */
export async function listRules(store: ObjectStore): Promise<readonly AlertRule[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  const removed = new Set(keys.filter((key) => key.endsWith("/removed.json")).map(idOf));
  const ids = keys.filter((key) => key.endsWith("/rule.json") && !removed.has(idOf(key))).map(idOf);
  const rules = await Promise.all(ids.map((id) => readRule(store, id)));
  return rules.sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
}

const idOf = (key: string): string => key.slice(prefix.length).split("/")[0] ?? "";

async function readRule(store: ObjectStore, id: string): Promise<AlertRule> {
  const key = ruleObject(id);
  const bytes = await store.read(key);
  try {
    const { target, ...rule } = ruleSchema.parse(JSON.parse(Buffer.from(bytes ?? []).toString("utf8")));
    return { ...rule, target: readTarget(target) };
  } catch (cause) {
    throw new LeatError("CONFIG_INVALID", {
      message: `The alert rule ${key} in ${store.url} cannot be read by this version of leat.`,
      hint: "Remove the object, and make the rule anew.",
      cause,
    });
  }
}
