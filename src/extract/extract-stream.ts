/**
 * Extracts one stream for one tenant: plans ranges, lands them, commits (PROTOCOL, Reading and Replace).
 *
 * A run goes through its partitions one after another, and through the windows of each. A completed window is
 * confirmed; it is committed once enough has been landed, at the end, and when the run must stop before its end. What a
 * broken range has landed is dropped: the next run reads it again from the same `next`.
 */
import { LeatError } from "../errors/leat-error.ts";
import { manifestAgeMs, readHead } from "../landing/log.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";
import { distrustOrder } from "./distrust-order.ts";
import type { ExtractOutcome, ExtractStream } from "./extract-job.ts";
import { ExtractProgress, visibleGeneration } from "./extract-progress.ts";
import { ExtractRun } from "./extract-run.ts";
import { PartitionReader } from "./partition-reader.ts";
import { placeError } from "./place-error.ts";
import { planPartitions } from "./plan-partitions.ts";
import { OrderBrokenSignal } from "./range-context.ts";
import { readState } from "./read-state.ts";
import { summarizePartitions } from "./run-state.ts";

/**
 * A refresh of a stream that had this many records announces itself: some minutes of extracting, long enough that
 * another run would waste real work.
 */
const announcedRecordsMin = 1_000_000;

/** See {@link ExtractStream}. */
export const extractStream: ExtractStream = async (ports, job, signal) => {
  const place: StreamPlace = { source: job.spec.source, stream: job.spec.name, tenant: job.tenant.id };
  try {
    const head = await readHead(ports.store, place);
    const state = await readState(ports.store, head);
    return await new Extract(new ExtractProgress(ports, job, head, state, signal)).run();
  } catch (error) {
    throw placeError(error, place, signal);
  }
};

class Extract {
  readonly #progress: ExtractProgress;
  readonly #reader: PartitionReader;

  constructor(progress: ExtractProgress) {
    this.#progress = progress;
    this.#reader = new PartitionReader(progress);
  }

  async run(): Promise<ExtractOutcome> {
    const { idempotencyKey } = this.#progress.job;
    const done = this.#progress.head?.manifest.doneKeys ?? [];
    if (idempotencyKey !== undefined && done.includes(idempotencyKey)) return this.#outcome("already-done");
    this.#refuseKeylessOverlap();
    await this.#refuseWhileBusy();
    try {
      if (this.#progress.isRefresh) await this.#beginGeneration();
      await this.#readAll();
      return await this.#end();
    } catch (error) {
      await this.#progress.run.abort();
      await this.#withdrawGeneration();
      throw error;
    }
  }

  /** Byte equality cannot tell twins apart, so that a page of them does not show where it begins (I16). */
  #refuseKeylessOverlap(): void {
    const { spec } = this.#progress.job;
    if (spec.stability !== "overlap" || spec.primaryKey.length > 0) return;
    throw new LeatError("CONFIG_INVALID", {
      message: `${describePlace(this.#progress.place)}: overlapping pages need a primary key.`,
      hint: 'Declare the primary key, or use stability "passes" or "settled".',
    });
  }

  /** Courtesy, not safety (I12): while another run's refresh is younger than the longest run, it is not disturbed. */
  async #refuseWhileBusy(): Promise<void> {
    const manifest = this.#progress.head?.manifest;
    if (manifest?.generation.state !== "open") return;
    const ageMs = await manifestAgeMs(this.#progress.ports.store, this.#progress.place, manifest.seq);
    if (ageMs >= this.#progress.job.spec.bounds.runMsMax) return;
    throw new LeatError("BUSY", {
      message: `${describePlace(this.#progress.place)}: run ${manifest.runId} has been refreshing it for ${Math.round(ageMs / 1000)} s.`,
      details: { runId: manifest.runId, ageMs },
    });
  }

  /**
   * I12: a refresh that will be long takes a seq of its own first, so that others end `BUSY`. A short one is a single
   * manifest: were it announced, a death would keep others out for no reason.
   */
  async #beginGeneration(): Promise<void> {
    const run = this.#progress.run;
    this.#progress.generation = { number: run.seq, state: "open", runId: run.runId };
    if ((this.#progress.head?.manifest.visible.records ?? 0) < announcedRecordsMin) return;
    const facts = {
      kind: "empty",
      isFinal: false,
      state: this.#progress.found,
      isOrdered: this.#progress.isOrdered,
    } as const;
    await run.commit({ ...facts, generation: this.#progress.generation });
  }

  /** A refresh that failed makes room for others at once. */
  async #withdrawGeneration(): Promise<void> {
    if (this.#progress.generation.state !== "open" || this.#progress.run.seqs.length === 0) return;
    const withdrawal = new ExtractRun(
      this.#progress.ports,
      { ...this.#progress.job, idempotencyKey: undefined },
      this.#progress.run.head,
      this.#progress.found,
    );
    const generation = visibleGeneration(this.#progress.head);
    const facts = {
      kind: "empty",
      isFinal: false,
      state: this.#progress.found,
      isOrdered: this.#progress.isOrdered,
    } as const;
    await withdrawal.commit({ ...facts, generation }).catch(() => {}); // The announcement then ages away.
  }

  async #readAll(): Promise<void> {
    const known = {
      values: this.#progress.partitions.keys(),
      parentSeq: this.#progress.isRefresh ? 0 : this.#progress.run.parentSeq,
    };
    const planned = await planPartitions(this.#progress.ports, this.#progress.job, known);
    for (const value of this.#inOrder(planned.values)) {
      if (this.#progress.run.pages > 0 && this.#progress.isPastDeadline()) {
        if (this.#progress.isRefresh) throw this.#progress.deadlinePassed();
        this.#progress.hasMore = true;
        return;
      }
      try {
        await this.#reader.read(this.#progress.partition(value));
      } catch (error) {
        if (error instanceof OrderBrokenSignal) throw await this.#distrustOrder(error);
        await this.#salvage();
        throw error;
      }
    }
    if (this.#progress.hasMore) return;
    this.#progress.run.parentSeq = Math.max(this.#progress.run.parentSeq, planned.parentSeq);
  }

  /** The partition that is furthest behind first, so that runs which end early reach every one in turn. */
  #inOrder(values: readonly string[]): readonly string[] {
    const nextOf = (value: string) => this.#progress.partitions.get(value)?.state.next;
    return values.toSorted((a, b) => {
      const [x, y] = [nextOf(a), nextOf(b)];
      if (x === y) return 0;
      return x === undefined || (y !== undefined && x < y) ? -1 : 1;
    });
  }

  /** Keeps completed windows when a later one failed; the failure itself is what the caller hears of. */
  async #salvage(): Promise<void> {
    if (this.#progress.isRefresh || !this.#progress.run.hasUncommitted) return;
    try {
      await this.#progress.commit(false);
    } catch {
      await this.#progress.run.abort();
    }
  }

  async #end(): Promise<ExtractOutcome> {
    const run = this.#progress.run;
    if (this.#progress.isRefresh) {
      this.#refuseShrunken();
      this.#progress.generation = { ...this.#progress.generation, state: "completed" };
    }
    const isChanged =
      this.#progress.isRefresh ||
      run.counts.landed > 0 ||
      run.counts.quarantined > 0 ||
      this.#progress.job.idempotencyKey !== undefined ||
      run.parentSeq !== (run.head?.manifest.parentSeq ?? 0) ||
      this.#hasMoved();
    if (!isChanged) {
      for (const name of Object.keys(run.counts) as (keyof typeof run.counts)[])
        run.totals[name] += run.counts[name];
      await run.abort();
      return this.#outcome(run.seqs.length > 0 ? "committed" : "unchanged");
    }
    await this.#progress.commit(!this.#progress.hasMore);
    return this.#outcome("committed");
  }

  /** Whether any partition's state is another than the one committed last. */
  #hasMoved(): boolean {
    const committed = this.#progress.run.head?.manifest.state.main;
    const now = summarizePartitions({
      partitions: this.#progress.partitions,
      boundary: this.#progress.boundary,
    });
    if (this.#progress.partitions.size !== (this.#progress.run.head?.manifest.state.partitionCount ?? 0))
      return true;
    if (this.#progress.partitions.size > 1) {
      return [...this.#progress.partitions].some(([value, { state }]) => {
        const found = this.#progress.found.partitions.get(value)?.state;
        return (
          found === undefined ||
          found.cursor !== state.cursor ||
          found.next !== state.next ||
          found.scannedTo !== state.scannedTo
        );
      });
    }
    return (
      committed === undefined ||
      committed.cursor !== now.cursor ||
      committed.next !== now.next ||
      committed.scannedTo !== now.scannedTo
    );
  }

  /** I12: no silent wipe. */
  #refuseShrunken(): void {
    const before = this.#progress.head?.manifest.visible.records ?? 0;
    const { landed } = this.#progress.run.counts;
    const { mode, spec } = this.#progress.job;
    const isConfirmed = mode.kind === "refresh" && mode.confirmShrink;
    if (isConfirmed || before === 0 || (landed > 0 && landed >= before * spec.bounds.shrinkShareMin)) return;
    throw new LeatError("REFRESH_SHRANK", {
      message: `${describePlace(this.#progress.place)}: the refresh brought ${landed} records, the generation before has ${before}; it was not taken.`,
      details: { landed, before, shrinkShareMin: spec.bounds.shrinkShareMin },
    });
  }

  async #distrustOrder(signal: OrderBrokenSignal): Promise<LeatError> {
    await this.#progress.run.abort();
    await distrustOrder(this.#progress.ports, this.#progress.job, this.#progress.found);
    return new LeatError("ORDER_BROKEN", {
      message: `${describePlace(this.#progress.place)}: ${signal.message}, although leat had asked for that order.`,
      retryable: true,
    });
  }

  #outcome(status: ExtractOutcome["status"]): ExtractOutcome {
    const run = this.#progress.run;
    return {
      status,
      seqs: run.seqs,
      counts: run.totals,
      before: run.before,
      after: summarizePartitions({
        partitions: this.#progress.partitions,
        boundary: this.#progress.boundary,
      }),
      requests: this.#progress.job.reader.requestCount,
      pages: run.pages,
      receivedBytes: run.receivedBytes,
      landedBytes: run.landedBytes,
      hasMore: this.#progress.hasMore,
    };
  }
}
