/** Deployments: flows with their parameters, pool, schedules and notices, and what the ledger keeps of them. */
import { z } from "zod";
import { type Fault, faultsOf, refuseFaults } from "../errors/faults.ts";
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { JsonObject, JsonValue } from "../model/json-value.ts";
import type { DeploymentRecord, ScheduleSpec } from "../model/run-schedule.ts";
import { prioritySchema, scheduleFaults, schedulesSchema } from "./flow.ts";
import { type Flow, type FlowSpec, isFlow } from "./flow-context.ts";
import { nameSchema } from "./name-schema.ts";
import { type NoticeDeclaration, noticesSchema } from "./notice-declaration.ts";
import { paramsSchemaOf, parseParams } from "./params.ts";
import type { CheckedSchedule, ScheduleDeclaration } from "./schedule-declaration.ts";
import { type TriggerDeclaration, triggersSchema } from "./trigger-declaration.ts";

/** What `deployment` takes. What is left out is the flow's own, schedules, triggers and notices included. */
export type DeploymentOptions<Input> = Readonly<{
  description?: string;
  params?: Partial<Input>;
  pool?: string;
  priority?: number;
  schedules?: readonly ScheduleDeclaration<Input>[];
  triggers?: readonly TriggerDeclaration<Input>[];
  notify?: readonly NoticeDeclaration[];
}>;

/** A checked deployment. */
export type Deployment = Readonly<{
  name: string;
  flow: FlowSpec;
  description: string;
  params: JsonObject;
  pool: string;
  priority: number;
  schedules: readonly CheckedSchedule[];
  triggers: readonly TriggerDeclaration[];
  notify: readonly NoticeDeclaration[];
}>;

const optionsSchema = z.strictObject({
  description: z.string().max(1000).optional(),
  params: z.record(z.string(), z.unknown()).default({}),
  pool: nameSchema.optional(),
  priority: prioritySchema.optional(),
  schedules: schedulesSchema.optional(),
  triggers: triggersSchema,
  notify: noticesSchema,
});

/**
 * Declares a deployment: a flow once more, under another name and with parameters, pool or schedules of its own.
 *
 * @throws {@link LeatError} `CONFIG_INVALID` with every fault of the options.
 */
export function deployment<Input>(
  name: string,
  flow: Flow<Input>,
  options: DeploymentOptions<Input>,
): Deployment {
  const title = `The deployment ${JSON.stringify(name)}`;
  if (!isFlow(flow)) refuseFaults([{ path: "flow", problem: "is no flow: make it with flow(...)" }], title);
  const parsed = z.strictObject({ name: nameSchema, options: optionsSchema }).safeParse({ name, options });
  if (!parsed.success) refuseFaults(faultsOf(parsed.error), title);
  const checked = parsed.data!.options; // `refuseFaults` has thrown otherwise: a failed parse has at least one issue.
  refuseFaults(scheduleFaults(checked.schedules ?? []), title);
  const { spec } = flow;
  return Object.freeze({
    name,
    flow: spec,
    description: checked.description ?? spec.description,
    params: checked.params as JsonObject, // Each run's parameters are checked to be JSON.
    pool: checked.pool ?? spec.pool,
    priority: checked.priority ?? spec.priority,
    schedules: checked.schedules ?? spec.schedules,
    triggers: options.triggers === undefined ? spec.triggers : checked.triggers,
    notify: options.notify === undefined ? spec.notify : checked.notify,
  });
}

/** The flow itself as a deployment of its own name. */
const ownDeployment = ({ spec }: Flow): Deployment => ({
  name: spec.name,
  flow: spec,
  description: spec.description,
  params: {},
  pool: spec.pool,
  priority: spec.priority,
  schedules: spec.schedules,
  triggers: spec.triggers,
  notify: spec.notify,
});

/** All that a project can run. */
export interface FlowRegistry {
  readonly flows: readonly FlowSpec[];
  readonly deployments: readonly Deployment[];
  /** @throws LeatError `FLOW_UNKNOWN` with near names. */
  flow(name: string): FlowSpec;
  /** By the name of a deployment, or of a flow, which has one of its name. @throws LeatError `FLOW_UNKNOWN`. */
  deployment(name: string): Deployment;
}

/**
 * Puts a project's flows and deployments together.
 *
 * @throws LeatError `CONFIG_INVALID`: two of one name, or a schedule whose parameters do not fit.
 */
export function createFlowRegistry(
  flows: readonly Flow[],
  deployments: readonly Deployment[] = [],
): FlowRegistry {
  const all = [...flows.map(ownDeployment), ...deployments];
  const faults: Fault[] = [];
  const byName = new Map<string, Deployment>();
  for (const one of all) {
    if (byName.has(one.name))
      faults.push({ path: one.name, problem: "two flows or deployments have this name" });
    byName.set(one.name, one);
    faults.push(...paramFaults(one));
  }
  refuseFaults(faults, "The project's flows");
  const flowsByName = new Map(all.map(({ flow }) => [flow.name, flow]));
  const find = <T>(known: ReadonlyMap<string, T>, name: string, what: string): T => {
    const found = known.get(name);
    if (found !== undefined) return found;
    throw new LeatError("FLOW_UNKNOWN", {
      message: `There is no ${what} "${name}".`,
      hint: hintOfKnown(name, `${what}s`, [...known.keys()].sort()),
      details: { name },
    });
  };
  return {
    flows: [...flowsByName.values()],
    deployments: all,
    flow: (name) => find(flowsByName, name, "flow"),
    deployment: (name) => find(byName, name, "flow"),
  };
}

/** Runs that nobody is at hand for must have parameters that fit. */
function paramFaults(one: Deployment): readonly Fault[] {
  return one.schedules.flatMap((schedule, index): readonly Fault[] => {
    try {
      parseParams(one.flow, { ...one.params, ...schedule.params });
      return [];
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return [{ path: `${one.name}.schedules[${index}].params`, problem }];
    }
  });
}

/** Name of a schedule in the ledger. */
export const scheduleId = (one: Deployment, schedule: CheckedSchedule): string =>
  schedule.name === undefined ? one.name : `${one.name}.${schedule.name}`;

/** What the ledger is told of a project's deployments. */
export function toRecords(
  registry: FlowRegistry,
  facts: Readonly<{ codeVersion: string | null; nowMs: number }>,
): Readonly<{ deployments: readonly DeploymentRecord[]; schedules: readonly ScheduleSpec[] }> {
  const deployments = registry.deployments.map((one) => ({
    name: one.name,
    flow: one.flow.name,
    description: one.description,
    pool: one.pool,
    params: one.params,
    paramsSchema: paramsSchemaOf(one.flow),
    codeVersion: facts.codeVersion,
    about: describeDeployment(one),
    savedAtMs: facts.nowMs,
  }));
  const schedules = registry.deployments.flatMap((one) =>
    one.schedules.map((schedule) => ({
      id: scheduleId(one, schedule),
      deployment: one.name,
      ticks: schedule.ticks,
      catchUp: schedule.catchUp,
      params: { ...one.params, ...schedule.params } as JsonObject, // `createFlowRegistry` has checked it.
      lateAfterMs: schedule.lateAfterMs ?? null,
    })),
  );
  return { deployments, schedules };
}

/** Triggers, limits and notices for people; functions are only said to be there. */
function describeDeployment(one: Deployment): JsonValue {
  const { concurrency, retries, timeoutMs } = one.flow;
  const about = {
    concurrency: concurrency && { limit: concurrency.limit, onConflict: concurrency.onConflict },
    retries: retries.max,
    timeoutMs: timeoutMs ?? null,
    priority: one.priority,
    triggers: one.triggers.map(({ params, ...trigger }) => ({
      ...trigger,
      ...(typeof params === "object" ? { params } : {}),
    })),
    notify: one.notify,
  };
  return JSON.parse(JSON.stringify(about)) as JsonValue; // Without what is not JSON in it.
}
