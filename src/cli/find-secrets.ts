/** Which secrets a project needs, by reference: found by asking its sources what requests would need, and its shares. */
import { LeatError } from "../errors/leat-error.ts";
import type { JsonValue } from "../model/json-value.ts";
import type { Project } from "../ports/project.ts";
import type { Tenant } from "../ports/source.ts";
import type { Places, Secrets } from "../ports/world.ts";
import { chooseShares } from "../share/choose-shares.ts";
import { choosePairs } from "../sync/choose-pairs.ts";
import { systemClock, systemRandom } from "./system-world.ts";

/** References, each once, in order. */
export type FoundSecrets = Readonly<{
  /** Names of variables: `env:NAME`. */
  variables: readonly string[];
  /** Secrets of Secret Manager, as referred to. */
  google: readonly string[];
}>;

/**
 * Finds them. No request is sent and no value is read: sources are given something else instead.
 *
 * @throws LeatError `CONFIG_INVALID` for secrets in files, which a container does not have.
 */
export async function findSecrets(
  project: Project,
  tenants: readonly Tenant[],
  places: Places,
): Promise<FoundSecrets> {
  const references = new Set<string>();
  for (const text of tenants.flatMap(({ fields }) => textsOf(Object.values(fields)))) {
    // A tenant's `file:` may be a folder that is read, and no secret.
    if (/^(env:[A-Za-z_]\w*|gcp-secret:projects\/.+)$/.test(text)) references.add(text);
  }
  const secrets: Secrets = {
    async resolve(reference) {
      references.add(reference);
      return "not-the-secret";
    },
  };
  const world = { clock: systemClock, random: systemRandom, secrets, places, progress: () => {} };
  for (const { source, spec, tenants: own } of choosePairs({ project, tenants })) {
    for (const tenant of own) {
      if (source.openFiles !== undefined) continue; // They have no check; what tenants name was found above.
      const reader = await source.open(spec.name, tenant, world);
      try {
        await reader.check?.();
      } finally {
        await reader.close();
      }
    }
  }
  for (const { share, tenant } of chooseShares(project, tenants, [], [], false)) {
    const address = share.to(tenant);
    if (/^(env|file|gcp-secret):/.test(address)) references.add(address);
  }
  for (const { salt, tables } of project.shares) {
    const isMasking = tables.some(({ columns }) => columns?.some(({ isMasked }) => isMasked));
    if (salt !== undefined && isMasking) references.add(salt);
  }
  const sorted = [...references].sort();
  const file = sorted.find((reference) => reference.startsWith("file:"));
  if (file !== undefined) {
    throw new LeatError("CONFIG_INVALID", {
      message: `The secret ${file} is a file on this machine, which the service does not have.`,
      hint: "Refer to it as env:NAME or gcp-secret:projects/…/secrets/….",
    });
  }
  const named = (scheme: string): string[] =>
    sorted.filter((one) => one.startsWith(scheme)).map((one) => one.slice(scheme.length));
  return { variables: named("env:"), google: named("gcp-secret:") };
}

/** Every text in a value, at any depth. */
function textsOf(value: JsonValue | readonly JsonValue[]): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((one) => textsOf(one as JsonValue)); // Members of JSON are JSON.
}
