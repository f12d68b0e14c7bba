/** What a share's rows are made by, written down beside them: another declaration's rows do not go on where these end. */
import { LeatError } from "../errors/leat-error.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ShareTable } from "../ports/share.ts";
import type { ShareOwner } from "../ports/warehouse.ts";

/** What decides a row's form beside its table. */
export type DeclaredForm = Readonly<{
  tenantColumn: string;
  /** A mask of nothing: it changes with the salt, and tells nothing of it. */
  saltMark: string | undefined;
  /** Of a dataset's rows, names and types of their columns. */
  schema: readonly (readonly [string, string])[] | undefined;
}>;

/** Prints what decides a row's form and place. */
export function printDeclaration(
  table: ShareTable,
  target: StreamSpec,
  { tenantColumn, saltMark, schema }: DeclaredForm,
): string {
  return JSON.stringify({
    ...(table.kind === "dataset" && { kind: table.kind }),
    of: table.of,
    columns: table.columns?.map(({ key, name, isMasked }) => [key, name, isMasked]) ?? "all",
    key: target.primaryKey,
    cursor: target.cursor?.field ?? null,
    current: target.currentBy,
    deleted: target.deletedField ?? null,
    keep: target.isCurrentOnly === true ? "current" : "history",
    tenantColumn,
    salt: saltMark ?? null,
    ...(schema !== undefined && { schema }),
  });
}

/** Names of what was declared otherwise; empty: nothing. */
export function changedParts(before: string, now: string): readonly string[] {
  if (before === now) return [];
  const [was, is] = [parse(before), parse(now)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names.filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]));
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    // Spread into an object of its own: nothing is known of what a customer's table holds.
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/**
 * Checks that a table is filled by this share for this tenant, and by the same declaration.
 *
 * @throws {@link LeatError} `SHARE_TABLE_TAKEN`, `SHARE_CHANGED`.
 */
export function checkOwner(
  held: ShareOwner,
  owner: ShareOwner,
  place: Readonly<{ table: string; target: string }>,
  may: "continue" | "begin anew",
): void {
  const isOurs = held.project === owner.project && held.share === owner.share && held.tenant === owner.tenant;
  if (!isOurs) {
    throw new LeatError("SHARE_TABLE_TAKEN", {
      message:
        `The table ${place.table} in ${place.target} is filled by the share "${held.share}" of the project ` +
        `"${held.project}" for tenant ${held.tenant}; nothing was changed.`,
      details: { share: owner.share, tenant: owner.tenant, table: place.table },
    });
  }
  const parts = changedParts(held.declaration, owner.declaration);
  if (parts.length === 0 || may === "begin anew") return;
  throw new LeatError("SHARE_CHANGED", {
    message: `The rows of ${place.table} in ${place.target} were made with another declaration (${parts.join(", ")}); nothing was moved.`,
    hint: `Run \`leat share ${owner.share} --tenant ${owner.tenant} --full\`: everything is loaded again aside, and put in place at once (in BigQuery the tables are away meanwhile).`,
    details: { share: owner.share, tenant: owner.tenant, table: place.table, changed: parts },
  });
}
