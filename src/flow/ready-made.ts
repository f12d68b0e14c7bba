/** When streams are synced and datasets built, read off the flows for that: for places where only a scheduler runs. */
import type { ScheduleTicks } from "../model/run-schedule.ts";
import { type Deployment, scheduleId } from "./deployment.ts";

/** Marks flows made by `syncFlow` and `buildFlow`: a symbol of the registry, so that two copies of leat understand each other. */
export const readyMade: unique symbol = Symbol.for("leat.flow.readyMade");

/** One schedule of a sync or a build. */
export type WorkSchedule = Readonly<{
  kind: "sync" | "build";
  /** The deployment's name, and `.name` where it has several schedules. */
  id: string;
  ticks: ScheduleTicks;
  /** Streams of a sync, datasets of a build; none: all. */
  names: readonly string[];
  /** Of a sync; none: all. */
  tenants: readonly string[];
}>;

/** Schedules of ready-made flows, in the order of their deployments; a flow's own parameters lie below its schedule's. */
export function listWorkSchedules(deployments: readonly Deployment[]): readonly WorkSchedule[] {
  return deployments.flatMap((deployment) => {
    const kind = kindOf(deployment.flow);
    if (kind === undefined) return [];
    return deployment.schedules.map((schedule) => {
      const params: Readonly<Record<string, unknown>> = { ...deployment.params, ...schedule.params };
      return {
        kind,
        id: scheduleId(deployment, schedule),
        ticks: schedule.ticks,
        names: namesOf(params[kind === "sync" ? "streams" : "datasets"]),
        tenants: namesOf(params["tenants"]),
      };
    });
  });
}

/** Whether a flow syncs streams, each stream and tenant in a sub-flow that holds the key `<flow>:<stream>:<tenant>`. */
export const isSync = (flow: object): boolean => kindOf(flow) === "sync";

function kindOf(flow: object): "sync" | "build" | undefined {
  const mark = readyMade in flow ? flow[readyMade] : undefined;
  return mark === "sync" || mark === "build" ? mark : undefined;
}

/** The flow's schema has checked it to be a list of texts. */
const namesOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((name): name is string => typeof name === "string") : [];
