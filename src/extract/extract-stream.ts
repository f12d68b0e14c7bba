/**
 * Extracts one stream for one tenant: plans ranges, lands them, commits (PROTOCOL, Reading and Replace).
 *
 * A run goes through its partitions one after another, and through the windows of each. A completed window is
 * confirmed; it is committed once enough has been landed, at the end, and when the run must stop before its end. What a
 * broken range has landed is dropped: the next run reads it again from the same `next`.
 */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { type Head, readHead } from "../landing/log.ts";
import type { CursorValue } from "../model/cursor.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";
import type { Manifest, PartitionState } from "../model/manifest.ts";
import { leatColumns, partitionColumn } from "../model/stream.ts";
import type { Page } from "../ports/source.ts";
import { Boundary } from "./boundary.ts";
import { distrustOrder } from "./distrust-order.ts";
import type { ExtractJob, ExtractOutcome, ExtractPorts, ExtractStream } from "./extract-job.ts";
import { ExtractRun, storedState } from "./extract-run.ts";
import { planPartitions } from "./plan-partitions.ts";
import {
  type LandingTarget,
  mergeInto,
  OrderBrokenSignal,
  type RangeContext,
  RangeLander,
  wantedFields,
} from "./range-lander.ts";
import {
  completeRange,
  isWindowed,
  planRange,
  runningNext,
  type SentRange,
  startToSend,
} from "./range-plan.ts";
import { readState } from "./read-state.ts";
import { rebuildBoundary } from "./rebuild-boundary.ts";
import { planRowPrefix } from "./row-splice.ts";
import { freshPartition, type RunState, summarizePartitions } from "./run-state.ts";

/**
 * A refresh of a stream that had this many records announces itself: some minutes of extracting, long enough that
 * another run would waste real work.
 */
const announcedRecordsMin = 1_000_000;

/** A partition while the run goes on. */
type Partition = { readonly value: string; readonly number: number; state: PartitionState };

/** See {@link ExtractStream}. */
export const extractStream: ExtractStream = async (ports, job, signal) => {
  const place: StreamPlace = { source: job.spec.source, stream: job.spec.name, tenant: job.tenant.id };
  try {
    const head = await readHead(ports.store, place);
    const state = await readState(ports.store, head);
    const extract = new Extract(ports, job, head, state, signal);
    return await extract.run();
  } catch (error) {
    throw placed(error, place, signal);
  }
};

function placed(error: unknown, place: StreamPlace, signal: AbortSignal): unknown {
  if (isLeatError(error)) return error instanceof LeatError ? error.at(place) : error;
  if (!signal.aborted) return error;
  return new LeatError("INTERRUPTED", {
    message: `${describePlace(place)} was stopped; what had been completed is committed.`,
    details: place,
    cause: error,
  });
}

class Extract {
  readonly #ports: ExtractPorts;
  readonly #job: ExtractJob;
  readonly #signal: AbortSignal;
  readonly #run: ExtractRun;
  readonly #partitions = new Map<string, Partition>();
  readonly #head: Head | undefined;
  /** States as the run found them, to tell whether anything moved, and to go back to (I7). */
  readonly #found: RunState;
  #boundary: Boundary;
  #isOrdered: boolean;
  #generation: Manifest["generation"];
  #hasMore = false;

  constructor(
    ports: ExtractPorts,
    job: ExtractJob,
    head: Head | undefined,
    state: RunState,
    signal: AbortSignal,
  ) {
    this.#ports = ports;
    this.#job = job;
    this.#head = head;
    this.#signal = signal;
    this.#found = state;
    this.#run = new ExtractRun(ports, job, head, state);
    this.#isOrdered = head?.manifest.isOrdered ?? true;
    this.#generation = { number: head?.manifest.visible.number ?? 0, state: "visible", runId: undefined };
    this.#boundary = this.#isRefresh ? new Boundary() : state.boundary;
    for (const [value, partition] of state.partitions) {
      this.#partitions.set(value, {
        value,
        number: partition.number,
        state: this.#isRefresh ? freshPartition : partition.state,
      });
    }
  }

  get #isRefresh(): boolean {
    return this.#job.mode.kind === "refresh" || this.#job.spec.writeDisposition === "replace";
  }

  get #place(): StreamPlace {
    return this.#run.place;
  }

  async run(): Promise<ExtractOutcome> {
    const { idempotencyKey } = this.#job;
    const done = this.#head?.manifest.doneKeys ?? [];
    if (idempotencyKey !== undefined && done.includes(idempotencyKey)) return this.#outcome("already-done");
    await this.#refuseWhileBusy();
    try {
      if (this.#isRefresh) await this.#beginGeneration();
      await this.#readAll();
      return await this.#end();
    } catch (error) {
      await this.#run.abort();
      await this.#withdrawGeneration();
      throw error;
    }
  }

  /** Courtesy, not safety (I12): while another run's refresh is younger than the longest run, it is not disturbed. */
  async #refuseWhileBusy(): Promise<void> {
    const manifest = this.#head?.manifest;
    if (manifest?.generation.state !== "open") return;
    const ageMs = (await this.#ports.store.nowMs()) - Date.parse(manifest.committedAt);
    if (ageMs >= this.#job.spec.bounds.runMsMax) return;
    throw new LeatError("BUSY", {
      message: `${describePlace(this.#place)}: run ${manifest.runId} has been refreshing it for ${Math.round(ageMs / 1000)} s.`,
      details: { runId: manifest.runId, ageMs },
    });
  }

  /**
   * I12: a refresh that will be long takes a seq of its own first, so that others end `BUSY`. A short one is a single
   * manifest: were it announced, a death would keep others out for no reason.
   */
  async #beginGeneration(): Promise<void> {
    const run = this.#run;
    this.#generation = { number: run.seq, state: "open", runId: run.runId };
    if ((this.#head?.manifest.visible.records ?? 0) < announcedRecordsMin) return;
    const facts = { kind: "empty", isFinal: false, state: this.#found, isOrdered: this.#isOrdered } as const;
    await run.commit({ ...facts, generation: this.#generation });
  }

  /** A refresh that failed makes room for others at once. */
  async #withdrawGeneration(): Promise<void> {
    if (this.#generation.state !== "open" || this.#run.seqs.length === 0) return;
    const withdrawal = new ExtractRun(
      this.#ports,
      { ...this.#job, idempotencyKey: undefined },
      this.#run.head,
      this.#found,
    );
    const generation = {
      number: this.#head?.manifest.visible.number ?? 0,
      state: "visible",
      runId: undefined,
    } as const;
    const facts = { kind: "empty", isFinal: false, state: this.#found, isOrdered: this.#isOrdered } as const;
    await withdrawal.commit({ ...facts, generation }).catch(() => {}); // The announcement then ages away.
  }

  async #readAll(): Promise<void> {
    const known = { values: this.#partitions.keys(), parentSeq: this.#isRefresh ? 0 : this.#run.parentSeq };
    const planned = await planPartitions(this.#ports, this.#job, known);
    for (const value of planned.values) {
      try {
        await this.#readPartition(this.#partition(value));
      } catch (error) {
        if (error instanceof OrderBrokenSignal) throw await this.#distrustOrder(error);
        await this.#salvage();
        throw error;
      }
      if (this.#hasMore) return;
    }
    this.#run.parentSeq = Math.max(this.#run.parentSeq, planned.parentSeq);
  }

  #partition(value: string): Partition {
    let partition = this.#partitions.get(value);
    if (partition === undefined) {
      partition = { value, number: this.#partitions.size, state: freshPartition };
      this.#partitions.set(value, partition);
    }
    return partition;
  }

  async #readPartition(partition: Partition): Promise<void> {
    const { spec, mode } = this.#job;
    if (mode.kind === "backfill") return this.#readBackfill(partition, mode.from, mode.to);
    if (partition.state.next === undefined && spec.cursor?.initial !== undefined) {
      partition.state = { ...partition.state, next: spec.cursor.initial };
    }
    await this.#completeBoundary(partition, startToSend(spec.cursor, partition.state.next));
    let from = partition.state.next;
    for (let windows = 0; ; windows++) {
      const isLimited = windows >= spec.bounds.windowsMax || this.#isPastDeadline();
      const range = planRange(spec.cursor, from, this.#until());
      if (range === undefined) return;
      if (windows > 0 && isLimited) {
        this.#hasMore = true;
        return;
      }
      this.#signal.throwIfAborted();
      const isLast = !isWindowed(spec.cursor, from);
      await this.#readRange(partition, range, true);
      if (isLast || range.end === undefined) return;
      from = range.end;
      await this.#checkpointIfDue();
    }
  }

  /** A range that moves nothing (I8); what was landed before is still dropped. */
  async #readBackfill(partition: Partition, from: CursorValue, to: CursorValue): Promise<void> {
    const { cursor } = this.#job.spec;
    const kept = partition.state;
    await this.#completeBoundary(partition, startToSend(cursor, from));
    for (let at = from; at < to; ) {
      const range = planRange(cursor, at, to);
      if (range === undefined) break;
      this.#signal.throwIfAborted();
      await this.#readRange(partition, range, false);
      partition.state = kept;
      if (range.end === undefined) break;
      at = range.end;
    }
  }

  /** I5: a start before `since` makes the boundary again from parts. */
  async #completeBoundary(partition: Partition, start: CursorValue | undefined): Promise<void> {
    const { since } = partition.state;
    const isComplete = since === undefined || (start !== undefined && start >= since);
    if (isComplete || this.#isRefresh || this.#head === undefined) return;
    const facts = {
      place: this.#place,
      spec: this.#job.spec,
      head: this.#head,
      partitions: this.#found.partitions,
    };
    const rebuilt = await rebuildBoundary(this.#ports, facts, start);
    for (const [key, entry] of this.#boundary) {
      // Quarantined records are in no part, and what this run has landed is in no manifest yet.
      if (entry.isOwn || entry.cursor === undefined) rebuilt.set(key, entry);
    }
    this.#boundary = rebuilt;
  }

  /** Where windows end: T0; before the first answer our clock, since what lies above T0 is not counted anyway. */
  #until(): CursorValue {
    const { spec } = this.#job;
    const t0 = this.#run.time?.t0 ?? BigInt(this.#ports.clock.nowMs()) * 1000n;
    return spec.stability === "settled" ? t0 - (spec.cursor?.lag ?? 0n) : t0;
  }

  #isPastDeadline(): boolean {
    const { softDeadlineMs, spec } = this.#job;
    const now = this.#ports.clock.nowMs();
    return (
      (softDeadlineMs !== undefined && now >= softDeadlineMs) ||
      now - this.#run.startedMs >= spec.bounds.runMsMax
    );
  }

  /** Reads a range until a pass of it is complete, and confirms it. */
  async #readRange(partition: Partition, range: SentRange, moves: boolean): Promise<void> {
    const { spec } = this.#job;
    let fingerprint: string | undefined;
    for (let pass = 1; ; pass++) {
      this.#run.rows.beginAttempt();
      this.#run.quarantine.beginAttempt();
      let lander: RangeLander | undefined;
      try {
        lander = await this.#readPass(partition, range, moves);
      } catch (error) {
        await this.#run.rows.drop();
        await this.#run.quarantine.drop();
        const isUnstable = isLeatError(error) && error.code === "SOURCE_UNSTABLE";
        if (!isUnstable || spec.stability !== "settled" || pass >= spec.bounds.passesMax) throw error;
        continue;
      }
      const isStable = spec.stability !== "passes" || lander.pages <= 1 || lander.fingerprint === fingerprint;
      if (isStable) {
        await this.#confirmRange(partition, range, lander, moves);
        return;
      }
      fingerprint = lander.fingerprint;
      await this.#run.rows.drop();
      await this.#run.quarantine.drop();
      if (pass < spec.bounds.passesMax) continue;
      throw new LeatError("SOURCE_UNSTABLE", {
        message: `${describePlace(this.#place)}: no two of ${pass} consecutive passes were the same.`,
        details: { passesMax: spec.bounds.passesMax },
      });
    }
  }

  async #readPass(partition: Partition, range: SentRange, moves: boolean): Promise<RangeLander> {
    const { spec, reader } = this.#job;
    const lander = new RangeLander(this.#rangeContext(partition, range), this.#target(partition));
    const value = spec.partitions === undefined ? undefined : partition.value;
    const pages = reader.read({ ...range, partition: value }, this.#signal);
    try {
      let answer = await pages.next();
      while (answer.done !== true) {
        this.#noteTime(answer.value);
        this.#checkBounds(lander);
        const summary = await lander.land(answer.value, this.#run.time ?? this.#localTime());
        this.#tell(lander);
        if (moves) await this.#checkpointWithin(partition, range, lander);
        answer = await pages.next(summary);
        if (lander.missingAt !== undefined) throw shapeChanged(this.#place, lander.missingAt);
      }
    } finally {
      await pages.return().catch(() => {});
    }
    this.#run.pages += lander.pages;
    this.#run.receivedBytes += lander.receivedBytes;
    return lander;
  }

  #rangeContext(partition: Partition, range: SentRange): RangeContext {
    const { spec, tenantColumn } = this.#job;
    const column = partitionColumn(spec);
    const reserved = [tenantColumn, ...Object.values(leatColumns), ...(column === undefined ? [] : [column])];
    const checksOrder = spec.isSorted && this.#isOrdered;
    return {
      spec,
      partition,
      range,
      base: this.#boundary,
      openScanner: (selector) => this.#ports.openScanner({ selector, fields: wantedFields(spec), reserved }),
      remembersAll:
        spec.stability === "overlap" || spec.cursor?.range === undefined || (checksOrder && !spec.trustOrder),
      checksOrder,
    };
  }

  #target(partition: Partition): LandingTarget {
    const { tenant, tenantColumn, spec } = this.#job;
    const column = partitionColumn(spec);
    const prefix = planRowPrefix({
      tenantColumn,
      tenant: tenant.id,
      seq: this.#run.seq,
      extractedAt: this.#run.extractedAt,
      partition: column === undefined ? undefined : { column, value: partition.value },
    });
    return {
      rows: this.#run.rows,
      quarantine: this.#run.quarantine,
      prefix,
      firstRowNumber: this.#run.rowNumber,
    };
  }

  /**
   * I6: a commit in the middle of a range, where leat itself asked for the order and pages are known to be complete.
   * The data are committed; `next` stays, unless the stream trusts the order.
   */
  async #checkpointWithin(partition: Partition, range: SentRange, lander: RangeLander): Promise<void> {
    const { spec } = this.#job;
    const isSafe =
      spec.isSorted && this.#isOrdered && (spec.stability === "trusted" || spec.stability === "overlap");
    if (!isSafe || this.#isRefresh || this.#run.uncommittedBytes < spec.bounds.checkpointBytes) return;
    if (lander.missingAt !== undefined) return;
    const moved = { ...partition.state, cursor: lander.cursor };
    const next = spec.trustOrder ? runningNext(spec.cursor, moved, range) : partition.state.next;
    await this.#takeOver(lander);
    // The lander goes on comparing with the boundary as it was: it counts twins from the start of the range.
    this.#boundary = this.#boundary.filter(() => true);
    mergeInto(this.#boundary, lander.overlay, spec.primaryKey.length > 0);
    partition.state = { ...moved, next };
    await this.#commit(false);
    this.#run.rows.beginAttempt();
    this.#run.quarantine.beginAttempt();
    lander.continueInto(this.#target(partition));
  }

  async #takeOver(lander: RangeLander): Promise<void> {
    await this.#run.rows.confirm();
    await this.#run.quarantine.confirm();
    this.#run.confirm(lander.counts, lander.columns, lander.rowNumber);
  }

  /** T0: the source's clock at the first answer, less the time that the request took. */
  #noteTime(page: Page): void {
    if (this.#run.time !== undefined) return;
    if (page.clock === undefined) {
      this.#run.time = this.#localTime();
      return;
    }
    const { dateMs, requestMs } = page.clock;
    const { clockToleranceMs } = this.#job.spec.bounds;
    const offMs = dateMs - this.#ports.clock.nowMs();
    if (Math.abs(offMs) > clockToleranceMs + requestMs + 1000) {
      throw new LeatError("SOURCE_CLOCK_OFF", {
        message: `${describePlace(this.#place)}: the partner's clock is ${Math.round(offMs / 1000)} s off ours, more than ${clockToleranceMs / 1000} s.`,
        details: { offMs, clockToleranceMs },
      });
    }
    this.#run.sourceClockMs = Math.floor(dateMs - requestMs);
    this.#run.time = { t0: BigInt(this.#run.sourceClockMs) * 1000n, isFromSource: true };
  }

  #localTime() {
    const nowMs = Math.floor(this.#run.startedMs - this.#job.spec.bounds.clockToleranceMs);
    return { t0: BigInt(nowMs) * 1000n, isFromSource: false };
  }

  #checkBounds(lander: RangeLander): void {
    const { pagesMax, runMsMax } = this.#job.spec.bounds;
    if (lander.pages >= pagesMax) {
      throw new LeatError("PAGES_ENDLESS", {
        message: `${describePlace(this.#place)}: one range has more than ${pagesMax} pages.`,
        details: { pagesMax },
      });
    }
    if (this.#ports.clock.nowMs() - this.#run.startedMs <= runMsMax) return;
    throw new LeatError("RUN_BOUND_REACHED", {
      message: `${describePlace(this.#place)}: the run took longer than ${runMsMax / 1000} s within one range.`,
      hint: "Raise `runMsMax` of the stream, or give it windows (`spanMax`) so that it can stop between them.",
      retryable: true,
    });
  }

  #tell(lander: RangeLander): void {
    const records = this.#run.totals.received + this.#run.counts.received + lander.counts.received;
    const bytes = this.#run.receivedBytes + lander.receivedBytes;
    this.#ports.progress({
      type: "extract",
      ...this.#place,
      records,
      bytes,
      requests: this.#job.reader.requestCount,
    });
  }

  async #confirmRange(
    partition: Partition,
    range: SentRange,
    lander: RangeLander,
    moves: boolean,
  ): Promise<void> {
    const { run, spec } = { run: this.#run, spec: this.#job.spec };
    await this.#takeOver(lander);
    mergeInto(this.#boundary, lander.overlay, spec.primaryKey.length > 0);
    if (!moves) return;
    const moved = { ...partition.state, cursor: lander.cursor };
    // Without an answer there was no T0; nothing was asked for either.
    partition.state = run.time === undefined ? moved : completeRange(spec.cursor, moved, range, run.time);
  }

  async #checkpointIfDue(): Promise<void> {
    if (this.#isRefresh) return; // A generation is one swap, and nobody continues a dead one (I12).
    if (this.#run.uncommittedBytes < this.#job.spec.bounds.checkpointBytes) return;
    await this.#commit(false);
  }

  #state(): RunState {
    const partitions = new Map<string, { number: number; state: PartitionState }>();
    for (const [value, { number, state }] of this.#partitions) partitions.set(value, { number, state });
    return storedState(this.#job, partitions, this.#boundary);
  }

  async #commit(isFinal: boolean): Promise<void> {
    await this.#run.commit({
      generation: this.#generation,
      isFinal,
      state: this.#state(),
      isOrdered: this.#isOrdered,
    });
  }

  /** Keeps completed windows when a later one failed; the failure itself is what the caller hears of. */
  async #salvage(): Promise<void> {
    if (this.#isRefresh || !this.#run.hasUncommitted) return;
    try {
      await this.#commit(false);
    } catch {
      await this.#run.abort();
    }
  }

  async #end(): Promise<ExtractOutcome> {
    const run = this.#run;
    if (this.#isRefresh) {
      this.#refuseShrunken();
      this.#generation = { ...this.#generation, state: "completed" };
    }
    const isChanged =
      this.#isRefresh ||
      run.counts.landed > 0 ||
      run.counts.quarantined > 0 ||
      this.#job.idempotencyKey !== undefined ||
      run.parentSeq !== (run.head?.manifest.parentSeq ?? 0) ||
      this.#hasMoved();
    if (!isChanged) {
      for (const name of Object.keys(run.counts) as (keyof typeof run.counts)[])
        run.totals[name] += run.counts[name];
      await run.abort();
      return this.#outcome(run.seqs.length > 0 ? "committed" : "unchanged");
    }
    await this.#commit(!this.#hasMore);
    return this.#outcome("committed");
  }

  /** Whether any partition's state is another than the one committed last. */
  #hasMoved(): boolean {
    const committed = this.#run.head?.manifest.state.main;
    const now = summarizePartitions({ partitions: this.#partitions, boundary: this.#boundary });
    if (this.#partitions.size !== (this.#run.head?.manifest.state.partitionCount ?? 0)) return true;
    if (this.#partitions.size > 1) {
      return [...this.#partitions].some(([value, { state }]) => {
        const found = this.#found.partitions.get(value)?.state;
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
    const before = this.#head?.manifest.visible.records ?? 0;
    const { landed } = this.#run.counts;
    const { mode, spec } = this.#job;
    const isConfirmed = mode.kind === "refresh" && mode.confirmShrink;
    if (isConfirmed || before === 0 || (landed > 0 && landed >= before * spec.bounds.shrinkShareMin)) return;
    throw new LeatError("REFRESH_SHRANK", {
      message: `${describePlace(this.#place)}: the refresh brought ${landed} records, the generation before has ${before}; it was not taken.`,
      details: { landed, before, shrinkShareMin: spec.bounds.shrinkShareMin },
    });
  }

  async #distrustOrder(signal: OrderBrokenSignal): Promise<LeatError> {
    await this.#run.abort();
    await distrustOrder(this.#ports, this.#job, this.#found);
    return new LeatError("ORDER_BROKEN", {
      message: `${describePlace(this.#place)}: ${signal.message}, although leat had asked for that order.`,
      retryable: true,
    });
  }

  #outcome(status: ExtractOutcome["status"]): ExtractOutcome {
    const run = this.#run;
    return {
      status,
      seqs: run.seqs,
      counts: run.totals,
      before: run.before,
      after: summarizePartitions({ partitions: this.#partitions, boundary: this.#boundary }),
      requests: this.#job.reader.requestCount,
      pages: run.pages,
      receivedBytes: run.receivedBytes,
      landedBytes: run.landedBytes,
      hasMore: this.#hasMore,
    };
  }
}

function shapeChanged(place: StreamPlace, at: string): LeatError {
  return new LeatError("SOURCE_SHAPE_CHANGED", {
    message: `${describePlace(place)}: ${at} has no records where the stream's selector looks.`,
    details: { at },
  });
}
