/** Port: requests to the sync app that are handed over to be sent once each. Adapters are under `dispatchers/`. */
import type { JsonObject } from "../model/json-value.ts";

/** A request to be sent. */
export type QueuedTask = Readonly<{
  /**
   * Names the work, letters, digits, `-` and `_`, at most {@link taskNameMax}: a second task of the same name is not
   * taken while the first is waiting, and for some time after.
   */
  name: string;
  /** Path below the app's address, such as `/shop/orders`. */
  path: string;
  /** Sent as JSON by POST. */
  body: JsonObject;
}>;

/** Characters of a name: what Cloud Tasks takes. */
export const taskNameMax = 500;

/** A queue. What it is given is sent later, again after a failure, and possibly twice. */
export interface TaskQueue {
  /** For messages; no credentials. */
  readonly url: string;
  /**
   * @param appUrl - the app's own address, without a path.
   * @returns `known` where a task of this name is there, or was a short time ago.
   * @throws LeatError `CLOUD_REFUSED`, `CLOUD_UNAVAILABLE`.
   */
  enqueue(task: QueuedTask, appUrl: string, signal: AbortSignal): Promise<"enqueued" | "known">;
  /** Stops sending. */
  close(): Promise<void>;
}
