/** Checks a declared REST source at once, all faults together, and compiles it. */
import { z } from "zod";
import type { JsonValue } from "../../model/json-value.ts";
import type { SourceTenants } from "../../model/source-tenants.ts";
import type { Tenant } from "../../ports/source.ts";
import { type Access, accessMembers, checkOrigins, toAccess } from "../http/check-access.ts";
import { isTemplate, parseTemplate, type Template, usedValues } from "../http/template.ts";
import { checkBetweenStreams, checkName } from "../stream-declaration/check-stream.ts";
import { deepFreeze } from "../stream-declaration/deep-freeze.ts";
import { checkMembers, Faults } from "../stream-declaration/faults.ts";
import { sourceTenantsSchema } from "../stream-declaration/source-tenants.ts";
import { checkRestStream, type RestStream } from "./check-rest-stream.ts";
import type { RestDeclaration } from "./rest-declaration.ts";

/** A declaration as the reader uses it: complete and compiled. */
export type RestPlan = Readonly<{
  name: string;
  tenants: SourceTenants | undefined;
  baseUrl: Template | ((tenant: Tenant) => string);
  access: Access;
  allowedOrigins: readonly string[];
  streams: readonly RestStream[];
}>;

/** No partner takes four requests at once for an attack, and one slow answer does not stop every stream. */
const concurrencyDefault = 4;

const members = {
  name: z.string({ error: () => "name the source" }),
  tenants: sourceTenantsSchema,
  baseUrl: z.union(
    [z.string().min(1), z.custom<(tenant: Tenant) => string>((input) => typeof input === "function")],
    {
      error: () => "write an address such as https://api.example.com/v1, or a function of the tenant",
    },
  ),
  ...accessMembers,
  allowedOrigins: z.array(z.string()).default([]),
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
  const allowedOrigins = checkOrigins(faults, checked.allowedOrigins ?? []);
  const access = toAccess(faults, checked, concurrencyDefault);
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
  return deepFreeze({ name, tenants: checked.tenants, baseUrl, access, allowedOrigins, streams });
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

function isObject(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
