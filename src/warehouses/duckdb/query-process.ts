/** The process that runs queries, seen from the server: calls, their limits in time, and its end. */
import { type ChildProcess, fork } from "node:child_process";
import { extname, join } from "node:path";
import { LeatError } from "../../errors/leat-error.ts";
import {
  type CallMessage,
  type CallName,
  fromSentError,
  type QueryCalls,
  type ReplyMessage,
} from "./query-calls.ts";

/** Beside this file, as source or as built. */
const childPath = join(import.meta.dirname, `query-child${extname(import.meta.filename)}`);

/** JavaScript's own memory in the process, MiB: it holds a chunk of rows, or the texts of one page. */
const heapMegabytesMax = 512;

/** Limits of one call. */
export type CallLimits = Readonly<{ timeoutMs: number; graceMs: number; signal: AbortSignal | undefined }>;

type Pending = Readonly<{ resolve: (answer: unknown) => void; reject: (error: Error) => void }>;

/** A running process. */
export class QueryProcess {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #residentBytesMax: number;
  #calls = 0;
  /** Why the process was ended by us; the queries that it takes along are told. */
  #endReason: LeatError | undefined;
  isOver = false;

  constructor(residentBytesMax: number) {
    this.#residentBytesMax = residentBytesMax;
    this.#child = fork(childPath, {
      // Nothing of ours: no secret of the server is within reach of a query.
      env: {},
      execArgv: [`--max-old-space-size=${heapMegabytesMax}`],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child.on("message", (message) => this.#take(message as ReplyMessage)); // Nobody else has the channel.
    this.#child.once("error", (cause) => this.#over(cause));
    this.#child.once("exit", () => this.#over(undefined));
  }

  /** Makes a call. Its answer comes, or an error: the call's own, of its limits, or that the process is gone. */
  async call<Name extends CallName>(
    name: Name,
    asked: QueryCalls[Name]["asked"],
    limits: CallLimits,
  ): Promise<QueryCalls[Name]["answer"]> {
    if (this.isOver) throw lost(undefined);
    throwIfStopped(limits.signal);
    const call = ++this.#calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.set(call, { resolve, reject });
    let isTooLong = false;
    let grace: NodeJS.Timeout | undefined;
    const stop = (): void => {
      if (grace !== undefined) return;
      this.#send({ call, name: "stop" });
      // Some functions of the engine do not look whether they were interrupted.
      grace = setTimeout(() => this.#kill("A query could not be stopped."), limits.graceMs);
    };
    const timer = setTimeout(() => {
      isTooLong = true;
      stop();
    }, limits.timeoutMs);
    limits.signal?.addEventListener("abort", stop, { once: true });
    try {
      this.#send({ call, name, asked } as CallMessage); // One of the union: name and question belong together.
      return (await promise) as QueryCalls[Name]["answer"]; // What the process answers to this name.
    } catch (error) {
      throwIfStopped(limits.signal);
      if (!isTooLong) throw error;
      throw new LeatError("QUERY_TIMEOUT", {
        message: `The query took longer than ${limits.timeoutMs} ms and was stopped.`,
        details: { timeoutMs: limits.timeoutMs },
      });
    } finally {
      clearTimeout(timer);
      clearTimeout(grace);
      limits.signal?.removeEventListener("abort", stop);
      this.#pending.delete(call);
    }
  }

  /** Ends the process and waits for it. */
  async end(): Promise<void> {
    if (this.isOver) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once("exit", () => resolve());
    this.#kill("The query engine was closed.");
    await promise;
  }

  #send(message: CallMessage): void {
    // A channel that has just broken: `exit` follows and rejects every call.
    this.#child.send(message, () => {});
  }

  #take(message: ReplyMessage): void {
    if ("residentBytes" in message) {
      if (message.residentBytes > this.#residentBytesMax)
        this.#kill("A query took more memory than it may.", "QUERY_MEMORY");
      return;
    }
    const pending = this.#pending.get(message.call);
    if ("error" in message) pending?.reject(fromSentError(message.error));
    else pending?.resolve(message.answer);
  }

  #kill(message: string, code: "QUERY_ENGINE_LOST" | "QUERY_MEMORY" = "QUERY_ENGINE_LOST"): void {
    this.#endReason ??= new LeatError(code, { message });
    this.#child.kill("SIGKILL");
  }

  #over(cause: Error | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const { reject } of this.#pending.values()) reject(this.#endReason ?? lost(cause));
  }
}

const lost = (cause: unknown): LeatError =>
  new LeatError("QUERY_ENGINE_LOST", { message: "The process that runs queries has ended.", cause });

function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new LeatError("INTERRUPTED", { message: "The query was stopped.", cause: signal.reason });
}
