/** Runs: listed, looked at, followed, retried, cancelled, answered. */
import type { FastifyInstance } from "fastify";
import { hintsOf } from "../../flow/run-hints.ts";
import {
  printArtifactJson,
  printAttemptJson,
  printInstant,
  printRunJson,
  printTaskJson,
} from "../../flow/run-json.ts";
import type { JsonValue } from "../../model/json-value.ts";
import { foregroundWorker } from "../../model/run-record.ts";
import { type TaskState, taskStates } from "../../model/run-task-state.ts";
import { actorOf } from "../access/access.ts";
import {
  answers,
  count,
  instant as instantAnswer,
  listOf,
  orNull,
  record,
  ref,
  text,
} from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { layGraph } from "./lay-graph.ts";
import { readRun } from "./read-run.ts";
import { idParams, limitField, listedMax } from "./request-schemas.ts";
import { filterProperties, type RunQuery, toRunFilter } from "./run-filter.ts";

type Id = { Params: { id: string } };

const detail = record({
  run: ref("Run"),
  attempts: listOf(ref("Attempt")),
  task_count: count,
  tasks: listOf(ref("Task")),
  graph: record({
    nodes: listOf(
      record({
        name: text,
        kind: text,
        count,
        states: { type: "object", additionalProperties: count },
        started_at: orNull(instantAnswer),
        ended_at: orNull(instantAnswer),
        column: count,
        row: count,
      }),
    ),
    edges: listOf(record({ from: text, to: text })),
  }),
  artifacts: listOf(ref("Artifact")),
  children: listOf(ref("Run")),
});

/** Task runs that a run's detail holds; the graph counts all of them. */
const tasksTold = 1000;

type ListQuery = RunQuery & { limit: number };

const listQuery = {
  type: "object",
  additionalProperties: false,
  properties: { ...filterProperties, limit: limitField },
} as const;

export function addRunRoutes(app: FastifyInstance, ports: ControlPorts): void {
  addListRoutes(app, ports);
  addPartRoutes(app, ports);
  addActionRoutes(app, ports);
}

function addListRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger } = ports;
  const tags = ["runs"];
  app.get<{ Querystring: ListQuery }>(
    "/runs",
    {
      schema: {
        tags,
        summary: "Runs, newest first.",
        querystring: listQuery,
        response: answers(record({ runs: listOf(ref("Run")) })),
      },
    },
    async ({ query }) => {
      const runs = await ledger.listRuns({ ...toRunFilter(query), limit: query.limit });
      return { runs: runs.map(printRunJson) };
    },
  );
  app.get<Id>(
    "/runs/:id",
    {
      schema: {
        tags,
        summary: "A run, its attempts, tasks, graph and artifacts.",
        params: idParams,
        response: answers(detail),
      },
    },
    async (request) => {
      const run = await readRun(ports, request.params.id);
      const [attempts, tasks, artifacts, children] = await Promise.all([
        ledger.listAttempts(run.id),
        ledger.readTasks(run.id),
        ledger.listArtifacts(run.id),
        ledger.listRuns({ parentId: run.id, limit: listedMax }),
      ]);
      const { nodes, edges } = layGraph(tasks);
      return {
        run: printRunJson(run),
        attempts: attempts.map(printAttemptJson),
        task_count: tasks.length,
        tasks: tasks.slice(0, tasksTold).map(printTaskJson),
        graph: {
          nodes: nodes.map(({ startedAtMs, endedAtMs, ...node }) => ({
            ...node,
            started_at: printInstant(startedAtMs),
            ended_at: printInstant(endedAtMs),
          })),
          edges,
        },
        artifacts: artifacts.map(printArtifactJson),
        children: children.map(printRunJson),
      };
    },
  );
}

type TaskQuery = { name?: string; state?: TaskState[]; offset: number; limit: number };

const taskQuery = {
  type: "object",
  additionalProperties: false,
  properties: {
    name: { type: "string", description: "Of one node of the graph." },
    state: { type: "array", items: { enum: taskStates } },
    offset: { type: "integer", minimum: 0, maximum: 1_000_000, default: 0 },
    limit: limitField,
  },
} as const;

function addPartRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger } = ports;
  const tags = ["runs"];
  app.get<Id & { Querystring: TaskQuery }>(
    "/runs/:id/tasks",
    {
      schema: {
        tags,
        summary: "Tasks of a run in the order in which they were called, where its detail has not all.",
        params: idParams,
        querystring: taskQuery,
        response: answers(record({ count, tasks: listOf(ref("Task")) })),
      },
    },
    async ({ params, query: { name, state, offset, limit } }) => {
      const run = await readRun(ports, params.id);
      const tasks = (await ledger.readTasks(run.id)).filter(
        (task) => (name ?? task.name) === task.name && (state ?? [task.state]).includes(task.state),
      );
      return { count: tasks.length, tasks: tasks.slice(offset, offset + limit).map(printTaskJson) };
    },
  );
  app.get<Id>(
    "/runs/:id/artifacts",
    {
      schema: {
        tags,
        summary: "What a run shows people: tables, text, links, progress.",
        params: idParams,
        response: answers(record({ artifacts: listOf(ref("Artifact")) })),
      },
    },
    async ({ params }) => {
      const run = await readRun(ports, params.id);
      return { artifacts: (await ledger.listArtifacts(run.id)).map(printArtifactJson) };
    },
  );
}

function addActionRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger, dispatcher } = ports;
  const tags = ["runs"];
  app.post<Id & { Body: { from_task?: string } | null }>(
    "/runs/:id/retry",
    {
      schema: {
        tags,
        summary: "Queue a run that is over once more; finished tasks are not done again.",
        params: idParams,
        body: {
          type: ["object", "null"],
          additionalProperties: false,
          properties: { from_task: { type: "string", description: "Do this task and all after it again." } },
        },
        response: answers(record({ run: ref("Run") }), 202),
      },
    },
    async (request, reply) => {
      const run = await readRun(ports, request.params.id);
      // Nobody claims from the pool of a terminal that is gone.
      const pool =
        foregroundWorker(run.pool) === undefined ? undefined : ports.registry.deployment(run.deployment).pool;
      const queued = await ledger.retryRun(run.id, { fromTask: request.body?.from_task, pool });
      await dispatcher.send(hintsOf([queued]));
      return reply.code(202).send({ run: printRunJson(queued) });
    },
  );
  app.post<Id & { Body: { reason?: string } | null }>(
    "/runs/:id/cancel",
    {
      schema: {
        tags,
        summary: "Cancel a run, or ask its process to stop.",
        params: idParams,
        body: {
          type: ["object", "null"],
          additionalProperties: false,
          properties: { reason: { type: "string", maxLength: 500 } },
        },
        response: answers(record({ run: ref("Run") }), 202),
      },
    },
    async (request, reply) => {
      const { id } = await readRun(ports, request.params.id);
      const { run, next } = await ledger.cancelRun(id, request.body?.reason ?? `by ${actorOf(request)}`);
      await dispatcher.send(hintsOf(next));
      return reply.code(202).send({ run: printRunJson(run) });
    },
  );
  app.post<Id & { Body: { task: string; approve: boolean; note?: string; input?: JsonValue } }>(
    "/runs/:id/answer",
    {
      schema: {
        tags,
        summary: "Answer a question of a run.",
        params: idParams,
        body: {
          type: "object",
          additionalProperties: false,
          required: ["task", "approve"],
          properties: {
            task: { type: "string", description: "Key of the task that asks." },
            approve: { type: "boolean" },
            note: { type: "string", maxLength: 2000 },
            input: { description: "Whatever the flow asks for." },
          },
        },
        response: answers(record({ run: ref("Run") }), 202),
      },
    },
    async (request, reply) => {
      const run = await readRun(ports, request.params.id);
      const { task, approve, note, input } = request.body;
      await ledger.answerApproval(run.id, task, {
        isApproved: approve,
        by: actorOf(request),
        note: note ?? null,
        input: input ?? null,
        atMs: ledger.nowMs(),
      });
      const root = await readRun(ports, run.rootId); // A sub-flow goes on with the outermost run.
      await dispatcher.send(hintsOf([root]));
      return reply.code(202).send({ run: printRunJson(await readRun(ports, run.id)) });
    },
  );
}
