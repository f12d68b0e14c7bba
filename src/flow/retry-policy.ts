/** How often and how soon a failed task or run is tried again. */
import { z } from "zod";
import { isLeatError } from "../errors/leat-error.ts";
import { spanSchema } from "./span.ts";

/** Retries that one declaration may ask for. */
const retriesMax = 100;

/** How a task or flow is tried again; a number alone is `max`. */
export type RetryOptions =
  | number
  | Readonly<{
      /** Tries after the first. */
      max: number;
      /** Pause before the first retry, default `"1s"`. */
      delay?: string | number;
      /** What each further pause is multiplied by, default 2. */
      factor?: number;
      /** Longest pause, default `"1m"`. */
      delayMax?: string | number;
      /** Share of a pause that is random, 0 to 1, default 0.2: those that failed together do not come back together. */
      jitter?: number;
    }>;

/** Checked, complete retries. */
export type RetryPolicy = Readonly<{
  max: number;
  delayMs: number;
  factor: number;
  delayMsMax: number;
  jitter: number;
}>;

const maxSchema = z.int("must be a whole number").min(0, "must be at least 0").max(retriesMax);

const policySchema = z.strictObject({
  max: maxSchema,
  delay: spanSchema.default(1000),
  factor: z.number().min(1, "must be at least 1").max(10).default(2),
  delayMax: spanSchema.default(60_000),
  jitter: z.number().min(0).max(1, "must be a share from 0 to 1").default(0.2),
});

export const retrySchema: z.ZodType<RetryPolicy, unknown> = z
  .preprocess((input) => (typeof input === "number" ? { max: input } : input), policySchema)
  .transform(({ max, delay, factor, delayMax, jitter }) => ({
    max,
    delayMs: delay,
    factor,
    delayMsMax: delayMax,
    jitter,
  }));

/** Nothing is tried again. */
export const noRetries: RetryPolicy = { max: 0, delayMs: 1000, factor: 2, delayMsMax: 60_000, jitter: 0.2 };

/**
 * Pause before a retry.
 *
 * @param number - 1 for the first retry.
 * @param fraction - randomness, `0 <= x < 1`.
 */
export function retryDelayMs(policy: RetryPolicy, number: number, fraction: number): number {
  const ms = Math.min(policy.delayMs * policy.factor ** (number - 1), policy.delayMsMax);
  return Math.round(ms * (1 + policy.jitter * (2 * fraction - 1)));
}

/** What is tried again where nobody says otherwise: all that is not known to fail in the same way. */
export const isRetryable = (error: unknown): boolean => !isLeatError(error) || error.retryable;
