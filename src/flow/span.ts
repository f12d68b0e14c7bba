/** Spans of time in declarations of flows: `15m`, `24h`, or milliseconds. */
import { z } from "zod";
import { parseDuration } from "../model/duration.ts";

/** A span as milliseconds. */
export const spanSchema: z.ZodType<number, unknown> = z
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
