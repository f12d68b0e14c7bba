/** What the parts of one extract share while it runs: partitions, boundary, and the package being made. */

import { LeatError } from "../errors/leat-error.ts";
import type { Head } from "../landing/log.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";
import type { Manifest, PartitionState } from "../model/manifest.ts";
import { Boundary } from "./boundary.ts";
import type { ExtractJob, ExtractPorts } from "./extract-job.ts";
import { ExtractRun, storedState } from "./extract-run.ts";
import { freshPartition, type RunState } from "./run-state.ts";

/** A partition while the run goes on. */
export type Partition = { readonly value: string; readonly number: number; state: PartitionState };

/** The shared, changing state of one extract. */
export class ExtractProgress {
  readonly ports: ExtractPorts;
  readonly job: ExtractJob;
  readonly signal: AbortSignal;
  readonly run: ExtractRun;
  readonly head: Head | undefined;
  /** The state as the run found it, to tell whether anything moved, and to go back to (I7). */
  readonly found: RunState;
  readonly partitions: Map<string, Partition> = new Map();
  boundary: Boundary;
  isOrdered: boolean;
  generation: Manifest["generation"];
  /** The run ended at a bound with windows left to read. */
  hasMore = false;

  constructor(
    ports: ExtractPorts,
    job: ExtractJob,
    head: Head | undefined,
    state: RunState,
    signal: AbortSignal,
  ) {
    this.ports = ports;
    this.job = job;
    this.head = head;
    this.signal = signal;
    this.found = state;
    this.run = new ExtractRun(ports, job, head, state);
    this.isOrdered = head?.manifest.isOrdered ?? true;
    this.generation = visibleGeneration(head);
    this.boundary = this.isRefresh ? new Boundary() : state.boundary;
    for (const [value, { number, state: found }] of state.partitions) {
      this.partitions.set(value, { value, number, state: this.isRefresh ? freshPartition : found });
    }
  }

  /** Whether the run makes a new generation (I12). */
  get isRefresh(): boolean {
    return this.job.mode.kind === "refresh" || this.job.spec.writeDisposition === "replace";
  }

  get place(): StreamPlace {
    return this.run.place;
  }

  /** The partition of a value; a new one has never been read. */
  partition(value: string): Partition {
    let partition = this.partitions.get(value);
    if (partition === undefined) {
      partition = { value, number: this.partitions.size, state: freshPartition };
      this.partitions.set(value, partition);
    }
    return partition;
  }

  /** Whether the run has to end at the next safe point: the caller's deadline, or the longest run. */
  isPastDeadline(): boolean {
    const { softDeadlineMs, spec } = this.job;
    const now = this.ports.clock.nowMs();
    return (
      (softDeadlineMs !== undefined && now >= softDeadlineMs) ||
      now - this.run.startedMs >= spec.bounds.runMsMax
    );
  }

  deadlinePassed(): LeatError {
    return new LeatError("RUN_BOUND_REACHED", {
      message: `${describePlace(this.place)}: the deadline of the run passed before it was complete.`,
      hint: "Raise `runMsMax` of the stream, or the deadline of the caller.",
      retryable: true,
    });
  }

  /** Commits everything confirmed. Throws as `ExtractRun.commit`. */
  async commit(isFinal: boolean): Promise<void> {
    const { generation, isOrdered } = this;
    const state = storedState(this.job, this.partitions, this.boundary);
    await this.run.commit({ generation, isFinal, state, isOrdered });
  }
}

/** The generation of ordinary manifests after a head. */
export function visibleGeneration(head: Head | undefined): Manifest["generation"] {
  return { number: head?.manifest.visible.number ?? 0, state: "visible", runId: undefined };
}
