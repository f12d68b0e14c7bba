/** Port: brings the ids of queued runs to workers. Adapters are under `dispatchers/`. */
import type { FlowRunId } from "../model/run-ids.ts";

/** A run that somebody may claim. */
export type RunHint = Readonly<{
  id: FlowRunId;
  pool: string;
  priority: number;
  /** Not before this, ms since the epoch. */
  startAtMs: number;
}>;

/** Who wants runs. */
export type Listener = Readonly<{
  pools: readonly string[];
  /** Deliveries at once. */
  slots: number;
  /** Resolves when the slot is free again. Never rejects. */
  deliver(id: FlowRunId): Promise<void>;
}>;

/** A listener that listens. */
export interface Listening {
  /** Ends it: nothing more is delivered. Deliveries under way go on. */
  stop(): Promise<void>;
}

/**
 * **dispatcher** brings the ids of queued flow runs to workers.
 *
 * It only hints. Whether a run may be executed is decided by the ledger's claim; a hint that is lost is sent again by a
 * worker's sweep, and one that comes twice finds nothing to claim. So a dispatcher keeps no limit and no state of a run.
 */
export interface Dispatcher {
  /** Sends hints; one that is under way already may be left out. */
  send(runs: readonly RunHint[]): Promise<void>;
  listen(listener: Listener): Promise<Listening>;
  close(): Promise<void>;
}
