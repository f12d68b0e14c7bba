/** Reads one partition in a run: its next range, its windows, or a back-fill (PROTOCOL I5, I8). */
import type { CursorValue } from "../model/cursor.ts";
import type { ExtractProgress, Partition } from "./extract-progress.ts";
import { isWindowed, planRange, startToSend } from "./range-plan.ts";
import { RangeReader } from "./range-reader.ts";
import { rebuildBoundary } from "./rebuild-boundary.ts";

export class PartitionReader {
  readonly #progress: ExtractProgress;
  readonly #ranges: RangeReader;

  constructor(progress: ExtractProgress) {
    this.#progress = progress;
    this.#ranges = new RangeReader(progress);
  }

  /** Reads what the run's mode asks for; completed windows are committed on the way when enough has landed. */
  async read(partition: Partition): Promise<void> {
    const { spec, mode } = this.#progress.job;
    if (mode.kind === "backfill") return this.#readBackfill(partition, mode.from, mode.to);
    if (partition.state.next === undefined && spec.cursor?.initial !== undefined) {
      partition.state = { ...partition.state, next: spec.cursor.initial };
    }
    await this.#completeBoundary(partition, startToSend(spec.cursor, partition.state.next));
    let from = partition.state.next;
    // The first answer may put T0 a little above our clock; that sliver alone is not worth another run.
    const plannedUntil = this.#until();
    const begunAt = from;
    for (let windows = 0; ; windows++) {
      const range = planRange(spec.cursor, from, this.#until());
      if (range === undefined) return;
      if (windows > 0 && this.#mustStop(windows, partition.state.next !== begunAt)) {
        this.#progress.hasMore ||= from === undefined || from < plannedUntil;
        return;
      }
      this.#progress.signal.throwIfAborted();
      const isLast = !isWindowed(spec.cursor, from);
      await this.#ranges.read(partition, range, true);
      if (isLast || range.end === undefined) return;
      from = range.end;
      await this.#checkpointIfDue();
    }
  }

  /** A range that moves nothing (I8); what was landed before is still dropped. */
  async #readBackfill(partition: Partition, from: CursorValue, to: CursorValue): Promise<void> {
    const { cursor } = this.#progress.job.spec;
    const kept = partition.state;
    await this.#completeBoundary(partition, startToSend(cursor, from));
    for (let at = from; at < to; ) {
      const range = planRange(cursor, at, to);
      if (range === undefined) break;
      this.#progress.signal.throwIfAborted();
      await this.#ranges.read(partition, range, false);
      partition.state = kept;
      if (range.end === undefined) break;
      at = range.end;
    }
  }

  /** I5: a start before `since` makes the boundary again from parts. */
  async #completeBoundary(partition: Partition, start: CursorValue | undefined): Promise<void> {
    const { since } = partition.state;
    const isComplete = since === undefined || (start !== undefined && start >= since);
    if (isComplete || this.#progress.isRefresh || this.#progress.head === undefined) return;
    const facts = {
      place: this.#progress.place,
      spec: this.#progress.job.spec,
      head: this.#progress.head,
      partitions: this.#progress.found.partitions,
    };
    const rebuilt = await rebuildBoundary(this.#progress.ports, facts, start);
    for (const [key, entry] of this.#progress.boundary) {
      // Quarantined records are in no part, and what this run has landed is in no manifest yet.
      if (entry.isOwn || entry.cursor === undefined) rebuilt.set(key, entry);
    }
    this.#progress.boundary = rebuilt;
  }

  /** Where windows end: T0; before the first answer our clock, since what lies above T0 is not counted anyway. */
  #until(): CursorValue {
    const { spec } = this.#progress.job;
    const t0 = this.#progress.run.time?.t0 ?? BigInt(this.#progress.ports.clock.nowMs()) * 1000n;
    return spec.stability === "settled" ? t0 - (spec.cursor?.lag ?? 0n) : t0;
  }

  /**
   * Whether the run must stop before the next window of this partition.
   *
   * Without a clock of the source only records move `next` (T0): a run that stopped in a long gap would begin at the same
   * place for ever. So it goes on, or fails at its deadline.
   */
  #mustStop(windows: number, hasProgress: boolean): boolean {
    const progress = this.#progress;
    const isPastDeadline = progress.isPastDeadline();
    // A generation is complete or it is nothing: a refresh reads all its windows, or fails (I12).
    if (isPastDeadline && (progress.isRefresh || !hasProgress)) throw progress.deadlinePassed();
    return (
      isPastDeadline || (!progress.isRefresh && hasProgress && windows >= progress.job.spec.bounds.windowsMax)
    );
  }

  async #checkpointIfDue(): Promise<void> {
    if (this.#progress.isRefresh) return; // A generation is one swap, and nobody continues a dead one (I12).
    if (this.#progress.run.uncommittedBytes < this.#progress.job.spec.bounds.checkpointBytes) return;
    await this.#progress.commit(false);
  }
}
