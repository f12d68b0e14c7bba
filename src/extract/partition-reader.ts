/** Reads one partition in a run: its next range, its windows, or a back-fill (PROTOCOL I5, I8). */
import { LeatError } from "../errors/leat-error.ts";
import { type CursorValue, formatTimestamp, minCursor } from "../model/cursor.ts";
import { describePlace } from "../model/ids.ts";
import type { ExtractProgress, Partition } from "./extract-progress.ts";
import { isWindowed, planRange, startToSend, windowsUntil } from "./range-plan.ts";
import { RangeReader } from "./range-reader.ts";
import { rebuildBoundary } from "./rebuild-boundary.ts";

export class PartitionReader {
  readonly #progress: ExtractProgress;
  readonly #ranges: RangeReader;
  /** The boundary was made again in this run, for the starts of all partitions. */
  #isRebuilt = false;

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
    await this.#completeBoundary(partition, this.#startOf(partition.state.next));
    let from = partition.state.next;
    this.#refuseFuture(from);
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
      const isRead = await this.#ranges.read(partition, range, true);
      if (!isRead) continue; // The first answer told T0: the same range is planned again with it.
      if (isLast || range.end === undefined) return;
      from = range.end;
      await this.#checkpointIfDue();
    }
  }

  /** A clock that is wrong by a year must not look like a quiet year: nothing would be asked for, and nothing said. */
  #refuseFuture(next: CursorValue | undefined): void {
    const { ports, job, run, place } = this.#progress;
    if (next === undefined || run.time !== undefined || !isWindowed(job.spec.cursor, next)) return;
    const aheadMs = Number(next / 1000n) - ports.clock.nowMs();
    const { clockToleranceMs } = job.spec.bounds;
    if (aheadMs <= clockToleranceMs) return;
    throw new LeatError("SOURCE_CLOCK_OFF", {
      message: `${describePlace(place)}: the next range begins at ${formatTimestamp(next)}, ${Math.round(aheadMs / 1000)} s ahead of this machine's clock.`,
      hint: "Set this machine's clock; if the cursor itself is wrong, set it back with `leat state set`.",
      details: { aheadMs, clockToleranceMs },
    });
  }

  /** A range that moves nothing (I8); what was landed before is still dropped. */
  async #readBackfill(partition: Partition, from: CursorValue, to: CursorValue): Promise<void> {
    const { cursor } = this.#progress.job.spec;
    await this.#completeBoundary(partition, this.#startOf(from));
    const kept = partition.state;
    for (let at = from; at < to; ) {
      const { stability } = this.#progress.job.spec;
      const range = planRange(cursor, at, stability === "settled" ? minCursor(to, this.#until()) : to);
      if (range === undefined) break;
      this.#progress.signal.throwIfAborted();
      if (!(await this.#ranges.read(partition, range, false))) continue;
      partition.state = kept;
      if (range.end === undefined) break;
      at = range.end;
    }
  }

  /**
   * I5: a start before `since` makes the boundary again from parts, once for all partitions: each gets back what a range
   * from its own start, or from `since` where that is lower, may show.
   */
  async #completeBoundary(partition: Partition, start: CursorValue | undefined): Promise<void> {
    const progress = this.#progress;
    const { since } = partition.state;
    const isComplete = since === undefined || (start !== undefined && start >= since);
    if (isComplete || this.#isRebuilt || progress.isRefresh || progress.head === undefined) return;
    const startOf = (value: string): CursorValue | undefined => {
      const state = progress.partitions.get(value)?.state;
      return lowerStart(state?.since, this.#startOf(state?.next));
    };
    const { place, found, head } = progress;
    const facts = { place, spec: progress.job.spec, head, partitions: found.partitions };
    const rebuilt = await rebuildBoundary(progress.ports, facts, startOf);
    for (const [key, entry] of progress.boundary) {
      // Quarantined records are in no part, and what this run has landed is in no manifest yet.
      if (entry.isOwn || entry.cursor === undefined) rebuilt.set(key, entry);
    }
    progress.boundary = rebuilt;
    this.#isRebuilt = true;
    if (progress.job.mode.kind === "backfill") return; // It hands on what it found.
    for (const one of progress.partitions.values()) {
      one.state = { ...one.state, since: startOf(one.value) };
    }
  }

  /** Where this run begins to read a partition, as it will be sent. */
  #startOf(next: CursorValue | undefined): CursorValue | undefined {
    const { mode, spec } = this.#progress.job;
    return startToSend(spec.cursor, mode.kind === "backfill" ? mode.from : (next ?? spec.cursor?.initial));
  }

  /** Where windows end: T0; before the first answer our clock, since what lies above T0 is not counted anyway. */
  #until(): CursorValue {
    const { job, ports, run } = this.#progress;
    return windowsUntil(job.spec, run.time?.t0 ?? BigInt(ports.clock.nowMs()) * 1000n);
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

const lowerStart = (a: CursorValue | undefined, b: CursorValue | undefined): CursorValue | undefined =>
  a === undefined || b === undefined ? undefined : minCursor(a, b);
