/** Flows, deployments, schedules, pools, workers and events. */
import type { FastifyInstance } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import { hintOfKnown } from "../../errors/nearest-name.ts";
import { backfill } from "../../flow/backfill.ts";
import { scheduleId } from "../../flow/deployment.ts";
import { newRunOf } from "../../flow/new-run.ts";
import { paramsSchemaOf } from "../../flow/params.ts";
import { hintsOf } from "../../flow/run-hints.ts";
import { printInstant, printRunJson } from "../../flow/run-json.ts";
import { listTicks, readTicks } from "../../flow/ticks.ts";
import type { ScheduleRecord } from "../../model/run-schedule.ts";
import type { RunState } from "../../model/run-state.ts";
import type { Submitted } from "../../ports/ledger.ts";
import { actorOf } from "../access/access.ts";
import {
  answers,
  anyJson,
  anyObject,
  count,
  flag,
  instant,
  listOf,
  orNull,
  record,
  ref,
  submitted as submittedAnswer,
  text,
  texts,
} from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { idParams, paramsBody } from "./request-schemas.ts";

type Id = { Params: { id: string } };

const deploymentAnswer = record({
  name: text,
  flow: text,
  description: text,
  pool: text,
  params: anyJson,
  params_schema: anyJson,
  code_version: orNull(text),
  about: anyJson,
  saved_at: instant,
  schedules: texts,
});

const workerAnswer = record({
  id: text,
  kind: { enum: ["worker", "foreground"] },
  pools: texts,
  slots: count,
  host: text,
  pid: count,
  code_version: orNull(text),
  started_at: instant,
  seen_at: instant,
  is_silent: flag,
});

/** Ticks to come that are told of a schedule. */
const ticksTold = 5;

/** Ticks of a pause that are counted: as many as one backfill makes. */
const missedMax = 10_000;

export function addFlowRoutes(app: FastifyInstance, ports: ControlPorts): void {
  addDeploymentRoutes(app, ports);
  addScheduleRoutes(app, ports);
  addWorkRoutes(app, ports);
}

function addDeploymentRoutes(app: FastifyInstance, { registry, ledger, dispatcher }: ControlPorts): void {
  const tags = ["flows"];
  app.get(
    "/flows",
    {
      schema: {
        tags,
        summary: "Flows and their parameters.",
        response: answers(
          record({
            flows: listOf(record({ name: text, description: text, pool: text, params_schema: anyObject })),
          }),
        ),
      },
    },
    async () => ({
      flows: registry.flows.map((flow) => ({
        name: flow.name,
        description: flow.description,
        pool: flow.pool,
        params_schema: paramsSchemaOf(flow),
      })),
    }),
  );
  app.get(
    "/deployments",
    {
      schema: {
        tags,
        summary: "Deployments, as last deployed.",
        response: answers(record({ deployments: listOf(deploymentAnswer) })),
      },
    },
    async () => {
      const deployments = await ledger.listDeployments();
      return {
        deployments: deployments.map(({ savedAtMs, paramsSchema, codeVersion, ...rest }) => ({
          ...rest,
          params_schema: paramsSchema,
          code_version: codeVersion,
          saved_at: printInstant(savedAtMs),
          schedules: registry.deployments
            .filter((one) => one.name === rest.name)
            .flatMap((one) => one.schedules.map((schedule) => scheduleId(one, schedule))),
        })),
      };
    },
  );
  app.post<Id & { Body: { params?: Record<string, unknown>; start_at?: string; priority?: number } | null }>(
    "/deployments/:id/runs",
    {
      schema: {
        tags,
        summary: "Queue a run.",
        description: "With an Idempotency-Key header, a second request of the same key makes no run.",
        params: idParams,
        body: { anyOf: [paramsBody, { type: "null" }] },
        response: answers(submittedAnswer, 202),
      },
    },
    async (request, reply) => {
      const { params, start_at: startAt, priority } = request.body ?? {};
      const key = request.headers["idempotency-key"];
      const run = newRunOf(registry.deployment(request.params.id), {
        params,
        cause: { kind: "manual", by: actorOf(request) },
        startAtMs: startAt === undefined ? ledger.nowMs() : Date.parse(startAt),
        priority,
        idempotencyKey: typeof key === "string" ? `api:${key.slice(0, 200)}` : undefined,
      });
      const submitted = await ledger.submitRun(run);
      await dispatcher.send(hintsOf([submitted.run]));
      return reply.code(202).send(printSubmitted(submitted));
    },
  );
}

const printSubmitted = ({ outcome, run }: Submitted): unknown => ({ outcome, run: printRunJson(run) });

function addScheduleRoutes(app: FastifyInstance, { registry, ledger, dispatcher }: ControlPorts): void {
  const tags = ["schedules"];
  const find = async (id: string): Promise<ScheduleRecord> => {
    const schedules = await ledger.listSchedules();
    const found = schedules.find((one) => one.id === id);
    if (found !== undefined) return found;
    throw new LeatError("SCHEDULE_UNKNOWN", {
      message: `There is no schedule "${id}".`,
      hint: hintOfKnown(
        id,
        "schedules",
        schedules.map((one) => one.id),
      ),
    });
  };
  app.get(
    "/schedules",
    {
      schema: {
        tags,
        summary: "Schedules and their next ticks.",
        response: answers(record({ schedules: listOf(ref("Schedule")) })),
      },
    },
    async () => ({
      schedules: (await ledger.listSchedules()).map((one) => printSchedule(one, ledger.nowMs())),
    }),
  );
  for (const [verb, isPaused] of [
    ["pause", true],
    ["resume", false],
  ] as const) {
    app.post<Id>(
      `/schedules/:id/${verb}`,
      {
        schema: {
          tags,
          summary: `${isPaused ? "Pause" : "Resume"} a schedule.`,
          params: idParams,
          response: answers(ref("Schedule")),
        },
      },
      async (request) => {
        await find(request.params.id);
        await ledger.setPaused(request.params.id, isPaused);
        return printSchedule(await find(request.params.id), ledger.nowMs());
      },
    );
  }
  app.post<Id & { Body: { from: string; to?: string; again?: boolean } }>(
    "/schedules/:id/backfill",
    {
      schema: {
        tags,
        summary: "Queue the runs of the ticks in a span of the past.",
        params: idParams,
        body: {
          type: "object",
          additionalProperties: false,
          required: ["from"],
          properties: {
            from: { type: "string", format: "date-time" },
            to: { type: "string", format: "date-time", description: "Not included. Default: now." },
            again: { type: "boolean", description: "Also ticks that have their run." },
          },
        },
        response: answers(record({ runs: listOf(submittedAnswer) }), 202),
      },
    },
    async (request, reply) => {
      const { from, to, again } = request.body;
      const schedule = await find(request.params.id);
      const submitted = await backfill(
        { ledger, dispatcher },
        registry.deployment(schedule.deployment),
        schedule,
        {
          fromMs: Date.parse(from),
          untilMs: to === undefined ? ledger.nowMs() : Date.parse(to),
          by: actorOf(request),
          isAgain: again === true,
        },
      );
      return reply.code(202).send({ runs: submitted.map(printSubmitted) });
    },
  );
}

function printSchedule(schedule: ScheduleRecord, nowMs: number): unknown {
  const { id, deployment, ticks, catchUp, params, isPaused, cursorMs, lateAfterMs } = schedule;
  const span = { fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY };
  return {
    id,
    deployment,
    ticks,
    catch_up: catchUp,
    params,
    is_paused: isPaused,
    late_after_ms: lateAfterMs,
    handled_to: printInstant(cursorMs),
    next: isPaused ? [] : listTicks(readTicks(ticks), span, ticksTold).map(printInstant),
    missed: isPaused
      ? listTicks(readTicks(ticks), { fromMs: cursorMs, untilMs: nowMs }, missedMax).length
      : 0,
  };
}

function addWorkRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger, registry } = ports;
  const tags = ["work"];
  app.get(
    "/workers",
    {
      schema: {
        tags,
        summary: "Processes that execute runs.",
        response: answers(record({ workers: listOf(workerAnswer) })),
      },
    },
    async () => ({
      workers: (await ledger.listWorkers()).map((one) => ({
        id: one.id,
        kind: one.kind,
        pools: one.pools,
        slots: one.slots,
        host: one.host.split(" ")[0],
        pid: one.pid,
        code_version: one.codeVersion,
        started_at: printInstant(one.startedAtMs),
        seen_at: printInstant(one.seenAtMs),
        is_silent: ledger.nowMs() - one.seenAtMs > one.leaseMs,
      })),
    }),
  );
  app.get(
    "/pools",
    {
      schema: {
        tags,
        summary: "Pools, their workers and their queues.",
        response: answers(
          record({
            pools: listOf(
              record({
                name: text,
                workers: count,
                slots: count,
                running: count,
                queued: count,
                waiting: count,
              }),
            ),
          }),
        ),
      },
    },
    async () => {
      const workers = (await ledger.listWorkers()).filter(({ kind }) => kind === "worker");
      const names = new Set([
        ...registry.deployments.map(({ pool }) => pool),
        ...workers.flatMap(({ pools }) => pools),
      ]);
      const counts = await ledger.countRuns();
      const pools = [];
      for (const name of [...names].sort()) {
        const own = workers.filter(({ pools }) => pools.includes(name));
        const countOf = (...states: readonly RunState[]): number =>
          counts
            .filter((one) => one.pool === name && states.includes(one.state))
            .reduce((sum, one) => sum + one.count, 0);
        const slots = own.reduce((sum, one) => sum + one.slots, 0);
        const running = countOf("running", "cancelling");
        pools.push({
          name,
          workers: own.length,
          slots,
          running,
          queued: countOf("queued"),
          waiting: countOf("waiting"),
        });
      }
      return { pools };
    },
  );
}
