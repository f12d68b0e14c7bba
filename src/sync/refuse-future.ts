/** A cursor in the future is refused: until then nothing would be fetched, and nobody would be told. */
import { LeatError } from "../errors/leat-error.ts";
import { type CursorValue, formatTimestamp } from "../model/cursor.ts";
import type { StreamSpec } from "../model/stream.ts";

/**
 * @param asked - `option`: what the value was given as, for the message.
 * @throws LeatError `CURSOR_INVALID`.
 */
export function refuseFuture(
  spec: StreamSpec,
  to: CursorValue,
  { nowMs, option }: Readonly<{ nowMs: number; option: string }>,
): void {
  const latestMs = nowMs + spec.bounds.clockToleranceMs;
  if (spec.cursor?.format === "integer" || to <= BigInt(Math.ceil(latestMs)) * 1000n) return;
  throw new LeatError("CURSOR_INVALID", {
    message: `${spec.source}.${spec.name}: ${option} ${formatTimestamp(to)} is in the future; nothing was changed.`,
    hint: "Give a time that has been, or compare this machine's clock with another.",
    details: { source: spec.source, stream: spec.name },
  });
}
