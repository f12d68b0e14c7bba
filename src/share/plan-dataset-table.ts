/** What a dataset's rows for one tenant are at the customer's: a table whose rows are replaced at once. Pure. */
import assert from "node:assert/strict";
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { parseColumnType } from "../model/column-types.ts";
import type { DatasetManifest, PublishedSchema } from "../model/dataset-manifest.ts";
import type { DeclaredType, StreamSpec } from "../model/stream.ts";
import type { ShareSpec, ShareTable } from "../ports/share.ts";

/**
 * Plans the table. Each row stands for itself: that keys are unique is what the dataset's own build has checked, and
 * columns of the key need not be shared.
 *
 * @param entry - the newest version; `undefined`: there is none, and the table's columns are not known yet.
 */
export function planDatasetTable(
  share: ShareSpec,
  table: ShareTable,
  entry: DatasetManifest | undefined,
): StreamSpec {
  return {
    source: share.schema,
    name: table.name,
    primaryKey: [],
    cursor: undefined,
    writeDisposition: "replace",
    contract: "discard", // Its columns are those declared here, so that they do not depend on older versions.
    columns: entry === undefined ? {} : planTypes(table, entry.schema),
    volatileFields: [],
    isSorted: false,
    trustOrder: false,
    stability: "trusted",
    currentBy: "arrival",
    deletedField: undefined,
    isMaterialized: false,
    isCurrentOnly: true,
    landingTable: `${share.schema}_${table.name}_versions`,
    partitions: undefined,
    bounds: notExtracted,
  };
}

/** Nothing of it is ever extracted, which is what the bounds of a stream are of. */
const notExtracted: StreamSpec["bounds"] = {
  pagesMax: 0,
  passesMax: 0,
  windowsMax: 0,
  quarantineShareMax: 0,
  checkpointBytes: 0,
  runMsMax: 0,
  shrinkShareMin: 0,
  clockToleranceMs: 0,
};

function planTypes({ columns }: ShareTable, schema: PublishedSchema): StreamSpec["columns"] {
  return Object.fromEntries(
    schema.columns
      .filter(({ name }) => name !== schema.tenantColumn)
      .flatMap(({ name, type }): [string, DeclaredType][] => {
        if (columns === undefined) return [[name, declared(type)]];
        const shared = columns.find(({ key }) => key === name);
        if (shared === undefined) return [];
        return [[shared.name, shared.isMasked ? { type: "text" } : declared(type)]];
      }),
  );
}

function declared(text: string): DeclaredType {
  const type = parseColumnType(text);
  assert(
    type !== undefined && type.type !== "unknown" && type.type !== "hugeint",
    `a version's columns have types that can be declared: ${text}`,
  );
  return type.type === "decimal" ? type : { type: type.type };
}

/**
 * Whether a version can be shared as it is declared.
 *
 * @throws {@link LeatError} `SHARE_COLUMN_MISSING`: it was published before its declaration was changed.
 */
export function checkDatasetColumns(
  { dataset, seq, schema }: DatasetManifest,
  tenantColumn: string,
  { columns = [] }: ShareTable,
): void {
  const known = schema.columns.map(({ name }) => name);
  const missing = columns.filter(({ key, isOptional }) => !isOptional && !known.includes(key));
  if (schema.tenantColumn === tenantColumn && missing.length === 0) return;
  const [first] = missing;
  const what =
    first === undefined
      ? `does not say of "${tenantColumn}" that it is the tenant's column`
      : `has no column ${missing.map(({ key }) => `"${key}"`).join(", ")}`;
  const near = first === undefined ? "" : ` ${hintOfKnown(first.key, "columns", known)}`;
  throw new LeatError("SHARE_COLUMN_MISSING", {
    message: `The newest version of the dataset ${dataset} (entry ${seq}) ${what}; nothing was moved.`,
    hint: `Run \`leat build ${dataset}\`: it was published before the declaration was changed.${near}`,
    details: { dataset, seq, columns: missing.map(({ key }) => key) },
  });
}
