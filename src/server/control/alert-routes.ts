/** Alerts: what is the matter, the rules, where they go, and what was told. */
import type { FastifyInstance } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import type { NoticeTarget } from "../../flow/notice-declaration.ts";
import { printEventJson } from "../../flow/run-json.ts";
import { chooseStream, streamName } from "../../sync/choose.ts";
import { choosePair } from "../../sync/choose-pairs.ts";
import { actorOf } from "../access/access.ts";
import { type AlertRule, createRule, findRule, listRules, readTarget, removeRule } from "./alert-rules.ts";
import { answers, count, flag, instant, listOf, orNull, record, ref, text, texts } from "./answer-schemas.ts";
import { deliver, readOpen } from "./check-alerts.ts";
import type { ControlPorts } from "./control-ports.ts";
import { idParams, limitField } from "./request-schemas.ts";

type Id = { Params: { id: string } };

const minuteMs = 60_000;

/** Events that alerts and notices write. */
const historyKinds = ["alert.fired", "alert.resolved", "alert.sent", "alert.failed", "notice.failed"];

const targetAnswer = {
  ...record(
    { to: { enum: ["webhook", "slack", "mail"] } },
    { url: text, token: text, smtp: text, from: text, recipients: texts },
  ),
  description: "Addresses and credentials are references of secrets, such as env:SLACK_URL.",
};

const whenAnswer = record(
  { on: { enum: ["late", "failed", "recovery"] } },
  { stream: text, tenant: orNull(text), after_minutes: count, deployment: orNull(text) },
);

const ruleAnswer = record({
  id: text,
  name: text,
  when: listOf(whenAnswer),
  target: targetAnswer,
  is_declared: { ...flag, description: "In the project's code: it is changed there." },
  created_at: orNull(instant),
  created_by: orNull(text),
  open: listOf(record({ subject: text, event: count })),
});

const ruleBody = {
  type: "object",
  additionalProperties: false,
  required: ["name", "when", "target"],
  properties: {
    name: { type: "string", minLength: 1, maxLength: 200 },
    when: {
      type: "object",
      additionalProperties: false,
      required: ["on"],
      properties: {
        on: { enum: ["late", "failed"] },
        stream: { type: "string", minLength: 1, maxLength: 200, description: "Of `late`: source.stream." },
        tenant: { type: ["string", "null"], maxLength: 500, description: "Of `late`; null: every tenant." },
        after_minutes: { type: "integer", minimum: 1, maximum: 525_600, description: "Of `late`." },
        deployment: {
          type: ["string", "null"],
          maxLength: 200,
          description: "Of `failed`; null: every one.",
        },
      },
    },
    target: {
      type: "object",
      additionalProperties: true,
      description: "As the project's notices are declared.",
    },
  },
} as const;

type RuleBody = {
  name: string;
  when: {
    on: "late" | "failed";
    stream?: string;
    tenant?: string | null;
    after_minutes?: number;
    deployment?: string | null;
  };
  target: unknown;
};

export function addAlertRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { store, ledger } = ports;
  const tags = ["alerts"];
  app.get(
    "/alerts",
    {
      schema: {
        tags,
        summary: "Alert rules, made here or declared in code, and what of them is the matter now.",
        response: answers(record({ rules: listOf(ruleAnswer) })),
      },
    },
    async () => {
      const own = await Promise.all(
        (await listRules(store)).map(async (rule) => printRule(rule, await readOpen(ports, rule))),
      );
      return { rules: [...own, ...(await listDeclared(ports))] };
    },
  );
  app.post<{ Body: RuleBody }>(
    "/alerts",
    {
      schema: {
        tags,
        summary: "Make an alert rule.",
        body: ruleBody,
        response: answers(ruleAnswer, 201),
      },
    },
    async (request, reply) => {
      const { name, when, target } = request.body;
      const facts = {
        name,
        when: readWhen(ports, when),
        target: readTarget(target),
        createdBy: actorOf(request),
      };
      const rule = await createRule(store, facts, ledger.nowMs());
      return reply.code(201).send(printRule(rule, new Map()));
    },
  );
  app.delete<Id>(
    "/alerts/:id",
    {
      schema: {
        tags,
        summary: "Remove an alert rule that was made here.",
        params: idParams,
        response: answers(record({ removed: text })),
      },
    },
    async ({ params }) => {
      await removeRule(store, params.id, ledger.nowMs());
      return { removed: params.id };
    },
  );
  app.post<Id>(
    "/alerts/:id/test",
    {
      schema: {
        tags,
        summary: "Send what a rule would send, marked as a test.",
        params: idParams,
        response: answers(record({ is_delivered: flag, problem: orNull(text) })),
      },
    },
    async (request) => {
      const rule = await findRule(store, request.params.id);
      const subject = rule.when.on === "late" ? rule.when.stream : (rule.when.deployment ?? "any deployment");
      const message = `This is a test of the alert "${rule.name}" by ${actorOf(request)}; nothing is the matter.`;
      const told = { subject, message, runId: null, isTest: true };
      const problem = await deliver(
        { ...ports, runUrl: undefined },
        rule,
        told,
        AbortSignal.timeout(minuteMs),
      );
      return { is_delivered: problem === undefined, problem: problem ?? null };
    },
  );
  app.get<{ Querystring: { before?: number; limit: number; rule?: string } }>(
    "/alerts/history",
    {
      schema: {
        tags,
        summary: "What alerts and notices were told, newest first.",
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            before: { type: "integer", minimum: 1, description: "Go on below this id." },
            limit: limitField,
            rule: { type: "string", maxLength: 200, description: "Of one rule, by its id." },
          },
        },
        response: answers(record({ events: listOf(ref("Event")) })),
      },
    },
    async ({ query }) => {
      const events = await ledger.listEvents({
        kinds: historyKinds,
        ...(query.rule !== undefined && { subject: query.rule }),
        beforeId: query.before,
        isNewestFirst: true,
        limit: query.limit,
      });
      return { events: events.map(printEventJson) };
    },
  );
}

/** @throws LeatError `STREAM_UNKNOWN`, `TENANT_UNKNOWN`, `FLOW_UNKNOWN`, `PARAMS_INVALID`. */
function readWhen(ports: ControlPorts, when: RuleBody["when"]): AlertRule["when"] {
  if (when.on === "failed") {
    const deployment = when.deployment ?? null;
    if (deployment !== null) ports.registry.deployment(deployment);
    return { on: "failed", deployment };
  }
  const faults = [
    ...(when.stream === undefined ? [{ path: "when.stream", problem: "is missing" }] : []),
    ...(when.after_minutes === undefined ? [{ path: "when.after_minutes", problem: "is missing" }] : []),
  ];
  if (when.stream === undefined || when.after_minutes === undefined) {
    throw new LeatError("PARAMS_INVALID", {
      message: `The rule has faults: ${faults.map(({ path, problem }) => `${path} ${problem}`).join("; ")}.`,
      details: { faults },
    });
  }
  const tenant = when.tenant ?? null;
  const { project, readTenants } = ports;
  const stream = streamName(chooseStream(project, when.stream));
  if (tenant !== null) choosePair({ project, tenants: readTenants() }, stream, tenant);
  return { on: "late", stream, tenant, afterMs: when.after_minutes * minuteMs };
}

const printRule = (rule: AlertRule, open: ReadonlyMap<string, number>): unknown => ({
  id: rule.id,
  name: rule.name,
  when: [
    rule.when.on === "late"
      ? {
          on: "late",
          stream: rule.when.stream,
          tenant: rule.when.tenant,
          after_minutes: Math.round(rule.when.afterMs / minuteMs),
        }
      : rule.when,
  ],
  target: printTarget(rule.target),
  is_declared: false,
  created_at: rule.createdAt,
  created_by: rule.createdBy,
  open: [...open].map(([subject, event]) => ({ subject, event })),
});

/** Without when it is sent, which a declared notice says beside it. */
const printTarget = (target: NoticeTarget & Readonly<{ on?: unknown }>): unknown => {
  const { on: _, ...rest } = target;
  return rest;
};

/** Notices of the project's code, as rules; one is open while its deployment fails. */
async function listDeclared({ registry, ledger }: ControlPorts): Promise<readonly unknown[]> {
  const failing = new Set((await ledger.listFailing()).map(({ deployment }) => deployment));
  const words = { failure: "failed", recovery: "recovery", late: "late" } as const;
  return registry.deployments.flatMap(({ name, notify }) =>
    notify.map((notice, index) => {
      const occasions = notice.on ?? (["failure", "recovery", "late"] as const);
      const isOpen = occasions.includes("failure") && failing.has(name);
      return {
        id: `code:${name}:${index}`,
        name: `${name}, in code`,
        when: occasions.map((one) => ({ on: words[one], deployment: name })),
        target: printTarget(notice),
        is_declared: true,
        created_at: null,
        created_by: null,
        open: isOpen ? [{ subject: name, event: 0 }] : [],
      };
    }),
  );
}
