/** Checks a declared REST source at once, all faults together, and compiles it. */
import { z } from "zod";
import type { JsonValue } from "../../model/json-value.ts";
import type { Tenant } from "../../ports/source.ts";
import { type Auth, checkAuth, compileCredential } from "../http/check-auth.ts";
import type { RateLimit } from "../http/rate-limiter.ts";
import { type RetryBudget, retryDefault } from "../http/retry-policy.ts";
import { isTemplate, parseTemplate, type Template, usedValues } from "../http/template.ts";
import { type Timeouts, timeoutDefaults } from "../http/transport.ts";
import { checkBetweenStreams, checkName } from "../stream-declaration/check-stream.ts";
import { deepFreeze } from "../stream-declaration/deep-freeze.ts";
import { durationSchema } from "../stream-declaration/duration.ts";
import { checkMembers, Faults, strictObject } from "../stream-declaration/faults.ts";
import { checkRestStream, type RestStream } from "./check-rest-stream.ts";
import type { RestDeclaration } from "./rest-declaration.ts";

/** A declaration as the reader uses it: complete and compiled. */
export type RestPlan = Readonly<{
  name: string;
  baseUrl: Template | ((tenant: Tenant) => string);
  auth: Auth;
  headers: readonly (readonly [string, Template])[];
  allowedOrigins: readonly string[];
  rateLimit: RateLimit;
  timeouts: Timeouts;
  retry: RetryBudget;
  streams: readonly RestStream[];
}>;

/** No partner takes four requests at once for an attack, and one slow answer does not stop every stream. */
const concurrencyDefault = 4;

const members = {
  name: z.string({ error: () => "name the source" }),
  baseUrl: z.union(
    [z.string().min(1), z.custom<(tenant: Tenant) => string>((input) => typeof input === "function")],
    {
      error: () => "write an address such as https://api.example.com/v1, or a function of the tenant",
    },
  ),
  auth: z.unknown(),
  headers: z.record(z.string(), z.string()).default({}),
  allowedOrigins: z.array(z.string()).default([]),
  rateLimit: strictObject({
    requests: z.int().min(1).max(100_000).optional(),
    perMs: z.number().positive().optional(),
    concurrency: z.int().min(1).max(256).default(concurrencyDefault),
  }).default({ concurrency: concurrencyDefault }),
  timeouts: strictObject({
    connect: durationSchema.optional(),
    headers: durationSchema.optional(),
    body: durationSchema.optional(),
  }).default({}),
  retry: strictObject({
    tries: z.int().min(1).max(100).optional(),
    total: durationSchema.optional(),
  }).default({}),
  clockToleranceMs: z.number().min(0).optional(),
  streams: z.unknown(),
} as const satisfies Record<keyof RestDeclaration, z.ZodType>;

/**
 * Checks and compiles.
 *
 * @throws LeatError `CONFIG_INVALID` with every fault and its path.
 */
export function checkRest(declaration: RestDeclaration): RestPlan {
  const faults = new Faults();
  const checked = checkMembers(faults, [], declaration, members);
  const name = checked.name ?? "";
  if (checked.name !== undefined) checkName(faults, ["name"], name);
  const headers = Object.entries(checked.headers ?? {}).map(
    ([header, text]) => [header.toLowerCase(), compileCredential(faults, ["headers", header], text)] as const,
  );
  const allowedOrigins = checkOrigins(faults, checked.allowedOrigins ?? []);
  const rateLimit = toRateLimit(faults, checked.rateLimit);
  const auth = checkAuth(faults, ["auth"], checked.auth);
  const streams: RestStream[] = [];
  const declared = isObject(checked.streams) ? checked.streams : {};
  if (Object.keys(declared).length === 0) faults.add(["streams"], "name at least one stream");
  for (const [stream, input] of Object.entries(declared)) {
    if (!checkName(faults, ["streams", stream], stream)) continue;
    const { clockToleranceMs } = checked;
    streams.push(
      checkRestStream(faults, ["streams", stream], input, { source: name, name: stream, clockToleranceMs }),
    );
  }
  checkBetweenStreams(
    faults,
    streams.map((stream) => stream.spec),
    Object.keys(declared),
  );
  const baseUrl = checkBaseUrl(faults, checked.baseUrl);
  faults.throwIfAny(`The source ${JSON.stringify(name)}`);
  const { connect, headers: headersMs, body } = checked.timeouts ?? {};
  return deepFreeze({
    name,
    baseUrl,
    auth,
    headers,
    allowedOrigins,
    rateLimit,
    timeouts: {
      connectMs: connect ?? timeoutDefaults.connectMs,
      headersMs: headersMs ?? timeoutDefaults.headersMs,
      bodyMs: body ?? timeoutDefaults.bodyMs,
    },
    retry: {
      tries: checked.retry?.tries ?? retryDefault.tries,
      totalMs: checked.retry?.total ?? retryDefault.totalMs,
    },
    streams,
  });
}

function checkBaseUrl(
  faults: Faults,
  declared: string | ((tenant: Tenant) => string) | undefined,
): Template | ((tenant: Tenant) => string) {
  if (declared === undefined) return [];
  if (typeof declared === "function") return declared;
  const parsed = parseTemplate(declared);
  if (!isTemplate(parsed)) {
    faults.add(["baseUrl"], parsed.fault);
    return [];
  }
  for (const value of usedValues(parsed))
    faults.add(["baseUrl"], `{${value}} changes with each request; put it into a stream's path`);
  if (parsed.some((part) => typeof part === "object" && "secret" in part)) {
    faults.add(["baseUrl"], "an address is shown in messages; a secret cannot be part of it");
  }
  const first = parsed[0];
  // A base that begins with a tenant's field is looked at when a tenant is opened.
  if (typeof first === "string") {
    const fault = baseUrlFault(parsed.map((part) => (typeof part === "string" ? part : "x")).join(""));
    if (fault !== undefined) faults.add(["baseUrl"], `${JSON.stringify(declared)} ${fault}`);
  }
  return parsed;
}

/** What is wrong with a base address, if anything. */
export function baseUrlFault(address: string): string | undefined {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return "is not an http(s) address";
  const url = new URL(address);
  if (url.username !== "" || url.password !== "") return "holds a credential; use `auth`";
  if (url.search !== "" || url.hash !== "") return "has a query or fragment; use `params` of the streams";
  return undefined;
}

function checkOrigins(faults: Faults, declared: readonly string[]): string[] {
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

function toRateLimit(
  faults: Faults,
  declared: { requests?: number | undefined; perMs?: number | undefined; concurrency: number } | undefined,
): RateLimit {
  const { requests, perMs, concurrency = concurrencyDefault } = declared ?? {};
  if ((requests === undefined) !== (perMs === undefined)) {
    faults.add(["rateLimit"], "`requests` and `perMs` are declared together");
  }
  return { requests: requests ?? 1, perMs: requests === undefined ? 0 : (perMs ?? 0), concurrency };
}

function isObject(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
