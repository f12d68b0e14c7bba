/** When runs begin by themselves, as plain data. */
import type { JsonValue } from "./json-value.ts";

/** Ticks of a schedule. Instants are ms since the epoch. */
export type ScheduleTicks = Readonly<
  | { kind: "cron"; cron: string; timezone: string }
  /** At `anchorMs` and every `everyMs` before and after it. */
  | { kind: "interval"; everyMs: number; anchorMs: number }
  /** At each of these, in order. */
  | { kind: "dates"; instantsMs: readonly number[] }
>;

/** What becomes of ticks that nobody was there for: none of them, the last, or each. */
export type CatchUp = "skip" | "last" | "all";

/** **schedule** when a deployment runs by itself, and with which parameters. */
export type ScheduleSpec = Readonly<{
  /** Unique in the ledger: the deployment's name, and `.name` where it has several. */
  id: string;
  deployment: string;
  ticks: ScheduleTicks;
  catchUp: CatchUp;
  params: JsonValue;
  /** A run is late when it has not ended well so long after its tick. */
  lateAfterMs: number | null;
}>;

/** A schedule as it stands. */
export type ScheduleRecord = ScheduleSpec &
  Readonly<{
    isPaused: boolean;
    /** Ticks up to here, inclusive, are dealt with. */
    cursorMs: number;
  }>;

/** **deployment** a flow with its parameters, pool, schedules and code version; each flow has one of its own name. */
export type DeploymentRecord = Readonly<{
  name: string;
  flow: string;
  description: string;
  pool: string;
  params: JsonValue;
  /** JSON Schema of the flow's parameters, for forms; `null`: it takes none. */
  paramsSchema: JsonValue;
  codeVersion: string | null;
  /** Triggers, limits and notices, as they are shown to people. */
  about: JsonValue;
  savedAtMs: number;
}>;
