/** Tables, views and transfers of a project that Google's Data Transfer Service loads (`load: "dts"`). Pure. */
import type { Project } from "../ports/project.ts";
import { planTransfer } from "../warehouses/bigquery/plan-transfer.ts";

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

/** Plans the transfers of all streams that a warehouse holds. */
export function planTransfers(
  { sources, tenantColumn }: Pick<Project, "sources" | "tenantColumn">,
  { projectId, name }: Readonly<{ projectId: string; name: string }>,
): TransferVariables {
  // What cannot be loaded so, `defineProject` has refused. Files are laid out by datasets, and no warehouse loads them.
  const specs = sources.flatMap(({ streams, openFiles }) => (openFiles === undefined ? streams : []));
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
