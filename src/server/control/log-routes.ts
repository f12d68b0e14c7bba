/** Logs of runs: read, followed, measured, searched. */
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { printInstant, printLineJson } from "../../flow/run-json.ts";
import { type FlowRun, isLogOver, type LogLevel, type LogLine } from "../../model/run-record.ts";
import { endedRunStates } from "../../model/run-state.ts";
import type { Ledger, LogChoice } from "../../ports/ledger.ts";
import { answers, count, flag, listOf, orNull, record, ref } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { readRun } from "./read-run.ts";
import { afterField, idParams, limitField } from "./request-schemas.ts";
import { streamRows } from "./stream-rows.ts";

type Id = { Params: { id: string } };

type LogChoiceQuery = { task?: string; level?: LogLevel[]; attempt?: number };
type LogQuery = LogChoiceQuery & { after: number; limit: number };

const choiceFields = {
  task: { type: "string", description: "Key of a task." },
  level: { type: "array", items: { enum: ["debug", "info", "warn", "error"] } },
  attempt: { type: "integer", minimum: 1 },
} as const;

const logQuery = {
  type: "object",
  additionalProperties: false,
  properties: { after: afterField, limit: limitField, ...choiceFields },
} as const;

/** Lines between two marks: what one request reads. */
const linesPerMark = 1000;

/** Lines that one search finds: beyond these people look for something else. */
const foundMax = 10_000;

const toChoice = ({ task, level, attempt }: LogChoiceQuery): LogChoice => ({
  taskKey: task,
  levels: level,
  attempt,
});

export function addLogRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger } = ports;
  const tags = ["logs"];
  const read = (id: FlowRun["id"], query: LogQuery, afterId: number) =>
    ledger.readLogs(id, { ...toChoice(query), afterId, limit: query.limit });
  app.get<Id & { Querystring: LogQuery }>(
    "/runs/:id/logs",
    {
      schema: {
        tags,
        summary: "Lines of a run's log, oldest first.",
        params: idParams,
        querystring: logQuery,
        response: answers(record({ lines: listOf(ref("Line")), is_over: flag })),
      },
    },
    async (request) => {
      const run = await readRun(ports, request.params.id);
      const lines = await read(run.id, request.query, request.query.after);
      return { lines: lines.map(printLineJson), is_over: endedRunStates.includes(run.state) };
    },
  );
  app.get<Id & { Querystring: LogQuery }>(
    "/runs/:id/logs/stream",
    {
      schema: {
        tags,
        summary: "Lines as they come, as server-sent events, until the run is over.",
        description: "Goes on after Last-Event-ID. The last event is of the type `end`.",
        params: idParams,
        querystring: logQuery,
      },
    },
    async (request, reply) => {
      const { id } = await readRun(ports, request.params.id);
      await streamRows(ports, request, reply, {
        after: request.query.after,
        read: async (afterId) => {
          // Asked before the lines are read: what was written before the end is then there.
          const isEnd = isLogOver(await ledger.readRun(id), ledger.nowMs());
          const lines = await read(id, request.query, afterId);
          return { rows: lines.map((line) => ({ id: line.id, data: printLineJson(line) })), isEnd };
        },
      });
    },
  );
  addLongLogRoutes(app, ports);
}

/** For logs of any length: measured, searched, taken home. */
function addLongLogRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger } = ports;
  const tags = ["logs"];
  app.get<Id & { Querystring: LogChoiceQuery & { line?: number } }>(
    "/runs/:id/logs/marks",
    {
      schema: {
        tags,
        summary: "How long a run's log is, and where each thousand of its lines begins.",
        description:
          "Read lines from a mark on with `after` one below it. With `line`: how many lines come `before` it, and no marks.",
        params: idParams,
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            ...choiceFields,
            line: { type: "integer", minimum: 0, description: "Id of a line." },
          },
        },
        response: answers(
          record({ count, every: count, last: orNull(count), marks: listOf(count), before: orNull(count) }),
        ),
      },
    },
    async ({ params, query }) => {
      const { id } = await readRun(ports, params.id);
      const { lastId, ...told } = await ledger.markLogs(id, toChoice(query), {
        every: linesPerMark,
        lineId: query.line,
      });
      return { ...told, every: linesPerMark, last: lastId };
    },
  );
  app.get<Id & { Querystring: LogChoiceQuery & { text: string } }>(
    "/runs/:id/logs/find",
    {
      schema: {
        tags,
        summary: "Lines of a run's log that hold a text: their ids, and their places from 0.",
        params: idParams,
        querystring: {
          type: "object",
          additionalProperties: false,
          required: ["text"],
          properties: { ...choiceFields, text: { type: "string", minLength: 1, maxLength: 500 } },
        },
        response: answers(record({ found: listOf(record({ id: count, place: count })), is_all: flag })),
      },
    },
    async ({ params, query }, reply) => {
      const { id } = await readRun(ports, params.id);
      // People type on, and then wait for something else.
      const gone = new AbortController();
      reply.raw.on("close", () => gone.abort());
      const found = await ledger.findLogs(id, toChoice(query), {
        text: query.text,
        limit: foundMax + 1,
        signal: gone.signal,
      });
      return { found: found.slice(0, foundMax), is_all: found.length <= foundMax };
    },
  );
  app.get<Id>(
    "/runs/:id/logs/file",
    { schema: { tags, summary: "All lines of a run's log, as text.", params: idParams } },
    async ({ params }, reply) => {
      const { id } = await readRun(ports, params.id);
      return reply
        .type("text/plain; charset=utf-8")
        .header("content-disposition", `attachment; filename="${id}.log"`)
        .send(Readable.from(printLines(ledger, id)));
    },
  );
}

/** A page of lines after the other: a log does not fit into memory. */
async function* printLines(ledger: Ledger, id: FlowRun["id"]): AsyncGenerator<string> {
  let afterId = 0;
  for (;;) {
    const lines = await ledger.readLogs(id, { afterId, limit: linesPerMark });
    const last = lines.at(-1);
    if (last === undefined) return;
    afterId = last.id;
    yield lines.map(printLine).join("");
  }
}

function printLine({ atMs, level, taskKey, attempt, message, data }: LogLine): string {
  const told = data === null ? "" : ` ${JSON.stringify(data)}`;
  return `${printInstant(atMs)} ${level.padEnd(5)} ${attempt} ${taskKey ?? "-"} ${message}${told}\n`;
}
