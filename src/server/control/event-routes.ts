/** Events: what happened, listed and as it happens. */
import type { FastifyInstance } from "fastify";
import { printEventJson } from "../../flow/run-json.ts";
import { toFlowRunId } from "../../model/run-ids.ts";
import { answers, listOf, record, ref } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { afterField, limitField } from "./request-schemas.ts";
import { streamRows } from "./stream-rows.ts";

export function addEventRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger } = ports;
  const tags = ["work"];
  type EventQuery = { after: number; limit: number; kind?: string[]; subject?: string; run?: string };
  const querystring = {
    type: "object",
    properties: {
      after: afterField,
      limit: limitField,
      kind: { type: "array", items: { type: "string" }, description: "Such as run.failed, audit." },
      subject: { type: "string" },
      run: { type: "string", description: "Of one run." },
    },
  } as const;
  type ListQuery = EventQuery & { before?: number; order: "asc" | "desc" };
  const listed = {
    ...querystring,
    properties: {
      ...querystring.properties,
      before: { type: "integer", minimum: 1, description: "Go on below this id, with `order=desc`." },
      order: { enum: ["asc", "desc"], default: "asc", description: "`desc`: newest first." },
    },
  } as const;
  app.get<{ Querystring: ListQuery }>(
    "/events",
    {
      schema: {
        tags,
        summary: "Events, oldest first.",
        querystring: listed,
        response: answers(record({ events: listOf(ref("Event")) })),
      },
    },
    async ({ query }) => {
      const events = await ledger.listEvents({
        ...filterOf(query),
        afterId: query.after,
        beforeId: query.before,
        isNewestFirst: query.order === "desc",
        limit: query.limit,
      });
      return { events: events.map(printEventJson) };
    },
  );
  app.get<{ Querystring: EventQuery }>(
    "/events/stream",
    { schema: { tags, summary: "Events as they come, as server-sent events.", querystring } },
    (request, reply) =>
      streamRows(ports, request, reply, {
        after: request.query.after,
        read: async (afterId) => {
          const events = await ledger.listEvents({ ...filterOf(request.query), afterId, limit: 100 });
          return {
            rows: events.map((event) => ({ id: event.id, data: printEventJson(event) })),
            isEnd: false,
          };
        },
      }),
  );
}

const filterOf = ({ kind, subject, run }: { kind?: string[]; subject?: string; run?: string }): object => ({
  ...(run !== undefined && { runId: toFlowRunId(run) }),
  ...(kind !== undefined && { kinds: kind }),
  ...(subject !== undefined && { subject }),
});
