/** Opens the reader of files: each is read in another process, whose memory and time are watched. */
import { availableParallelism } from "node:os";
import { isLeatError } from "../errors/leat-error.ts";
import type { TidyJob, TidyReader, TidyResult } from "../ports/tidy.ts";
import { ReaderChild, type ReaderLimits } from "./child/reader-child.ts";

/** Goes up when rows of an equal file and declaration may come out another way: cached rows have it in their names. */
const readerVersion = "1";

/** Files that one process reads before a fresh one takes its place: what a library forgets to give back stays small. */
const jobsMax = 500;

/** Bounds of one file's reading: a 50 MB .xlsx takes a tenth of either. */
export const readerLimits: ReaderLimits = { memoryBytesMax: 2 * 2 ** 30, timeoutMs: 5 * 60_000 };

/** Bounds of reading, all optional. */
export type TidyReaderOptions = Readonly<{
  /**
   * Most memory of a reading process in bytes. Default 2 GiB: a 50 MB .xlsx takes a tenth of it. A file that needs more
   * is refused by name.
   */
  memoryBytesMax?: number | undefined;
  /** Longest time for one file in ms. Default 5 minutes: a 50 MB .xlsx takes seconds. */
  timeoutMs?: number | undefined;
  /** Most processes at once. Default: one for each core, at most four. Each may take `memoryBytesMax`. */
  processesMax?: number | undefined;
}>;

/**
 * Opens a reader. A process is started when the first file comes and reads those after it; one that failed is replaced.
 *
 * @returns the reader; idle processes end with it, or with this process.
 */
export function openTidyReader(options: TidyReaderOptions = {}): TidyReader & AsyncDisposable {
  return new ProcessPool(
    {
      memoryBytesMax: options.memoryBytesMax ?? readerLimits.memoryBytesMax,
      timeoutMs: options.timeoutMs ?? readerLimits.timeoutMs,
    },
    options.processesMax ?? Math.min(4, availableParallelism()),
  );
}

type Idle = { child: ReaderChild; jobs: number };

class ProcessPool implements TidyReader, AsyncDisposable {
  readonly version: string = readerVersion;
  readonly #limits: ReaderLimits;
  readonly #processesMax: number;
  readonly #idle: Idle[] = [];
  /** Jobs that wait for a process, in order. */
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #isClosed = false;

  constructor(limits: ReaderLimits, processesMax: number) {
    this.#limits = limits;
    this.#processesMax = processesMax;
  }

  async read(job: TidyJob, signal: AbortSignal): Promise<TidyResult> {
    await this.#takeTurn(signal);
    try {
      const used = this.#takeIdle();
      if (used !== undefined) {
        try {
          return await this.#readIn(used, job, signal);
        } catch (error) {
          // Something befell it while it had nothing to do, or what an earlier file left in it: this one is not to blame.
          if (!isLeatError(error) || error.code !== "FILE_READER_DIED") throw error;
        }
      }
      return await this.#readIn({ child: new ReaderChild(this.#limits), jobs: 0 }, job, signal);
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const { child } of this.#idle.splice(0)) child.close();
  }

  #takeIdle(): Idle | undefined {
    let entry = this.#idle.pop();
    while (entry?.child.isOver === true) entry = this.#idle.pop();
    return entry;
  }

  async #readIn(entry: Idle, job: TidyJob, signal: AbortSignal): Promise<TidyResult> {
    try {
      const result = await entry.child.read(job, signal);
      entry.jobs++;
      if (entry.jobs >= jobsMax || this.#isClosed) entry.child.close();
      else this.#idle.push(entry);
      return result;
    } catch (error) {
      entry.child.close();
      throw error;
    }
  }

  async #takeTurn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (this.#busy >= this.#processesMax) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const leave = (): void => resolve();
      this.#waiting.push(leave);
      signal.addEventListener("abort", leave, { once: true });
      await promise;
      signal.removeEventListener("abort", leave);
      const at = this.#waiting.indexOf(leave);
      if (at >= 0) this.#waiting.splice(at, 1);
      if (signal.aborted) {
        // A turn that came together with the abort is somebody else's.
        if (at < 0 && this.#busy < this.#processesMax) this.#waiting.shift()?.();
        signal.throwIfAborted();
      }
    }
    this.#busy++;
  }
}
