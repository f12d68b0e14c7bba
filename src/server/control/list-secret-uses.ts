/** Which secrets a project refers to, and what uses them: found by asking its sources what requests would need. */
import type { JsonValue } from "../../model/json-value.ts";
import type { ShareSpec } from "../../ports/share.ts";
import type { Tenant } from "../../ports/source.ts";
import type { Secrets } from "../../ports/world.ts";
import { choosePairs } from "../../sync/choose-pairs.ts";
import type { ControlPorts } from "./control-ports.ts";

/** Tenants that are looked at for what sources need of them; what their own fields name is found for all. */
const tenantsAsked = 50;

/** Names of users told of one secret. */
const usersMax = 20;

/** A reference as people write it. */
const form = /^(env:[A-Za-z_]\w*|gcp-secret:projects\/.+)$/;

/** Users by reference. No request is sent, and no value is read: sources are given something else instead. */
export async function listSecretUses(ports: ControlPorts): Promise<ReadonlyMap<string, readonly string[]>> {
  const uses = new Map<string, Set<string>>();
  const add = (reference: string, user: string): void => {
    const users = uses.get(reference) ?? new Set();
    if (users.size < usersMax) users.add(user);
    uses.set(reference, users);
  };
  const tenants = ports.readTenants();
  for (const { id, fields } of tenants)
    for (const text of textsOf(Object.values(fields))) if (form.test(text)) add(text, `tenant ${id}`);
  for (const { source, spec, tenants: own } of choosePairs({ project: ports.project, tenants })) {
    if (source.openFiles !== undefined) continue; // They have no check; what tenants name was found above.
    const secrets: Secrets = {
      async resolve(reference) {
        add(reference, `source ${source.name}`);
        return "not-the-secret";
      },
    };
    const { clock, random, places } = ports;
    const world = { clock, random, secrets, places, progress: () => {} };
    for (const tenant of own.slice(0, tenantsAsked)) {
      try {
        const reader = await source.open(spec.name, tenant, world);
        try {
          await reader.check?.();
        } finally {
          await reader.close();
        }
      } catch {
        // A tenant without a field that the source needs: `leat check` tells of it, and it names no secret here.
      }
    }
  }
  for (const share of ports.project.shares) {
    if (share.salt !== undefined) add(share.salt, `share ${share.name}`);
    for (const tenant of tenants.slice(0, tenantsAsked)) {
      if (share.tenants?.includes(tenant.id) === false) continue;
      const to = addressOf(share, tenant);
      if (to !== undefined && form.test(to)) add(to, `share ${share.name}, tenant ${tenant.id}`);
    }
  }
  for (const { name, triggers, notify } of ports.registry.deployments) {
    for (const trigger of triggers) {
      const match = trigger.on === "absence" ? trigger.of : trigger;
      if (match.on === "webhook") add(match.secret, `webhook ${match.webhook}`);
    }
    for (const notice of notify) {
      const references = notice.to === "mail" ? [notice.smtp] : [notice.url];
      if (notice.to === "webhook" && notice.token !== undefined) references.push(notice.token);
      for (const reference of references) add(reference, `notices of ${name}`);
    }
  }
  return new Map([...uses].map(([reference, users]) => [reference, [...users]]));
}

/** Where a tenant's rows go; `undefined`: the project's function does not say, which the share itself tells of. */
function addressOf(share: ShareSpec, tenant: Tenant): string | undefined {
  try {
    const to: unknown = share.to(tenant);
    return typeof to === "string" ? to : undefined;
  } catch {
    return undefined;
  }
}

/** Every text in a value, at any depth. */
function textsOf(value: JsonValue | readonly JsonValue[]): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((one) => textsOf(one as JsonValue)); // Members of JSON are JSON.
}
