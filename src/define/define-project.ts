/** A project: its sources, its tenants, and where things live. */
import { z } from "zod";
import { type Fault, faultsOf, refuseFaults } from "../errors/faults.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { unknownTenants } from "../model/source-tenants.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ApiSpec } from "../ports/api-spec.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import {
  type Project,
  type ProjectDeclaration,
  type ProjectDeployment,
  type ProjectFlow,
  projectDefaults,
  type TenantDeclaration,
} from "../ports/project.ts";
import type { ShareSpec } from "../ports/share.ts";
import type { Source } from "../ports/source.ts";
import { checkApis } from "./define-project-apis.ts";
import { checkDatasets } from "./define-project-datasets.ts";
import { checkShares } from "./define-project-shares.ts";
import { checkTransfers } from "./define-project-transfers.ts";

const nameSchema = z
  .string()
  .min(1, "must not be empty")
  .refine((text) => text.isWellFormed(), "is not well-formed text");

const columnSchema = nameSchema
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be letters, digits and _, not beginning with a digit")
  .refine(
    (text) => !text.toLowerCase().startsWith("_leat_"),
    "must not begin with _leat_, which is leat's own",
  );

const isSource = (value: unknown): value is Source =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as Source).name === "string" && // A guard: nothing is known of the value yet.
  Array.isArray((value as Source).streams) &&
  typeof (value as Source).open === "function";

const isDataset = (value: unknown): value is DatasetSpec =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as DatasetSpec).name === "string" && // A guard: nothing is known of the value yet.
  Array.isArray((value as DatasetSpec).columns) &&
  "warehouseSchema" in value;

const hasName = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "name" in value && typeof value.name === "string";

const isFlow = (value: unknown): value is ProjectFlow =>
  typeof value === "object" && value !== null && "spec" in value && hasName(value.spec);

const isDeployment = (value: unknown): value is ProjectDeployment =>
  hasName(value) && typeof value === "object" && value !== null && "flow" in value && hasName(value.flow);

const isApi = (value: unknown): value is ApiSpec =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as ApiSpec).name === "string" && // A guard: nothing is known of the value yet.
  Array.isArray((value as ApiSpec).routes) &&
  "servesTenantRows" in value;

const isShare = (value: unknown): value is ShareSpec =>
  hasName(value) &&
  typeof value === "object" &&
  value !== null &&
  "tables" in value &&
  Array.isArray(value.tables) &&
  "deadlineMs" in value;

const projectSchema = z.strictObject({
  name: nameSchema,
  sources: z
    .array(
      z.custom<Source>(isSource, "is not a source: make it with rest(...), files(...) or defineSource(...)"),
    )
    .default([]),
  flows: z
    .array(
      z.custom<ProjectFlow>(isFlow, "is not a flow: make it with flow(...), syncFlow(...) or buildFlow(...)"),
    )
    .default([]),
  deployments: z
    .array(z.custom<ProjectDeployment>(isDeployment, "is not a deployment: make it with deployment(...)"))
    .default([]),
  datasets: z
    .array(z.custom<DatasetSpec>(isDataset, "is not a dataset: make it with defineDataset(...)"))
    .default([]),
  apis: z.array(z.custom<ApiSpec>(isApi, "is not an API: make it with defineApi(...)")).default([]),
  shares: z.array(z.custom<ShareSpec>(isShare, "is not a share: make it with defineShare(...)")).default([]),
  tenantColumn: columnSchema.default(projectDefaults.tenantColumn),
  tenants: z.union([nameSchema, z.array(z.custom<TenantDeclaration>())]).optional(),
  landing: nameSchema.default(projectDefaults.landing),
  warehouse: nameSchema.default(projectDefaults.warehouse),
  load: z.enum(["leat", "dts"]).default("leat"),
  ledger: nameSchema.default(projectDefaults.ledger),
});

/**
 * Declares a project; the default export of `leat.config.ts`.
 *
 * @example
 * ```ts
 * export default defineProject({ name: "shop", sources: [orders], tenants: "tenants.json" });
 * ```
 * @returns the project, complete and frozen. Nothing is read or opened.
 * @throws {@link LeatError} `CONFIG_INVALID` with every fault and its path.
 */
export function defineProject(declaration: ProjectDeclaration): Project {
  const parsed = projectSchema.safeParse(declaration);
  const name = typeof declaration?.name === "string" ? `The project "${declaration.name}"` : "The project";
  if (!parsed.success) refuseFaults(faultsOf(parsed.error), name);
  const project = parsed.data!; // `refuseFaults` has thrown otherwise: a failed parse has at least one issue.
  const faults = [
    ...crossFaults(project.sources, project.tenantColumn),
    ...tenantFaults(project.sources, project.tenants),
    ...checkDatasets(project.datasets, project.sources),
    ...checkApis(project.apis, project.datasets),
    ...checkShares(project.shares, project.sources, project.datasets, project.tenantColumn),
    ...flowFaults(project.flows, project.deployments),
    ...(project.load === "dts" ? checkTransfers(project.sources, project.datasets) : []),
  ];
  if (project.sources.length + project.flows.length === 0) {
    faults.push({ path: "sources", problem: "must name at least one source, or `flows` one flow" });
  }
  refuseFaults(faults, name);
  return Object.freeze({
    ...project,
    sources: Object.freeze([...project.sources]),
    datasets: Object.freeze([...project.datasets]),
    flows: Object.freeze([...project.flows]),
    deployments: Object.freeze([...project.deployments]),
    apis: Object.freeze([...project.apis]),
    shares: Object.freeze([...project.shares]),
    tenants: Array.isArray(project.tenants) ? Object.freeze([...project.tenants]) : project.tenants,
  });
}

/** Tenants that sources name and the project's own list lacks; what a file holds is compared when it is read. */
function tenantFaults(sources: readonly Source[], tenants: Project["tenants"]): Fault[] {
  if (!Array.isArray(tenants)) return [];
  const known: readonly string[] = tenants.flatMap((one: TenantDeclaration) => one?.id ?? []);
  return sources.flatMap((source, index) =>
    unknownTenants(source, known).map((id) => ({
      path: `sources[${index}].tenants`,
      problem: `there is no tenant "${id}". ${hintOfKnown(id, "tenants", known)}`,
    })),
  );
}

/** Flows and deployments are run by one kind of name, which must say which. */
function flowFaults(flows: readonly ProjectFlow[], deployments: readonly ProjectDeployment[]): Fault[] {
  const places = [
    ...flows.map(({ spec }, index) => ({ name: spec.name, path: `flows[${index}]` })),
    ...deployments.map(({ name }, index) => ({ name, path: `deployments[${index}]` })),
  ];
  const first = new Map<string, string>();
  return places.flatMap(({ name, path }) => {
    const twin = first.get(name);
    if (twin === undefined) first.set(name, path);
    return twin === undefined
      ? []
      : [{ path: `${path}.name`, problem: `"${name}" is also the name of ${twin}` }];
  });
}

/** Faults that only show when all sources are seen together. */
function crossFaults(sources: readonly Source[], tenantColumn: string): Fault[] {
  const faults: Fault[] = [];
  const sourceAt = new Map<string, number>();
  const tableAt = new Map<string, string>();
  for (const [index, source] of sources.entries()) {
    const path = `sources[${index}]`;
    // Warehouses fold case in names of schemas and tables: `Orders` and `orders` would be one.
    const first = sourceAt.get(source.name.toLowerCase());
    if (first !== undefined) {
      faults.push({
        path: `${path}.name`,
        problem: `"${source.name}" is also the name of sources[${first}]`,
      });
    }
    sourceAt.set(source.name.toLowerCase(), index);
    const streamAt = new Map<string, number>();
    for (const [streamIndex, stream] of source.streams.entries()) {
      const streamPath = `${path}.streams[${streamIndex}]`;
      const twin = streamAt.get(stream.name.toLowerCase());
      if (twin !== undefined) {
        faults.push({
          path: `${streamPath}.name`,
          problem: `"${stream.name}" is also the name of ${path}.streams[${twin}]`,
        });
      }
      streamAt.set(stream.name.toLowerCase(), streamIndex);
      const table = stream.landingTable.toLowerCase();
      const owner = tableAt.get(table);
      if (owner !== undefined && twin === undefined && first === undefined) {
        faults.push({
          path: `${streamPath}.landingTable`,
          problem: `"${stream.landingTable}" is also the landing table of ${owner}`,
        });
      }
      tableAt.set(table, `${source.name}.${stream.name}`);
      if (isItsOwnAncestor(source, stream)) {
        faults.push({ path: `${streamPath}.parent`, problem: "leads back to the stream itself" });
      }
      if (stream.partitions?.column?.toLowerCase() === tenantColumn.toLowerCase()) {
        faults.push({
          path: `${streamPath}.partitions.column`,
          problem: `"${stream.partitions.column}" is the tenant's column; name another`,
        });
      }
    }
  }
  return faults;
}

/** Whether following parents from a stream comes back to it: such streams could never be read. */
function isItsOwnAncestor(source: Source, stream: StreamSpec): boolean {
  let current: StreamSpec | undefined = stream;
  for (let steps = 0; steps <= source.streams.length; steps++) {
    if (current?.partitions?.from !== "stream") return false;
    const parent: string = current.partitions.stream;
    if (parent === stream.name) return true;
    current = source.streams.find((other) => other.name === parent);
  }
  return false; // A circle further up; its own members are told.
}
