/** Reads and checks the tenants: a JSON file, or the list in the configuration. */
import { readFileSync } from "node:fs";
import { type Fault, refuseFaults } from "../errors/faults.ts";
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { toTenantId } from "../model/ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../model/json-value.ts";
import { tenantless, unknownTenants } from "../model/source-tenants.ts";
import { projectDefaults, type TenantDeclaration } from "../ports/project.ts";
import type { Source, Tenant } from "../ports/source.ts";
import { isMissing } from "./environment.ts";
import { resolvePlace } from "./location.ts";

/** What is known of where tenants are. */
export type TenantsChoice = Readonly<{
  /** The project's `tenants`; `undefined`: not configured. */
  declared: string | readonly TenantDeclaration[] | undefined;
  /** `LEAT_TENANTS`: a path. */
  variable: string | undefined;
  /** The project's folder; relative paths begin there. */
  folder: string;
  /** What may name some of them. */
  sources: readonly Source[];
}>;

/**
 * Reads the tenants. Cheap enough to be called for every request, so that a new tenant needs no restart.
 *
 * @returns at least one tenant, in the order of the file.
 * @throws LeatError `TENANTS_INVALID` with every fault and the positions of twins; `TENANT_UNKNOWN` where a source names
 *   one that is not among them.
 */
export function readTenants(choice: TenantsChoice): readonly Tenant[] {
  const tenants = readAll(choice);
  const known: readonly string[] = tenants.map(({ id }) => id);
  for (const source of choice.sources) {
    const [unknown] = unknownTenants(source, known);
    if (unknown === undefined) continue;
    throw new LeatError("TENANT_UNKNOWN", {
      message: `The source "${source.name}" names tenant "${unknown}", which the project does not have.`,
      hint: `${hintOfKnown(unknown, "tenants", known)} Mend \`tenants\` of the source, or add the tenant.`,
      details: { source: source.name, tenant: unknown, known: known.slice(0, knownTenantsMax) },
    });
  }
  return tenants;
}

/** Ids told in an error's details. */
const knownTenantsMax = 100;

function readAll(choice: TenantsChoice): readonly Tenant[] {
  const declared =
    choice.variable !== undefined && choice.variable !== "" ? choice.variable : choice.declared;
  if (Array.isArray(declared)) return checkTenants(declared, "The tenants of the project");
  const isConfigured = declared !== undefined;
  // An array was dealt with above; `Array.isArray` does not narrow readonly arrays away.
  const path = resolvePlace(choice.folder, (declared as string | undefined) ?? projectDefaults.tenants);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error) && !isConfigured) return [tenantless];
    throw new LeatError("TENANTS_INVALID", {
      message: `The tenants file ${path} cannot be read${isMissing(error) ? ": there is none" : ""}.`,
      hint: "Name the right file as `tenants` of the project or as LEAT_TENANTS.",
      cause: error,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new LeatError("TENANTS_INVALID", {
      // The parser's own message quotes the text around the fault, which may be a credential.
      message: `The tenants file ${path} is not JSON${describePosition(text, error)}.`,
      hint: 'Write a list of objects with distinct ids: [{ "id": "414" }, { "id": "415" }].',
    });
  }
  return checkTenants(parsed, `The tenants file ${path}`);
}

function describePosition(text: string, error: unknown): string {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
  if (position === undefined) return "";
  const before = text.slice(0, Number(position)).split("\n");
  return ` (line ${before.length}, column ${before.at(-1)!.length + 1})`;
}

function checkTenants(value: unknown, what: string): readonly Tenant[] {
  const faults: Fault[] = [];
  const tenants: Tenant[] = [];
  if (!Array.isArray(value)) {
    refuseFaults([{ path: "(the whole)", problem: "must be a list of tenants" }], what, "TENANTS_INVALID");
    return [];
  }
  if (value.length === 0) faults.push({ path: "(the whole)", problem: "must name at least one tenant" });
  const firstAt = new Map<string, number>();
  for (const [index, entry] of value.entries()) {
    if (!isJsonObject(entry)) {
      faults.push({ path: `[${index}]`, problem: "must be an object with an id" });
      continue;
    }
    const { id, ...fields } = entry as JsonObject & { id?: JsonValue };
    const problem = describeIdProblem(id);
    if (problem !== undefined) {
      faults.push({ path: `[${index}].id`, problem });
      continue;
    }
    const name = id as string; // `describeIdProblem` found nothing wrong.
    const twin = firstAt.get(name);
    if (twin === undefined) firstAt.set(name, index);
    else faults.push({ path: `[${index}].id`, problem: `"${name}" is also the id of [${twin}]` });
    tenants.push(Object.freeze({ id: toTenantId(name), fields: Object.freeze(fields) }));
  }
  refuseFaults(faults, what, "TENANTS_INVALID");
  return Object.freeze(tenants);
}

function describeIdProblem(id: JsonValue | undefined): string | undefined {
  if (id === undefined) return "is missing";
  if (typeof id === "number") return `must be text: write "${id}"`;
  if (typeof id !== "string") return "must be text";
  if (id === "") return "must not be empty";
  return id.isWellFormed() ? undefined : "is not well-formed text";
}
