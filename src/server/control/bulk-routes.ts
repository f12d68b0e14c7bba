/** Many runs at once: retried, cancelled, counted. */
import type { FastifyInstance } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import { type ChangedRuns, type ChosenRuns, changedMax, changeMany } from "../../flow/change-many.ts";
import { toFlowRunId } from "../../model/run-ids.ts";
import { foregroundWorker } from "../../model/run-record.ts";
import type { RunState } from "../../model/run-state.ts";
import { actorOf } from "../access/access.ts";
import { answers, count, listOf, orNull, record, text } from "./answer-schemas.ts";
import type { ControlPorts } from "./control-ports.ts";
import { filterProperties, type RunQuery, toRunFilter } from "./run-filter.ts";

/** `state` has other usual values for each change. */
type Chosen = Readonly<{ ids?: string[]; filter?: RunQuery }>;

const countsByName = { type: "object", additionalProperties: count } as const;

const changedAnswer = record({
  matched: count,
  changed: { ...countsByName, description: "By the state that they are in now." },
  refused: { ...countsByName, description: "By the code that says why." },
  refusals: listOf(record({ id: text, code: text, message: text })),
  next: { ...orNull(text), description: "The filter finds more: go on with `before` this run." },
});

const chosenFields = {
  ids: {
    type: "array",
    items: { type: "string", minLength: 1, maxLength: 200 },
    minItems: 1,
    maxItems: changedMax,
    description: "Either these runs,",
  },
  filter: {
    type: "object",
    additionalProperties: false,
    properties: filterProperties,
    description: "or all that a list with this filter would find, newest first.",
  },
} as const;

export function addBulkRoutes(app: FastifyInstance, ports: ControlPorts): void {
  const { ledger, registry } = ports;
  const tags = ["runs"];
  app.get<{ Querystring: RunQuery }>(
    "/runs/counts",
    {
      schema: {
        tags,
        summary: "How many runs there are, by state.",
        querystring: { type: "object", additionalProperties: false, properties: filterProperties },
        response: answers(record({ count, states: countsByName })),
      },
    },
    async ({ query }) => {
      const counts = await ledger.countByState(toRunFilter(query));
      return {
        count: counts.reduce((sum, one) => sum + one.count, 0),
        states: Object.fromEntries(counts.map((one) => [one.state, one.count])),
      };
    },
  );
  app.post<{ Body: Chosen }>(
    "/runs/retry",
    {
      schema: {
        tags,
        summary: "Retry many runs.",
        description: `Of ${changedMax} runs at most. Without \`state\`, a filter finds those that failed.`,
        body: { type: "object", additionalProperties: false, properties: chosenFields },
        response: answers(changedAnswer),
      },
    },
    async ({ body }) => {
      const changed = await changeMany(ports, toChosen(body, ["failed"]), async (run) => {
        // Nobody claims from the pool of a terminal that is gone.
        const pool =
          foregroundWorker(run.pool) === undefined ? undefined : registry.deployment(run.deployment).pool;
        const queued = await ledger.retryRun(run.id, { pool });
        return { run: queued, next: [queued] };
      });
      return printChanged(changed);
    },
  );
  app.post<{ Body: Chosen & { reason?: string } }>(
    "/runs/cancel",
    {
      schema: {
        tags,
        summary: "Cancel many runs, or ask their processes to stop.",
        description: `Of ${changedMax} runs at most. Without \`state\`, a filter finds those that are not over.`,
        body: {
          type: "object",
          additionalProperties: false,
          properties: { ...chosenFields, reason: { type: "string", maxLength: 500 } },
        },
        response: answers(changedAnswer),
      },
    },
    async (request) => {
      const { reason = `by ${actorOf(request)}`, ...chosen } = request.body;
      const states = ["queued", "running", "waiting"] as const;
      return printChanged(
        await changeMany(ports, toChosen(chosen, states), (run) => ledger.cancelRun(run.id, reason)),
      );
    },
  );
}

/** @throws LeatError `USAGE` unless it says one of both. */
function toChosen({ ids, filter }: Chosen, states: readonly RunState[]): ChosenRuns {
  if (ids !== undefined && filter === undefined) return { ids: ids.map(toFlowRunId) };
  if (filter !== undefined && ids === undefined)
    return { filter: { ...toRunFilter(filter), states: filter.state ?? states } };
  throw new LeatError("USAGE", {
    message: "The request names its runs by `ids`, or by a `filter`.",
    hint: "An empty filter, `{}`, finds all.",
  });
}

const printChanged = ({ matched, changed, refused, refusals, next }: ChangedRuns): unknown => ({
  matched,
  changed,
  refused,
  refusals,
  next,
});
