/** Which runs a request is about. */
import { toFlowRunId } from "../../model/run-ids.ts";
import { type RunState, runStates } from "../../model/run-state.ts";
import type { RunFilter } from "../../ports/ledger.ts";
import type { AnswerSchema } from "./answer-schemas.ts";

/** A filter as requests say it. */
export type RunQuery = Readonly<{
  flow?: string;
  deployment?: string;
  pool?: string;
  state?: RunState[];
  key?: string;
  tenant?: string;
  parent?: string;
  created_from?: string;
  created_to?: string;
  before?: string;
}>;

const instant = { type: "string", format: "date-time" } as const;

/** The same as JSON Schema. */
export const filterProperties: Readonly<Record<string, AnswerSchema>> = {
  flow: { type: "string" },
  deployment: { type: "string" },
  pool: { type: "string" },
  state: { type: "array", items: { enum: runStates } },
  key: { type: "string", description: "The key that runs of a limit hold." },
  tenant: {
    type: "string",
    description: "Runs whose parameter `tenant` is this: sub-flows of syncs as well as outermost runs.",
  },
  parent: { type: "string", description: "Sub-flows of this run, instead of outermost runs." },
  created_from: instant,
  created_to: instant,
  before: { type: "string", description: "Go on after this run, the last of an earlier list." },
};

export const toRunFilter = (query: RunQuery): RunFilter => ({
  flow: query.flow,
  deployment: query.deployment,
  pool: query.pool,
  states: query.state,
  keyLimit: query.key,
  tenant: query.tenant,
  parentId: query.parent === undefined ? undefined : toFlowRunId(query.parent),
  createdFromMs: query.created_from === undefined ? undefined : Date.parse(query.created_from),
  createdToMs: query.created_to === undefined ? undefined : Date.parse(query.created_to),
  before: query.before === undefined ? undefined : toFlowRunId(query.before),
});
