/** Spans of time as people write them: `15m`, `24h`, `1h30m`, or a number of milliseconds. */
import { z } from "zod";

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Parses a span.
 *
 * @param text - whole numbers with `d`, `h`, `m`, `s` or `ms`, largest first: `24h`, `1h30m`, `500ms`.
 * @returns milliseconds, or `undefined` when the text is not a span.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+d)?(\d+h)?(\d+m(?!s))?(\d+s)?(\d+ms)?$/.test(text) || text === "") return undefined;
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[dhms])/g)) totalMs += Number(count) * unitMs[unit!]!;
  return Number.isSafeInteger(totalMs) ? totalMs : undefined;
}

/** A span in a declaration, as milliseconds. */
export const durationSchema: z.ZodType<number, unknown> = z
  .union([z.number(), z.string()], { error: () => `write a span such as "15m" or a number of milliseconds` })
  .transform((input, context) => {
    const ms = typeof input === "number" ? input : parseDuration(input);
    if (ms !== undefined && Number.isFinite(ms) && ms >= 0) return ms;
    context.addIssue({
      code: "custom",
      message: `${JSON.stringify(input)} is not a span; write "500ms", "30s", "15m", "24h", "7d", or milliseconds`,
    });
    return z.NEVER;
  });
