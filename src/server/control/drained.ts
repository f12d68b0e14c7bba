/** Waits for a slow reader, so that nothing piles up on this side. */
import type { FastifyReply } from "fastify";

/** Resolves when more may be written, or when the reader has gone. */
export const drained = (raw: FastifyReply["raw"], gone: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      raw.off("drain", done);
      gone.removeEventListener("abort", done);
      resolve();
    };
    raw.once("drain", done);
    gone.addEventListener("abort", done, { once: true });
    if (gone.aborted) done();
  });
