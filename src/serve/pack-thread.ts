/** A thread over versions in shared memory, seen from the server: it starts with the first version, and again if it dies. */
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { LeatError } from "../errors/leat-error.ts";
import type { PackMemory } from "./pack.ts";

/** What every such thread is told. */
export type PackMessage = Readonly<{ do: "add"; id: string; pack: PackMemory } | { do: "drop"; id: string }>;

type Waiting<Reply> = Readonly<{ resolve: (reply: Reply) => void; reject: (error: Error) => void }>;

export class PackThread<Message extends Readonly<{ do: string }>, Reply extends Readonly<{ job: number }>> {
  readonly #path: string;
  readonly #does: string;
  readonly #waiting = new Map<number, Waiting<Reply>>();
  #worker: Worker | undefined;
  /** Kept for a thread that takes the place of one that died. */
  readonly #packs = new Map<string, PackMemory>();
  #jobs = 0;

  /**
   * @param entry - name of the thread's file, which stands beside this one, as source or as built.
   * @param does - what it does, for messages: `printing`.
   */
  constructor(entry: string, does: string) {
    this.#path = join(import.meta.dirname, `${entry}${extname(import.meta.filename)}`);
    this.#does = does;
  }

  add(id: string, pack: PackMemory): void {
    this.#packs.set(id, pack);
    this.#send({ do: "add", id, pack });
  }

  drop(id: string): void {
    this.#packs.delete(id);
    if (this.#worker !== undefined) this.#send({ do: "drop", id });
  }

  /** Number of a new job. */
  begin(): number {
    return ++this.#jobs;
  }

  post(message: Message): void {
    this.#send(message);
  }

  /** Posts a message and waits for what is said of its job next. */
  async ask(job: number, message: Message): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    this.#waiting.set(job, { resolve, reject });
    this.#send(message);
    return await promise;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #send(message: Message | PackMessage): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(this.#path);
    worker.unref(); // A server that closes nothing must still be able to end.
    worker.on("message", (reply: Reply) => {
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
        reject(new LeatError("INTERNAL", { message: `The ${this.#does} thread has ended.`, cause }));
      this.#waiting.clear();
    });
    for (const [id, pack] of this.#packs) worker.postMessage({ do: "add", id, pack } satisfies PackMessage);
    return worker;
  }
}
