/** The printing thread, seen from the server. */
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { LeatError } from "../errors/leat-error.ts";
import type { PackMemory } from "./pack.ts";
import type { RenderJob, RenderMessage, RenderReply } from "./render-messages.ts";

/** Beside this file, as source or as built. */
const workerPath = join(import.meta.dirname, `render-worker${extname(import.meta.filename)}`);

type Waiting = Readonly<{ resolve: (reply: RenderReply) => void; reject: (error: Error) => void }>;

/** Prints exports beside the event loop. Starts with the first version that is added. */
export class RenderThread {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  /** Kept for a thread that takes the place of one that died. */
  readonly #packs = new Map<string, PackMemory>();
  #jobs = 0;

  add(id: string, pack: PackMemory): void {
    this.#packs.set(id, pack);
    this.#post({ do: "add", id, pack });
  }

  drop(id: string): void {
    this.#packs.delete(id);
    if (this.#worker !== undefined) this.#post({ do: "drop", id });
  }

  /** Prints piece by piece; a piece is made when the one before was taken. */
  async *print(asked: RenderJob): AsyncGenerator<Uint8Array, void, void> {
    const job = ++this.#jobs;
    let isEnd = false;
    try {
      let reply = await this.#ask(job, { do: "open", job, asked });
      for (;;) {
        if (!("piece" in reply)) throw failed(reply);
        isEnd = reply.isEnd;
        if (reply.piece.length > 0) yield reply.piece;
        if (isEnd) return;
        reply = await this.#ask(job, { do: "next", job });
      }
    } finally {
      if (!isEnd) this.#post({ do: "end", job });
    }
  }

  /** Writes an export to a file; its size, or `undefined` when it would have become too large or was given up. */
  async write(
    asked: RenderJob,
    path: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const job = ++this.#jobs;
    const stop = (): void => this.#post({ do: "end", job });
    signal.addEventListener("abort", stop, { once: true });
    try {
      const reply = await this.#ask(job, { do: "write", job, asked, path, bytesMax });
      if (!("bytes" in reply)) throw failed(reply);
      return reply.bytes;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #ask(job: number, message: RenderMessage): Promise<RenderReply> {
    const { promise, resolve, reject } = Promise.withResolvers<RenderReply>();
    this.#waiting.set(job, { resolve, reject });
    this.#post(message);
    return await promise;
  }

  #post(message: RenderMessage): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(workerPath);
    worker.unref(); // A server that closes nothing must still be able to end.
    worker.on("message", (reply: RenderReply) => {
      const waiting = this.#waiting.get(reply.job);
      this.#waiting.delete(reply.job);
      waiting?.resolve(reply);
    });
    let cause: unknown;
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values())
        reject(new LeatError("INTERNAL", { message: "The printing thread has ended.", cause }));
      this.#waiting.clear();
    });
    for (const [id, pack] of this.#packs) worker.postMessage({ do: "add", id, pack } satisfies RenderMessage);
    return worker;
  }
}

const failed = (reply: RenderReply): LeatError =>
  new LeatError("INTERNAL", {
    message: `An export failed: ${"error" in reply ? reply.error : "no piece came"}.`,
  });
