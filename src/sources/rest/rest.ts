/** Describes a REST API by a declaration. */
import { LeatError } from "../../errors/leat-error.ts";
import { type JsonValue, readJsonPath } from "../../model/json-value.ts";
import type { Source, SourceWorld, StreamReader, Tenant } from "../../ports/source.ts";
import { expectRecords } from "../http/answer-check.ts";
import { authTemplates } from "../http/authenticator.ts";
import { Connections } from "../http/connections.ts";
import { Exchange } from "../http/exchange.ts";
import { Lookups, type Template } from "../http/template.ts";
import { deepFreeze } from "../stream-declaration/deep-freeze.ts";
import { unknownKey } from "../stream-declaration/faults.ts";
import { isCounted } from "./check-pagination.ts";
import { baseUrlFault, checkRest, type RestPlan } from "./check-rest.ts";
import type { RestStream } from "./check-rest-stream.ts";
import { type Endpoint, endpointTemplates, planRequest } from "./endpoint.ts";
import { openPager } from "./pager.ts";
import type { RestDeclaration } from "./rest-declaration.ts";
import { RestReader } from "./rest-reader.ts";

/**
 * Makes a source of a declared REST API.
 *
 * Nothing is sent and no secret is looked up before a stream is read.
 *
 * @param declaration - see {@link RestDeclaration}; checked at once.
 * @returns a frozen source with complete streams.
 * @throws LeatError `CONFIG_INVALID` with every fault of the declaration, each with its path.
 */
export function rest(declaration: RestDeclaration): Source {
  const plan = checkRest(declaration);
  const connections = new Connections(plan.access);
  const find = (name: string): RestStream => {
    const stream = plan.streams.find((each) => each.spec.name === name);
    if (stream !== undefined) return stream;
    const known = plan.streams.map((each) => each.spec.name);
    throw new LeatError("STREAM_UNKNOWN", {
      message: `Source "${plan.name}" has no stream ${unknownKey(name, known)}`,
      hint: `Streams of "${plan.name}": ${known.join(", ")}.`,
      details: { source: plan.name, stream: name, known },
    });
  };
  return deepFreeze({
    name: plan.name,
    streams: plan.streams.map((stream) => stream.spec),
    tenants: plan.tenants,
    open: async (name: string, tenant: Tenant, world: SourceWorld): Promise<StreamReader> =>
      openReader(plan, find(name), connections, tenant, world).reader,
    count: (
      name: string,
      tenant: Tenant,
      world: SourceWorld,
      signal: AbortSignal,
    ): Promise<number | undefined> =>
      countRecords(openReader(plan, find(name), connections, tenant, world), signal),
  });
}

type Opened = Readonly<{
  reader: RestReader;
  stream: RestStream;
  endpoint: Endpoint;
  exchange: Exchange;
  lookups: Lookups;
  prepare: () => Promise<Readonly<{ baseUrl: string }>>;
}>;

function openReader(
  plan: RestPlan,
  stream: RestStream,
  connections: Connections,
  tenant: Tenant,
  world: SourceWorld,
): Opened {
  const lookups = new Lookups(tenant, world.secrets);
  const accept =
    stream.selector.form === "lines" ? "application/x-ndjson, application/jsonl, */*" : "application/json";
  const headers = new Map<string, Template>([
    ["accept", [accept]],
    ["user-agent", ["leat"]],
    ...plan.access.headers,
    ...stream.endpoint.headers,
  ]);
  const endpoint: Endpoint = { ...stream.endpoint, headers: [...headers] };
  const { name } = stream.spec;
  const exchange = new Exchange({
    transport: connections.use(),
    clock: world.clock,
    random: world.random,
    retry: plan.access.retry,
    auth: plan.access.auth,
    lookups,
    warn: (message) =>
      world.progress({ type: "warning", source: plan.name, stream: name, tenant: tenant.id, message }),
    ...connections.ofTenant(tenant),
  });
  let prepared: Promise<Readonly<{ baseUrl: string }>> | undefined;
  const prepare = (): Promise<Readonly<{ baseUrl: string }>> => {
    prepared ??= prepareBase(plan, endpoint, tenant, lookups);
    return prepared;
  };
  const release = () => connections.release();
  const { allowedOrigins } = plan;
  const reader = new RestReader({ stream, endpoint, exchange, lookups, allowedOrigins, prepare, release });
  return { reader, stream, endpoint, exchange, lookups, prepare };
}

async function prepareBase(
  plan: RestPlan,
  endpoint: Endpoint,
  tenant: Tenant,
  lookups: Lookups,
): Promise<Readonly<{ baseUrl: string }>> {
  const { baseUrl: declared } = plan;
  const base = typeof declared === "function" ? [] : declared;
  await lookups.resolve([base, ...authTemplates(plan.access.auth), ...endpointTemplates(endpoint)]);
  // A base that is all the tenant's is an address; a part of one must not become more than a part.
  const encode = base.length === 1 ? undefined : encodeURIComponent;
  const baseUrl =
    typeof declared === "function" ? declared(tenant) : (lookups.render(base, {}, encode)?.text ?? "");
  const fault = baseUrlFault(baseUrl);
  if (fault === undefined) return { baseUrl };
  throw new LeatError("TENANTS_INVALID", {
    message: `The base URL of source "${plan.name}" for tenant "${tenant.id}" ${fault}.`,
    hint: `Look at what tenant "${tenant.id}" has for \`baseUrl\` in the tenants file.`,
    details: { source: plan.name, tenant: tenant.id },
  });
}

/** Asks for the first page without a range and reads the partner's own total, where the stream declares one. */
async function countRecords(opened: Opened, signal: AbortSignal): Promise<number | undefined> {
  const { reader, stream, endpoint, exchange, lookups, prepare } = opened;
  try {
    const { pagination, spec } = stream;
    const totalPath = isCounted(pagination) ? pagination.totalPath : undefined;
    // A range is obligatory where it has a greatest span; a partition's total is not the stream's.
    if (
      totalPath === undefined ||
      spec.cursor?.range?.spanMax !== undefined ||
      spec.partitions !== undefined
    ) {
      return undefined;
    }
    const { baseUrl } = await prepare();
    const step = openPager(pagination, "trusted", 1, () => "").first();
    const request = planRequest(endpoint, baseUrl, step.values, step.parameters, lookups);
    const { body } = await exchange.fetch(request, expectRecords(stream.selector.form, []), signal);
    if (body.kind === "stream") {
      body.abort(); // A first page that large is not worth its total.
      return undefined;
    }
    const answer = JSON.parse(Buffer.from(body.bytes).toString("utf8")) as JsonValue; // JSON.parse gives nothing else.
    const total = Number(readJsonPath(answer, totalPath));
    return Number.isSafeInteger(total) ? total : undefined;
  } finally {
    await reader.close();
  }
}
