/** Tables, views and transfers of a project that Google's Data Transfer Service loads (`load: "dts"`). Pure. */
import { LeatError } from "../errors/leat-error.ts";
import type { Project } from "../ports/project.ts";
import { planTransfer, transferFaults } from "../warehouses/bigquery/plan-transfer.ts";

/** Values of the module's variables, by name; see `terraform/variables.tf`. */
export type TransferVariables = Readonly<{
  tables: Readonly<
    Record<string, Readonly<{ schema: string; partition_column: string; clustering: readonly string[] }>>
  >;
  views: Readonly<
    Record<string, Readonly<{ dataset: string; name: string; query: string; description: string }>>
  >;
  transfers: Readonly<Record<string, Readonly<{ objects: string }>>>;
  /** A file whose class changes may count as touched, and would be loaded again. */
  landing_days: 0;
}>;

/** Plans the transfers of all streams. @throws LeatError `CONFIG_INVALID` with every stream that cannot be loaded so. */
export function planTransfers(
  { sources, tenantColumn }: Pick<Project, "sources" | "tenantColumn">,
  { projectId, name }: Readonly<{ projectId: string; name: string }>,
): TransferVariables {
  const specs = sources.flatMap(({ streams }) => streams);
  const faults = specs.flatMap((spec) =>
    transferFaults(spec).map((fault) => `${spec.source}.${spec.name} ${fault}`),
  );
  if (faults.length > 0)
    throw new LeatError("CONFIG_INVALID", {
      message: `Google's Data Transfer Service cannot load this project (load: "dts"): ${faults.join("; ")}.`,
      hint: "Declare what it needs, or take `load` out of the project: leat's own load can do all of it.",
      details: { faults },
    });
  const place = {
    project: projectId,
    // Names that the modules make; see `locals` in `terraform/main.tf`.
    dataset: `${name.replaceAll("-", "_")}_landing`,
    landing: `gs://${projectId}-${name}-landing`,
    tenantColumn,
  };
  const plans = specs.map((spec) => planTransfer(spec, place));
  return {
    tables: Object.fromEntries(
      plans.map(({ table, fields, partitionBy, clusterBy }) => [
        table,
        { schema: JSON.stringify(fields), partition_column: partitionBy, clustering: clusterBy },
      ]),
    ),
    views: Object.fromEntries(
      plans.flatMap(({ views }) => views.map((view) => [`${view.dataset}.${view.name}`, view])),
    ),
    transfers: Object.fromEntries(plans.map(({ table, objects }) => [table, { objects }])),
    landing_days: 0,
  };
}
