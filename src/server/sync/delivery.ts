/** What a request says of its delivery: its name, when it was sent for, and the trace that it belongs to. */
import type { IncomingHttpHeaders } from "node:http";
import { LeatError } from "../../errors/leat-error.ts";

/** Longest key kept in a manifest. */
const idempotencyKeyMax = 255;
/** A schedule time so far ahead of the clock is of a tick that has not come, ms. */
const aheadMsMax = 60_000;

/**
 * The name of this delivery (I17): `Idempotency-Key`, else the name of a task of Cloud Tasks, else what Cloud Scheduler
 * says of its job. Deliveries of one task, and retries of one tick, have the same name.
 *
 * A job that is started by hand may carry the time of its *next* tick (see the vendor's page on duplicate requests). It
 * gets a name of its own, so that the tick itself is not taken for done when it comes.
 *
 * @throws LeatError `USAGE` where the header is empty or too long.
 * @see https://docs.cloud.google.com/scheduler/docs/configuring/deduplicate-job-requests
 */
export function readDeliveryKey(headers: IncomingHttpHeaders, nowMs: number): string | undefined {
  const key = headers["idempotency-key"];
  if (key !== undefined) {
    if (typeof key === "string" && key !== "" && key.length <= idempotencyKeyMax) return key;
    throw new LeatError("USAGE", {
      message: `The header Idempotency-Key must hold 1 to ${idempotencyKeyMax} characters.`,
    });
  }
  const task = headers["x-cloudtasks-taskname"];
  if (typeof task === "string" && task !== "") {
    const queue = headers["x-cloudtasks-queuename"];
    return `${typeof queue === "string" ? queue : ""}/${task}`.slice(-idempotencyKeyMax);
  }
  const job = headers["x-cloudscheduler-jobname"];
  const time = headers["x-cloudscheduler-scheduletime"];
  if (typeof job !== "string" || typeof time !== "string") return undefined;
  const isEarly = Date.parse(time) - nowMs > aheadMsMax;
  return `${job}@${time}${isEarly ? " by hand" : ""}`.slice(-idempotencyKeyMax);
}

/** Whether a scheduler or a queue has sent it: one that sends again what fails, and reads nothing else of an answer. */
export const isQueued = (headers: IncomingHttpHeaders): boolean =>
  headers["x-cloudtasks-taskname"] !== undefined || headers["x-cloudscheduler-jobname"] !== undefined;

/** Fields by which Cloud Logging shows a request's lines as one. */
export type TraceFields = Readonly<Record<string, string | boolean>>;

/**
 * Reads the trace that a request belongs to, from `traceparent` (W3C) or Cloud Run's own header.
 *
 * @param project - id of the project on Google Cloud; without it lines are still grouped, and not linked.
 * @returns no fields where the request has no trace, or an unreadable one.
 */
export function readTrace(headers: IncomingHttpHeaders, project: string | undefined): TraceFields {
  const { traceparent } = headers;
  const cloud = headers["x-cloud-trace-context"];
  const w3c =
    typeof traceparent === "string"
      ? /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(traceparent)
      : null;
  const own = typeof cloud === "string" ? /^([\da-f]{32})(?:\/(\d{1,20}))?(?:;o=([01]))?$/.exec(cloud) : null;
  const id = w3c?.[1] ?? own?.[1];
  if (id === undefined) return {};
  const span =
    w3c?.[2] ?? (own?.[2] === undefined ? undefined : BigInt(own[2]).toString(16).padStart(16, "0"));
  const isSampled = w3c === null ? own?.[3] === "1" : (Number.parseInt(w3c[3] ?? "0", 16) & 1) === 1;
  return {
    "logging.googleapis.com/trace": project === undefined ? id : `projects/${project}/traces/${id}`,
    ...(span !== undefined && { "logging.googleapis.com/spanId": span }),
    "logging.googleapis.com/trace_sampled": isSampled,
  };
}
