/**
 * Extracts a stream of files for one tenant: finds them, lands those that are new or have changed, commits.
 *
 * A file is a record; its bytes lie beside the parts of the same package. Files are `found` all at once, then fetched
 * one after another, or some at a time; each that is complete is committed with the next checkpoint, at the end, or
 * when the run must stop before its end. A file that is refused is told at the end and stops no other.
 */
import { LeatError } from "../errors/leat-error.ts";
import { type Head, readHead } from "../landing/log.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";
import type { RawFileEntry } from "../model/manifest.ts";
import type { FoundFile } from "../ports/source.ts";
import type { ExtractFiles, ExtractOutcome, ExtractPorts, FilesJob } from "./extract-job.ts";
import { visibleGeneration } from "./extract-progress.ts";
import { ExtractRun } from "./extract-run.ts";
import { FileFetcher, type Handled, refusedFiles } from "./file-fetcher.ts";
import { fileColumns } from "./file-record.ts";
import { FileRows } from "./file-rows.ts";
import { type FileState, type FilesState, readFilesState } from "./files-state.ts";
import { placeError } from "./place-error.ts";
import { freshPartition, freshState } from "./run-state.ts";

/**
 * A death costs at most as many downloads. Each commit writes the state anew, so that they grow rarer as it grows; and a
 * manifest has room for some two thousand files.
 */
const filesPerCommit = { least: 50, most: 1000, shareOfState: 1 / 50 } as const;

/** Failures in a row of asking, not of what came: a publisher that is down is not asked for every file it has. */
const failuresInRowMax = 3;

/** See {@link ExtractFiles}. */
export const extractFiles: ExtractFiles = async (ports, job, signal) => {
  const place: StreamPlace = { source: job.spec.source, stream: job.spec.name, tenant: job.tenant.id };
  try {
    refuseJob(job, place);
    const head = await readHead(ports.store, place);
    const state = await readFilesState(ports.store, head);
    return await new FilesExtract(ports, job, head, state).run(signal);
  } catch (error) {
    throw placeError(error, place, signal);
  }
};

function refuseJob(job: FilesJob, place: StreamPlace): void {
  if (job.mode.kind !== "incremental") {
    throw new LeatError("NOT_SUPPORTED", {
      message: `${describePlace(place)}: a stream of files keeps every version of each file; it has no ${job.mode.kind === "refresh" ? "full refresh" : "range to read again"}.`,
      hint: "`leat state reset` has every file fetched again; with --landed-before again every file is landed again too.",
    });
  }
  const column = job.tenantColumn.toLowerCase();
  if (!fileColumns.some((name) => name === column)) return;
  throw new LeatError("CONFIG_INVALID", {
    message: `${describePlace(place)}: records of files have a column "${column}", and so is the tenant's column called.`,
    hint: "Choose another `tenantColumn` in the project.",
  });
}

class FilesExtract {
  readonly #ports: ExtractPorts;
  readonly #job: FilesJob;
  readonly #head: Head | undefined;
  readonly #run: ExtractRun;
  readonly #rows: FileRows;
  readonly #files: Map<string, FileState>;
  #entries: RawFileEntry[] = [];
  #refused: (Handled & { status: "refused" })[] = [];
  #failuresInRow = 0;
  /** Whether the state differs from the committed one although nothing was landed: another validator, another field. */
  #hasMoved = false;
  #hasMore = false;
  /** A commit that failed leaves rows that belong to no package. */
  #isBroken = false;
  #landedBytes = 0;
  #uncommittedBytes = 0;

  constructor(ports: ExtractPorts, job: FilesJob, head: Head | undefined, state: FilesState) {
    this.#ports = ports;
    this.#job = job;
    this.#head = head;
    this.#run = new ExtractRun(ports, job, head, freshState());
    this.#rows = new FileRows(this.#run, ports.openScanner);
    this.#files = new Map(state.files);
  }

  async run(signal: AbortSignal): Promise<ExtractOutcome> {
    const { idempotencyKey } = this.#job;
    const doneKeys = this.#head?.manifest.doneKeys ?? [];
    if (idempotencyKey !== undefined && doneKeys.includes(idempotencyKey))
      return this.#outcome("already-done");
    let missing: number | undefined;
    try {
      const found = await this.#find(signal);
      await this.#fetchAll(this.#newFirst(found), signal);
      if (!this.#hasMore) missing = [...this.#files.keys()].filter((id) => !found.has(id)).length;
    } catch (error) {
      await this.#salvage();
      throw error;
    }
    try {
      const status = await this.#end();
      return { ...this.#outcome(status), missingFiles: missing };
    } finally {
      await this.#run.abort();
    }
  }

  async #find(signal: AbortSignal): Promise<ReadonlyMap<string, FoundFile>> {
    const { reader } = this.#job;
    const found = new Map<string, FoundFile>();
    for await (const file of reader.find(signal)) {
      if (!found.has(file.id)) found.set(file.id, file);
      if (found.size <= reader.limits.filesMax) continue;
      throw new LeatError("RUN_BOUND_REACHED", {
        message: `${describePlace(this.#run.place)}: more than ${reader.limits.filesMax} files were found; nothing was fetched.`,
        hint: "Narrow `match` of the stream, or raise its `filesMax`.",
      });
    }
    return found;
  }

  /** Files never landed before the others, so that a run that ends early has something to show. */
  #newFirst(found: ReadonlyMap<string, FoundFile>): readonly FoundFile[] {
    const isKnown = (file: FoundFile): boolean => this.#files.has(file.id);
    const all = [...found.values()];
    return [...all.filter((file) => !isKnown(file)), ...all.filter(isKnown)];
  }

  async #fetchAll(found: readonly FoundFile[], signal: AbortSignal): Promise<void> {
    const { concurrency } = this.#job.reader.limits;
    const stop = new AbortController();
    const fetcher = new FileFetcher(
      this.#ports,
      this.#job,
      this.#run,
      AbortSignal.any([signal, stop.signal]),
    );
    const onTheirWay: Promise<Handled>[] = [];
    const takeOne = async () => this.#take(await onTheirWay[0]!).finally(() => onTheirWay.shift());
    try {
      for (const file of found) {
        signal.throwIfAborted();
        if (this.#isPastDeadline()) {
          this.#hasMore = true;
          break;
        }
        const handled = fetcher.fetch(file, this.#files.get(file.id));
        handled.catch(() => {}); // Thrown when its turn comes.
        onTheirWay.push(handled);
        if (onTheirWay.length >= concurrency) await takeOne();
        if (!this.#isCheckpointDue()) continue;
        // What is on its way has this package's key already.
        while (onTheirWay.length > 0) await takeOne();
        await this.#commit(false);
      }
      while (onTheirWay.length > 0) await takeOne();
    } catch (error) {
      stop.abort(new Error("The run has failed."));
      await Promise.allSettled(onTheirWay);
      throw error;
    }
  }

  async #take(handled: Handled): Promise<void> {
    const { counts } = this.#run;
    this.#failuresInRow = handled.status === "refused" && handled.isOfSource ? this.#failuresInRow + 1 : 0;
    if (handled.status === "refused") {
      this.#refused.push(handled);
      if (this.#failuresInRow >= failuresInRowMax) throw handled.error;
      return;
    }
    counts.received++;
    this.#run.receivedBytes += handled.receivedBytes;
    if (handled.status === "known") {
      counts.boundarySkipped++;
      this.#noteKnown(handled.file);
    } else {
      const file: FileState = { ...handled.file, seq: this.#run.seq, row: this.#run.rowNumber++ };
      counts.landed++;
      this.#entries.push(handled.entry);
      this.#uncommittedBytes += handled.entry.bytes;
      await this.#rows.add(file);
      this.#files.set(file.id, file);
    }
    this.#tell();
  }

  /** The same bytes under another validator, name or field: the state alone says so. */
  #noteKnown(file: FileState): void {
    const before = this.#files.get(file.id);
    if (JSON.stringify(before) === JSON.stringify(file)) return;
    this.#files.set(file.id, file);
    this.#hasMoved = true;
  }

  #tell(): void {
    const { totals, counts, place, receivedBytes } = this.#run;
    this.#ports.progress({
      type: "extract",
      ...place,
      records: totals.received + counts.received,
      bytes: receivedBytes,
      requests: this.#job.reader.requestCount,
    });
  }

  #isCheckpointDue(): boolean {
    const { checkpointBytes } = this.#job.spec.bounds;
    const { least, most, shareOfState } = filesPerCommit;
    const filesMax = Math.min(most, Math.max(least, this.#files.size * shareOfState));
    return this.#entries.length >= filesMax || this.#uncommittedBytes >= checkpointBytes;
  }

  #isPastDeadline(): boolean {
    const { softDeadlineMs, spec } = this.#job;
    const nowMs = this.#ports.clock.nowMs();
    const isLate = softDeadlineMs !== undefined && nowMs >= softDeadlineMs;
    return isLate || nowMs - this.#run.startedMs >= spec.bounds.runMsMax;
  }

  async #commit(isFinal: boolean): Promise<void> {
    this.#isBroken = true;
    await this.#run.commit({
      generation: visibleGeneration(this.#head),
      isFinal,
      state: { files: this.#files },
      isOrdered: true,
      files: this.#entries,
    });
    this.#isBroken = false;
    this.#hasMoved = false;
    this.#landedBytes += this.#uncommittedBytes;
    this.#uncommittedBytes = 0;
    this.#entries = [];
  }

  get #hasUncommitted(): boolean {
    return this.#entries.length > 0 || this.#hasMoved;
  }

  /** Keeps complete files when the run fails; the failure itself is what the caller hears of. */
  async #salvage(): Promise<void> {
    try {
      if (!this.#isBroken && this.#hasUncommitted) await this.#commit(false);
    } catch {
      // The caller hears of the first failure.
    } finally {
      await this.#run.abort();
    }
  }

  async #end(): Promise<ExtractOutcome["status"]> {
    const isRefused = this.#refused.length > 0;
    const isDone = !this.#hasMore && !isRefused;
    if (this.#hasUncommitted || (isDone && this.#job.idempotencyKey !== undefined))
      await this.#commit(isDone);
    else this.#endUnchanged();
    if (isRefused) throw refusedFiles(this.#run.place, this.#refused, this.#run.totals.landed);
    return this.#run.seqs.length > 0 ? "committed" : "unchanged";
  }

  #endUnchanged(): void {
    const { counts, totals } = this.#run;
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) totals[name] += counts[name];
  }

  #outcome(status: ExtractOutcome["status"]): ExtractOutcome {
    const { seqs, totals, pages, receivedBytes, landedBytes } = this.#run;
    return {
      status,
      seqs,
      counts: totals,
      before: freshPartition,
      after: freshPartition,
      requests: this.#job.reader.requestCount,
      pages,
      receivedBytes,
      landedBytes: landedBytes + this.#landedBytes,
      hasMore: this.#hasMore,
    };
  }
}
