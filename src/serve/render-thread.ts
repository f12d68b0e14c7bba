/** The printing thread, seen from the server. */
import { LeatError } from "../errors/leat-error.ts";
import type { PackMemory } from "./pack.ts";
import { PackThread } from "./pack-thread.ts";
import type { RenderJob, RenderMessage, RenderReply } from "./render-messages.ts";

/** Prints exports beside the event loop. */
export class RenderThread {
  readonly #thread = new PackThread<RenderMessage, RenderReply>("render-worker", "printing");

  add(id: string, pack: PackMemory): void {
    this.#thread.add(id, pack);
  }

  drop(id: string): void {
    this.#thread.drop(id);
  }

  /** Prints piece by piece; a piece is made when the one before was taken. */
  async *print(asked: RenderJob): AsyncGenerator<Uint8Array, void, void> {
    const job = this.#thread.begin();
    let isEnd = false;
    try {
      let reply = await this.#thread.ask(job, { do: "open", job, asked });
      for (;;) {
        if (!("piece" in reply)) throw failed(reply);
        isEnd = reply.isEnd;
        if (reply.piece.length > 0) yield reply.piece;
        if (isEnd) return;
        reply = await this.#thread.ask(job, { do: "next", job });
      }
    } finally {
      if (!isEnd) this.#thread.post({ do: "end", job });
    }
  }

  /** Writes an export to a file; its size, or `undefined` when it would have become too large or was given up. */
  async write(
    asked: RenderJob,
    path: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const job = this.#thread.begin();
    const stop = (): void => this.#thread.post({ do: "end", job });
    signal.addEventListener("abort", stop, { once: true });
    try {
      const reply = await this.#thread.ask(job, { do: "write", job, asked, path, bytesMax });
      if (!("bytes" in reply)) throw failed(reply);
      return reply.bytes;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }
}

const failed = (reply: RenderReply): LeatError =>
  new LeatError("INTERNAL", {
    message: `An export failed: ${"error" in reply ? reply.error : "no piece came"}.`,
  });
