/** Checks what a source says of how it is reached: credentials, headers, limits, waits. */
import { z } from "zod";
import { durationSchema } from "../stream-declaration/duration.ts";
import { type Faults, strictObject } from "../stream-declaration/faults.ts";
import { type Auth, checkAuth, compileCredential } from "./check-auth.ts";
import type { RateLimit } from "./rate-limiter.ts";
import { type RetryBudget, retryDefault } from "./retry-policy.ts";
import type { Template } from "./template.ts";
import { type Timeouts, timeoutDefaults } from "./transport.ts";

/** How a source is reached: complete and compiled. */
export type Access = Readonly<{
  auth: Auth;
  headers: readonly (readonly [string, Template])[];
  rateLimit: RateLimit;
  timeouts: Timeouts;
  retry: RetryBudget;
}>;

type AccessMembers = {
  auth: unknown;
  headers: Record<string, string>;
  rateLimit: {
    requests?: number | undefined;
    perMs?: number | undefined;
    concurrency?: number | undefined;
  };
  timeouts: {
    connect?: number | undefined;
    headers?: number | undefined;
    body?: number | undefined;
  };
  retry: { tries?: number | undefined; total?: number | undefined };
};

/** Schemas of the members of a declaration, for `checkMembers`. */
export const accessMembers: { readonly [Key in keyof AccessMembers]: z.ZodType<AccessMembers[Key]> } = {
  auth: z.unknown(),
  headers: z.record(z.string(), z.string()).default({}),
  rateLimit: strictObject({
    requests: z.int().min(1).max(100_000).optional(),
    perMs: z.number().positive().optional(),
    concurrency: z.int().min(1).max(256).optional(),
  }).default({}),
  timeouts: strictObject({
    connect: durationSchema.optional(),
    headers: durationSchema.optional(),
    body: durationSchema.optional(),
  }).default({}),
  retry: strictObject({
    tries: z.int().min(1).max(100).optional(),
    total: durationSchema.optional(),
  }).default({}),
};

/**
 * Compiles what {@link accessMembers} let through; a wrong member is missing.
 *
 * @param concurrencyDefault - requests at once where none are declared.
 */
export function toAccess(
  faults: Faults,
  checked: { [Key in keyof AccessMembers]?: AccessMembers[Key] },
  concurrencyDefault: number,
): Access {
  const { requests, perMs, concurrency = concurrencyDefault } = checked.rateLimit ?? {};
  if ((requests === undefined) !== (perMs === undefined)) {
    faults.add(["rateLimit"], "`requests` and `perMs` are declared together");
  }
  const { connect, headers, body } = checked.timeouts ?? {};
  return {
    auth: checkAuth(faults, ["auth"], checked.auth),
    headers: Object.entries(checked.headers ?? {}).map(
      ([header, text]) =>
        [header.toLowerCase(), compileCredential(faults, ["headers", header], text)] as const,
    ),
    rateLimit: { requests: requests ?? 1, perMs: requests === undefined ? 0 : (perMs ?? 0), concurrency },
    timeouts: {
      connectMs: connect ?? timeoutDefaults.connectMs,
      headersMs: headers ?? timeoutDefaults.headersMs,
      bodyMs: body ?? timeoutDefaults.bodyMs,
    },
    retry: {
      tries: checked.retry?.tries ?? retryDefault.tries,
      totalMs: checked.retry?.total ?? retryDefault.totalMs,
    },
  };
}

/** Origins that a source's credentials may be sent to as well. */
export function checkOrigins(faults: Faults, declared: readonly string[]): string[] {
  return declared.map((text, index) => {
    const isOrigin = URL.canParse(text) && /^https?:/.test(text) && new URL(text).pathname === "/";
    if (!isOrigin)
      faults.add(
        ["allowedOrigins", index],
        `${JSON.stringify(text)} is not an origin such as https://api.example.com`,
      );
    return isOrigin ? new URL(text).origin : text;
  });
}
