/**
 * Names that BigQuery takes. Others get eight digits of the planned name's SHA-256, so that the rule depends on the set of
 * keys alone (I14).
 */
import { createHash } from "node:crypto";
import { printColumnType } from "../../model/column-types.ts";
import type { ColumnChange, PlannedColumn, SchemaPlan } from "../../model/plan-schema.ts";
import { isBigQueryName } from "../../model/transfer-faults.ts";

/** The name of a planned column in BigQuery. */
export function columnName(name: string): string {
  if (isBigQueryName(name)) return name;
  const digits = createHash("sha256").update(name).digest("hex").slice(0, 8);
  const stem = name.replace(/[^\p{L}\p{N}_]/gu, "_").replace(/^_+/, "");
  return `${/^[\p{L}]/u.test(stem) ? stem : `key_${stem}`}_${digits}`;
}

/** The plan with BigQuery's names, and with the changes that these make. */
export function nameColumns(plan: SchemaPlan): SchemaPlan {
  const columns = plan.columns.map((column): PlannedColumn => ({ ...column, name: columnName(column.name) }));
  const changes: ColumnChange[] = columns.flatMap(({ name, type, before }): ColumnChange[] => {
    const to = printColumnType(type);
    if (before === undefined) return [{ column: name, from: undefined, to }];
    const renamed = before.name === name ? [] : [{ column: before.name, from: "name", to: `name ${name}` }];
    const was = printColumnType(before.type);
    return was === to ? renamed : [...renamed, { column: name, from: was, to }];
  });
  const discarded = plan.discarded.map((column) => ({ column, from: undefined, to: "discarded" }));
  return { columns, discarded: plan.discarded, changes: [...changes, ...discarded] };
}
