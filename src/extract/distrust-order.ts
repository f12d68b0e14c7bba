/** I7: a source broke the order that leat asked for. That is written down, and its state goes back. */
import { isLeatError } from "../errors/leat-error.ts";
import { readHead } from "../landing/log.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { ExtractJob, ExtractPorts } from "./extract-job.ts";
import { ExtractRun } from "./extract-run.ts";
import { lowerState } from "./range-plan.ts";
import { readState } from "./read-state.ts";
import { freshPartition, type RunState } from "./run-state.ts";

/** Tries before the run gives up, each against a newer head. */
const triesMax = 20;

/**
 * Appends a manifest that restores every partition to the lower of `then` and now, and marks the log as not ordered.
 *
 * `since` stays where it was: what was landed above the restored `next` and has left the stored boundary is read from
 * the parts again by the next run.
 */
export async function distrustOrder(ports: ExtractPorts, job: ExtractJob, then: RunState): Promise<void> {
  const place: StreamPlace = { source: job.spec.source, stream: job.spec.name, tenant: job.tenant.id };
  for (let attempt = 1; ; attempt++) {
    const head = await readHead(ports.store, place);
    const now = await readState(ports.store, head);
    const partitions = new Map(
      [...now.partitions].map(([value, { number, state }]) => {
        const lower = lowerState(then.partitions.get(value)?.state ?? freshPartition, state);
        return [value, { number, state: { ...lower, since: state.since } }] as const;
      }),
    );
    const run = new ExtractRun(ports, { ...job, idempotencyKey: undefined }, head, now);
    const generation = {
      number: head?.manifest.visible.number ?? 0,
      state: "visible",
      runId: undefined,
    } as const;
    const state = { partitions, boundary: now.boundary };
    try {
      await run.commit({ kind: "empty", generation, isFinal: false, state, isOrdered: false });
      return;
    } catch (error) {
      await run.abort();
      if (!isLeatError(error) || error.code !== "STATE_CONFLICT" || attempt >= triesMax) throw error;
    }
  }
}
