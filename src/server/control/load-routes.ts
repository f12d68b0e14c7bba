/** Loads: which packages are in the warehouse, what the schema of their table is, and what fitted no type. */
import type { FastifyInstance } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import { printEventJson } from "../../flow/run-json.ts";
import { toTenantId } from "../../model/ids.ts";
import type { HistoryFilter, Warehouse } from "../../ports/warehouse.ts";
import { allStreams, chooseStream, streamName } from "../../sync/choose.ts";
import { answers, count, flag, instant, listOf, orNull, record, ref, text } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { idParams, limitField } from "./request-schemas.ts";

type Id = { Params: { id: string } };
type HistoryQuery = { tenant?: string; seq?: number; limit: number; offset: number };

/** Changes of a schema that are told; there are few in a stream's life. */
const changesMax = 1000;

const loadAnswer = record({
  tenant: text,
  seq: count,
  loaded: count,
  rejected: count,
  generation: count,
  loaded_at: instant,
});

const anyLoadAnswer = record({
  stream: text,
  tenant: text,
  seq: count,
  loaded: count,
  rejected: count,
  generation: count,
  loaded_at: instant,
});

const rejectAnswer = record({
  tenant: text,
  seq: count,
  row: orNull(count),
  column: orNull(text),
  reason: text,
  record: { ...text, description: "As it was landed." },
  is_cut: { ...flag, description: "Only its beginning is told." },
});

const historyQuery = {
  type: "object",
  additionalProperties: false,
  properties: {
    tenant: { type: "string", minLength: 1, maxLength: 200 },
    seq: { type: "integer", minimum: 1, description: "Of one package." },
    limit: { ...limitField, maximum: 200 },
    offset: { type: "integer", minimum: 0, maximum: 1_000_000, default: 0 },
  },
} as const;

export function addLoadRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { project, ledger, openWarehouse } = ports;
  const tags = ["data"];
  app.get<Id & { Querystring: HistoryQuery }>(
    "/streams/:id/loads",
    {
      schema: {
        tags,
        summary: "Packages of a stream that are in the warehouse, newest first.",
        description: "Waits while a load holds the warehouse's file.",
        params: idParams,
        querystring: historyQuery,
        response: answers(record({ loads: listOf(loadAnswer) })),
      },
    },
    async ({ params, query }) => {
      const { spec } = chooseStream(project, params.id);
      const warehouse = await openWarehouse();
      const loads = await called(warehouse, warehouse.readLoads?.(spec, toFilter(query)));
      return {
        loads: loads.map(({ loadedAt, ...load }) => ({ ...load, loaded_at: loadedAt })),
      };
    },
  );
  app.get<{ Querystring: { tenant?: string; source?: string; limit: number } }>(
    "/loads",
    {
      schema: {
        tags,
        summary: "The newest loads of all streams.",
        description: "Waits while a load holds the warehouse's file. Older ones are told stream by stream.",
        querystring: {
          type: "object",
          additionalProperties: false,
          properties: {
            tenant: historyQuery.properties.tenant,
            source: { type: "string", minLength: 1, maxLength: 200 },
            limit: { ...limitField, maximum: 200 },
          },
        },
        response: answers(record({ loads: listOf(anyLoadAnswer) })),
      },
    },
    async ({ query }) => {
      const warehouse = await openWarehouse();
      const loads = [];
      const chosen = allStreams(project).filter(
        ({ source }) => source.name === (query.source ?? source.name),
      );
      for (const one of chosen) {
        const filter = toFilter({ ...query, offset: 0 });
        const own = await called(warehouse, warehouse.readLoads?.(one.spec, filter));
        loads.push(
          ...own.map(({ loadedAt, ...load }) => ({ stream: streamName(one), ...load, loaded_at: loadedAt })),
        );
      }
      return {
        loads: loads
          .sort((one, other) => Date.parse(other.loaded_at) - Date.parse(one.loaded_at))
          .slice(0, query.limit),
      };
    },
  );
  app.get<Id & { Querystring: HistoryQuery }>(
    "/streams/:id/rejects",
    {
      schema: {
        tags,
        summary: "Landed records of a stream that fit no type of its table, newest package first.",
        params: idParams,
        querystring: historyQuery,
        response: answers(record({ rejects: listOf(rejectAnswer) })),
      },
    },
    async ({ params, query }) => {
      const { spec } = chooseStream(project, params.id);
      const warehouse = await openWarehouse();
      const rejects = await called(warehouse, warehouse.readRejects?.(spec, toFilter(query)));
      return { rejects: rejects.map(({ isCut, ...reject }) => ({ ...reject, is_cut: isCut })) };
    },
  );
  app.get<Id>(
    "/streams/:id/schema",
    {
      schema: {
        tags,
        summary: "Columns of a stream's table, and how loads of flows have changed them, oldest first.",
        params: idParams,
        response: answers(
          record({ columns: listOf(record({ name: text, type: text })), changes: listOf(ref("Event")) }),
        ),
      },
    },
    async ({ params }) => {
      const chosen = chooseStream(project, params.id);
      const warehouse = await openWarehouse();
      const columns = await called(warehouse, warehouse.readColumns?.(chosen.spec));
      const events = await ledger.listEvents({
        kinds: ["stream.schema"],
        subject: streamName(chosen),
        limit: changesMax,
      });
      return { columns, changes: events.map(printEventJson) };
    },
  );
}

const toFilter = ({ tenant, seq, limit, offset }: HistoryQuery): HistoryFilter => ({
  seq,
  limit,
  offset,
  tenant: tenant === undefined ? undefined : toTenantId(tenant),
});

async function called<Row>(
  { url }: Warehouse,
  rows: Promise<readonly Row[]> | undefined,
): Promise<readonly Row[]> {
  if (rows !== undefined) return await rows;
  throw new LeatError("NOT_SUPPORTED", {
    message: `The warehouse ${url} does not tell of its loads.`,
    hint: "Ask it in SQL, or look at the landed packages of the stream.",
  });
}
