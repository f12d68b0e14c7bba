/** Reads one range until a pass of it is complete: pages in, rows out, confirmed or taken back (PROTOCOL I6, I16). */
import { setImmediate } from "node:timers/promises";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";
import type { RecordSelector } from "../model/record-selector.ts";
import { leatColumns, partitionColumn } from "../model/stream.ts";
import type { Page } from "../ports/source.ts";
import type { RecordScanner } from "../scan/record-batch.ts";
import type { ExtractProgress, Partition } from "./extract-progress.ts";
import { mergeInto } from "./known-records.ts";
import type { LandingTarget, MissingRecords, RangeContext } from "./range-context.ts";
import { RangeLander } from "./range-lander.ts";
import {
  completeRange,
  moveCursor,
  runningNext,
  type SentRange,
  type SourceTime,
  windowsUntil,
} from "./range-plan.ts";
import { wantedFields } from "./record-fields.ts";
import { planRowPrefix } from "./row-splice.ts";

export class RangeReader {
  readonly #progress: ExtractProgress;
  #scanner: Readonly<{ selector: RecordSelector; scanner: RecordScanner }> | undefined;

  constructor(progress: ExtractProgress) {
    this.#progress = progress;
  }

  /**
   * Reads a range until a pass of it is complete, and confirms it.
   *
   * @returns false when its first answer showed that it ends too late to be settled (I16): nothing was read of it.
   */
  async read(partition: Partition, range: SentRange, moves: boolean): Promise<boolean> {
    const { spec } = this.#progress.job;
    let fingerprint: string | undefined;
    for (let pass = 1; ; pass++) {
      this.#progress.run.rows.beginAttempt();
      this.#progress.run.quarantine.beginAttempt();
      let lander: RangeLander | undefined;
      try {
        lander = await this.#readPass(partition, range, moves);
      } catch (error) {
        await this.#progress.run.rows.drop();
        await this.#progress.run.quarantine.drop();
        const isUnstable = isLeatError(error) && error.code === "SOURCE_UNSTABLE";
        if (!isUnstable || spec.stability !== "settled" || pass >= spec.bounds.passesMax) throw error;
        continue;
      }
      if (lander === undefined) {
        await this.#progress.run.rows.drop();
        await this.#progress.run.quarantine.drop();
        return false;
      }
      const isStable = spec.stability !== "passes" || lander.pages <= 1 || lander.fingerprint === fingerprint;
      if (isStable) {
        await this.#confirmRange(partition, range, lander, moves);
        return true;
      }
      fingerprint = lander.fingerprint;
      await this.#progress.run.rows.drop();
      await this.#progress.run.quarantine.drop();
      if (pass < spec.bounds.passesMax) continue;
      throw new LeatError("SOURCE_UNSTABLE", {
        message: `${describePlace(this.#progress.place)}: no two of ${pass} consecutive passes were the same.`,
        details: { passesMax: spec.bounds.passesMax },
      });
    }
  }

  async #readPass(partition: Partition, range: SentRange, moves: boolean): Promise<RangeLander | undefined> {
    const { spec, reader } = this.#progress.job;
    const lander = new RangeLander(this.#rangeContext(partition, range, moves), this.#target(partition));
    const value = spec.partitions === undefined ? undefined : partition.value;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#progress.signal, stop.signal]);
    const pages = reader.read({ ...range, partition: value }, signal);
    try {
      let answer = await pages.next();
      while (answer.done !== true) {
        this.#noteTime(answer.value);
        if (this.#isTooNew(range)) return undefined;
        this.#checkBounds(lander);
        const read = await lander.land(answer.value, this.#progress.run.time ?? this.#localTime());
        // The next page is on its way while this one is landed.
        const following = pages.next(read.summary);
        following.catch(() => {}); // Thrown below, when its turn comes.
        if (read.landRest !== undefined) {
          await requestsSent();
          await read.landRest();
        }
        this.#tell(lander);
        if (moves) await this.#checkpointWithin(partition, range, lander);
        answer = await following;
        if (lander.missing !== undefined) throw shapeChanged(this.#progress.place, lander.missing);
      }
    } finally {
      stop.abort(new Error("The range is no longer read."));
      await pages.return().catch(() => {});
    }
    this.#progress.run.pages += lander.pages;
    this.#progress.run.receivedBytes += lander.receivedBytes;
    return lander;
  }

  /** One scanner for all ranges of the run: opening one costs more than a small window does. */
  #openScanner(selector: RecordSelector): RecordScanner {
    const { spec, tenantColumn } = this.#progress.job;
    if (this.#scanner?.selector !== selector) {
      const column = partitionColumn(spec);
      const reserved = [
        tenantColumn,
        ...Object.values(leatColumns),
        ...(column === undefined ? [] : [column]),
      ];
      const scanner = this.#progress.ports.openScanner({ selector, fields: wantedFields(spec), reserved });
      this.#scanner = { selector, scanner };
    }
    const { scanner } = this.#scanner;
    scanner.restart();
    scanner.resetColumns(); // A range that broke off may have left some.
    return scanner;
  }

  #rangeContext(partition: Partition, range: SentRange, moves: boolean): RangeContext {
    const { spec } = this.#progress.job;
    const checksOrder = spec.isSorted && this.#progress.isOrdered;
    return {
      spec,
      partition,
      range,
      base: this.#progress.boundary,
      openScanner: (selector) => this.#openScanner(selector),
      // A back-fill moves no `next`, below which things could be forgotten.
      remembersAll:
        !moves ||
        spec.stability === "overlap" ||
        spec.cursor?.range === undefined ||
        (checksOrder && !spec.trustOrder),
      checksOrder,
    };
  }

  #target(partition: Partition): LandingTarget {
    const { tenant, tenantColumn, spec } = this.#progress.job;
    const column = partitionColumn(spec);
    const prefix = planRowPrefix({
      tenantColumn,
      tenant: tenant.id,
      seq: this.#progress.run.seq,
      extractedAt: this.#progress.run.extractedAt,
      partition: column === undefined ? undefined : { column, value: partition.value },
    });
    return {
      rows: this.#progress.run.rows,
      quarantine: this.#progress.run.quarantine,
      prefix,
      firstRowNumber: this.#progress.run.rowNumber,
    };
  }

  /**
   * I6: a commit in the middle of a range, where leat itself asked for the order and pages are known to be complete.
   * The data are committed; `next` stays, unless the stream trusts the order.
   */
  async #checkpointWithin(partition: Partition, range: SentRange, lander: RangeLander): Promise<void> {
    const { spec } = this.#progress.job;
    const isSafe =
      spec.isSorted &&
      lander.isSorted &&
      this.#progress.isOrdered &&
      (spec.stability === "trusted" || spec.stability === "overlap");
    if (
      !isSafe ||
      this.#progress.isRefresh ||
      this.#progress.run.uncommittedBytes < spec.bounds.checkpointBytes
    )
      return;
    if (lander.missing !== undefined) return;
    const moved = { ...partition.state, cursor: lander.cursor };
    const next = spec.trustOrder ? runningNext(spec.cursor, moved, range) : partition.state.next;
    await this.#takeOver(lander);
    // The lander goes on comparing with the boundary as it was: it counts twins from the start of the range.
    this.#progress.boundary = this.#progress.boundary.clone();
    mergeInto(this.#progress.boundary, lander.overlay, spec.primaryKey.length > 0);
    partition.state = { ...moved, next };
    await this.#progress.commit(false);
    this.#progress.run.rows.beginAttempt();
    this.#progress.run.quarantine.beginAttempt();
    lander.continueInto(this.#target(partition));
  }

  /** Whether a range that must be settled ends above T0 - lag: it was planned by our clock, before T0 was known. */
  #isTooNew(range: SentRange): boolean {
    const { job, run } = this.#progress;
    if (job.spec.stability !== "settled" || range.end === undefined || run.time === undefined) return false;
    return range.end > windowsUntil(job.spec, run.time.t0);
  }

  async #takeOver(lander: RangeLander): Promise<void> {
    await this.#progress.run.rows.confirm();
    await this.#progress.run.quarantine.confirm();
    this.#progress.run.confirm(lander);
  }

  /** T0: the source's clock at the first answer, less the time that the request took. */
  #noteTime(page: Page): void {
    if (this.#progress.run.time !== undefined) return;
    if (page.clock === undefined) {
      this.#progress.run.time = this.#localTime();
      return;
    }
    const { dateMs, requestMs } = page.clock;
    const { clockToleranceMs } = this.#progress.job.spec.bounds;
    const offMs = dateMs - this.#progress.ports.clock.nowMs();
    if (Math.abs(offMs) > clockToleranceMs + requestMs + 1000) {
      throw new LeatError("SOURCE_CLOCK_OFF", {
        message: `${describePlace(this.#progress.place)}: the partner's clock is ${Math.round(offMs / 1000)} s off ours, more than ${clockToleranceMs / 1000} s.`,
        details: { offMs, clockToleranceMs },
      });
    }
    this.#progress.run.sourceClockMs = Math.floor(dateMs - requestMs);
    this.#progress.run.time = { t0: BigInt(this.#progress.run.sourceClockMs) * 1000n, isFromSource: true };
  }

  #localTime(): SourceTime {
    const nowMs = Math.floor(this.#progress.run.startedMs - this.#progress.job.spec.bounds.clockToleranceMs);
    return { t0: BigInt(nowMs) * 1000n, isFromSource: false };
  }

  #checkBounds(lander: RangeLander): void {
    const { pagesMax, runMsMax } = this.#progress.job.spec.bounds;
    if (lander.pages >= pagesMax) {
      throw new LeatError("PAGES_ENDLESS", {
        message: `${describePlace(this.#progress.place)}: one range has more than ${pagesMax} pages.`,
        details: { pagesMax },
      });
    }
    if (this.#progress.ports.clock.nowMs() - this.#progress.run.startedMs <= runMsMax) return;
    throw new LeatError("RUN_BOUND_REACHED", {
      message: `${describePlace(this.#progress.place)}: the run took longer than ${runMsMax / 1000} s within one range.`,
      hint: "Raise `runMsMax` of the stream, or give it windows (`spanMax`) so that it can stop between them.",
      retryable: true,
    });
  }

  #tell(lander: RangeLander): void {
    const records =
      this.#progress.run.totals.received + this.#progress.run.counts.received + lander.counts.received;
    const bytes = this.#progress.run.receivedBytes + lander.receivedBytes;
    this.#progress.ports.progress({
      type: "extract",
      ...this.#progress.place,
      records,
      bytes,
      requests: this.#progress.job.reader.requestCount,
    });
  }

  async #confirmRange(
    partition: Partition,
    range: SentRange,
    lander: RangeLander,
    moves: boolean,
  ): Promise<void> {
    const { run, spec } = { run: this.#progress.run, spec: this.#progress.job.spec };
    await this.#takeOver(lander);
    mergeInto(this.#progress.boundary, lander.overlay, spec.primaryKey.length > 0);
    if (!moves) return;
    const scannedTo = moveCursor(partition.state.scannedTo, lander.greatestSeen);
    const moved = { ...partition.state, cursor: lander.cursor, scannedTo };
    // Without an answer there was no T0; nothing was asked for either.
    partition.state = run.time === undefined ? moved : completeRange(spec.cursor, moved, range, run.time);
  }
}

/** Resolves when what is ready to be sent has been: landing keeps the event loop busy for a while. */
const requestsSent = (): Promise<void> => setImmediate();

/** Keys of an answer that a message names. */
const keysShownMax = 10;

function shapeChanged(place: StreamPlace, { at, selector, keys }: MissingRecords): LeatError {
  const where = selector === "" || selector === "[*]" ? "an array of records" : `records at "${selector}"`;
  const found = keys.length === 0 ? "" : `; it has ${keys.slice(0, keysShownMax).join(", ")}`;
  return new LeatError("SOURCE_SHAPE_CHANGED", {
    message: `${describePlace(place)}: ${at} answered without ${where}${found}.`,
    details: { at, selector, keys: keys.slice(0, keysShownMax) },
  });
}
