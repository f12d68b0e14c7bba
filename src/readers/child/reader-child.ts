/** One reading process as its owner sees it: handed a file, watched, and ended when it takes too much. */
import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { LeatError } from "../../errors/leat-error.ts";
import type { TidyJob, TidyResult } from "../../ports/tidy.ts";
import type { WrittenSheet } from "../write-sheet-csv.ts";
import {
  fromSentError,
  type ReaderJob,
  type ReaderReply,
  type ReaderRequest,
  type ReaderResult,
} from "./messages.ts";
import { canReadMemory, readMemory } from "./process-memory.ts";
import { memberPath, partialPath } from "./row-writer.ts";
import type { SheetJob } from "./sheet-job.ts";

/** Bounds of one file's reading. */
export type ReaderLimits = Readonly<{ memoryBytesMax: number; timeoutMs: number }>;

/** Pause between looks at the memory, ms. A process cannot fill a gigabyte in it: the system has to hand out the pages. */
const watchMs = 25;
/** Last words of a process that are kept, in characters. */
const wordsMax = 4000;
/** What V8 says before it ends a process whose heap is full. */
const heapFullPattern = /heap out of memory|Allocation failed/;

/** Sources run as they are in the repository, and as JavaScript in the package: the entry has this file's ending. */
const entryPath = fileURLToPath(new URL(`./child-main${extname(import.meta.url)}`, import.meta.url));

export class ReaderChild {
  readonly #child: ChildProcess;
  readonly #limits: ReaderLimits;
  #words = "";
  /** Why this side ended it. */
  #verdict: LeatError | undefined;
  #settle: ((outcome: ReaderResult | LeatError) => void) | undefined;
  /** No more jobs can be handed to it. */
  isOver = false;

  /** @param heapMegabytes - bound of the heap; as much as all of its memory may be, since buffers may need none. */
  constructor(limits: ReaderLimits, heapMegabytes: number = Math.ceil(limits.memoryBytesMax / 2 ** 20)) {
    this.#limits = limits;
    this.#child = spawn(process.execPath, [`--max-old-space-size=${heapMegabytes}`, entryPath], {
      // Secrets of the project are no business of a process that reads a stranger's file.
      env: {},
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr!.on("data", (chunk: Buffer) => {
      this.#words = (this.#words + chunk.toString("latin1")).slice(-wordsMax);
    });
    this.#child.on("message", (reply: ReaderReply) => this.#hear(reply));
    this.#child.on("error", (error) => this.#end(readerDied("could not be started", error)));
    this.#child.on("close", (code, signal) => this.#end(this.#verdict ?? this.#explainEnd(code, signal)));
    this.#setIdle();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Reads one file. One at a time.
   *
   * @throws LeatError what reading threw, or `FILE_NEEDS_MEMORY`, `FILE_NEEDS_TIME`, `FILE_READER_DIED`; the signal's
   *   reason. After any failure the process is over.
   */
  async read(job: TidyJob, signal: AbortSignal): Promise<TidyResult> {
    return (await this.#run(job, signal)) as TidyResult; // What the process answers to such a job.
  }

  /** Writes a sheet as CSV. One file at a time; throws as {@link ReaderChild.read}. */
  async readSheet(job: SheetJob, signal: AbortSignal): Promise<WrittenSheet> {
    return (await this.#run(job, signal)) as WrittenSheet; // Likewise.
  }

  async #run(job: ReaderJob, signal: AbortSignal): Promise<ReaderResult> {
    signal.throwIfAborted();
    const outcome = new Promise<ReaderResult | LeatError>((resolve) => {
      this.#settle = resolve;
    });
    this.#child.ref();
    this.#child.channel?.ref();
    const watch = setInterval(() => this.#watchMemory(), watchMs);
    const timer = setTimeout(() => this.#kill(this.#needsTime()), this.#limits.timeoutMs);
    const abort = (): void => this.#kill(readerDied("was stopped"));
    signal.addEventListener("abort", abort, { once: true });
    const request: ReaderRequest = { job, reportsMemory: !canReadMemory };
    this.#child.send(request, (error) => {
      // It may have ended before: then nothing else would say so.
      if (error !== null) this.#end(this.#verdict ?? readerDied("could not be reached", error));
    });
    try {
      const result = await outcome;
      if (!(result instanceof LeatError)) return result;
      // A process that was ended could not clean up.
      for (const path of [partialPath(job.rowsPath), memberPath(job.rowsPath)])
        await rm(path, { force: true });
      signal.throwIfAborted();
      const message = result.message.includes(job.name) ? result.message : `${job.name}: ${result.message}`;
      throw new LeatError(result.code, {
        message,
        hint: result.hint,
        retryable: result.retryable,
        details: { file: job.name, ...result.details },
        cause: result.cause,
      });
    } finally {
      this.#settle = undefined;
      clearInterval(watch);
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      this.#setIdle();
    }
  }

  /** Ends the process. */
  close(): void {
    this.isOver = true;
    this.#child.kill("SIGKILL"); // It holds nothing that is not complete or worthless.
  }

  /** An idle process does not keep its owner alive; it ends with the owner. */
  #setIdle(): void {
    this.#child.unref();
    this.#child.channel?.unref();
    const { stderr } = this.#child;
    if (stderr !== null && "unref" in stderr && typeof stderr.unref === "function") stderr.unref();
  }

  #hear(reply: ReaderReply): void {
    if (reply.kind === "memory") this.#judgeMemory(reply.bytes);
    else if (reply.kind === "done") this.#settle?.(reply.result);
    else {
      this.close(); // What a file has upset, no other file shall meet.
      this.#settle?.(fromSentError(reply.error));
    }
  }

  #watchMemory(): void {
    const bytes = this.#child.pid === undefined ? undefined : readMemory(this.#child.pid);
    if (bytes !== undefined) this.#judgeMemory(bytes);
  }

  #judgeMemory(bytes: number): void {
    const { memoryBytesMax } = this.#limits;
    if (bytes > memoryBytesMax) this.#kill(needsMemory(memoryBytesMax, bytes));
  }

  #needsTime(): LeatError {
    const { timeoutMs } = this.#limits;
    return new LeatError("FILE_NEEDS_TIME", {
      message: `Reading took longer than ${timeoutMs} ms; the process was ended.`,
      details: { timeoutMs },
    });
  }

  #explainEnd(code: number | null, signal: NodeJS.Signals | null): LeatError {
    if (heapFullPattern.test(this.#words)) return needsMemory(this.#limits.memoryBytesMax);
    // Where memory is short the system itself ends the largest process, by this signal.
    if (signal === "SIGKILL") return readerDied("was ended by the system, perhaps for want of memory");
    const words = this.#words.trim();
    const cause = words === "" ? undefined : new Error(words);
    return readerDied(`ended with ${signal ?? `code ${code}`}`, cause);
  }

  #kill(verdict: LeatError): void {
    this.#verdict ??= verdict;
    this.close();
  }

  #end(error: LeatError): void {
    this.isOver = true;
    this.#settle?.(error);
  }
}

function readerDied(how: string, cause?: unknown): LeatError {
  return new LeatError("FILE_READER_DIED", { message: `The process that read it ${how}.`, cause });
}

function needsMemory(memoryBytesMax: number, bytes?: number): LeatError {
  return new LeatError("FILE_NEEDS_MEMORY", {
    message: `Reading took more than ${memoryBytesMax} bytes of memory; the process was ended.`,
    details: { memoryBytesMax, ...(bytes !== undefined && { bytes }) },
  });
}
