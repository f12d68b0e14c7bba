/** Checks the options that every stream has, and makes the complete stream of them. */

import { z } from "zod";
import { LeatError } from "../../errors/leat-error.ts";
import { nearestName } from "../../errors/nearest-name.ts";
import { parseRecordSelector, type RecordSelector } from "../../model/record-selector.ts";
import {
  type DeclaredType,
  leatPrefix,
  type PartitionPlan,
  type SchemaContract,
  type Stability,
  type StreamBounds,
  type StreamSpec,
  type WriteDisposition,
} from "../../model/stream.ts";
import type { CheckedCursor } from "./check-cursor.ts";
import { type FaultPath, type Faults, oneOf, strictObject } from "./faults.ts";
import { boundDefaults, type ColumnDeclaration, partitionColumnDefault } from "./stream-options.ts";

const dottedPath = z.string({ error: () => "write a field's name, or a dotted path" }).min(1);
const topLevelField = dottedPath.refine((field) => !field.includes("."), {
  error: (issue) => `${JSON.stringify(issue.input)} must be a top-level field`,
});
const share = z.number().min(0).max(1);
const count = z.int().min(1);
const ms = z.number().min(0);

const plainTypes = [
  "text",
  "bigint",
  "double",
  "boolean",
  "date",
  "timestamp",
  "timestamptz",
  "json",
] as const;

const columnType: z.ZodType<DeclaredType, unknown> = z.unknown().transform((input, context) => {
  const declared = toDeclaredType(input as ColumnDeclaration);
  if (declared !== undefined) return declared;
  context.addIssue({
    code: "custom",
    message: `${JSON.stringify(input)} is not a type; use ${plainTypes.join(", ")} or decimal(precision,scale)`,
  });
  return z.NEVER;
});

/** The shared options of a stream with their defaults; what has none may be missing. */
type StreamMembers = {
  primaryKey: string | string[] | undefined;
  writeDisposition: WriteDisposition | undefined;
  contract: SchemaContract;
  columns: Record<string, DeclaredType>;
  volatileFields: string[];
  deletedField: string | undefined;
  currentBy: "cursor" | "arrival" | undefined;
  materialize: boolean;
  landingTable: string | undefined;
  partitions: { perTenant: string; column?: string | undefined } | undefined;
  parent:
    | { stream: string; field: string; when: "always" | "parent-changed"; column?: string | undefined }
    | undefined;
  trustOrder: boolean;
  stability: Stability | undefined;
  bounds: { [Key in keyof StreamBounds]?: number | undefined };
};

/** What `checkMembers` gives for {@link streamMembers}: a wrong member is missing. */
export type CheckedStreamMembers = { [Key in keyof StreamMembers]?: StreamMembers[Key] | undefined };

/** Schemas of `StreamOptions`, for `checkMembers`. The cursor is checked apart: it is another for each source. */
export const streamMembers: { readonly [Key in keyof StreamMembers]: z.ZodType<StreamMembers[Key]> } = {
  primaryKey: z
    .union([dottedPath, z.array(dottedPath)], { error: () => "write a field's name, or a list of them" })
    .optional(),
  writeDisposition: oneOf(["append", "merge", "replace"]).optional(),
  contract: oneOf(["evolve", "freeze", "discard"]).default("evolve"),
  columns: z.record(z.string(), columnType).default({}),
  volatileFields: z.array(topLevelField).default([]),
  deletedField: topLevelField.optional(),
  currentBy: oneOf(["cursor", "arrival"]).optional(),
  materialize: z.boolean().default(false),
  landingTable: z.string().min(1).optional(),
  partitions: strictObject({ perTenant: dottedPath, column: z.string().min(1).optional() }).optional(),
  parent: strictObject({
    stream: z.string().min(1),
    field: topLevelField,
    when: oneOf(["always", "parent-changed"]).default("always"),
    column: z.string().min(1).optional(),
  }).optional(),
  trustOrder: z.boolean().default(false),
  stability: oneOf(["trusted", "overlap", "passes", "settled"]).optional(),
  bounds: strictObject({
    pagesMax: count.optional(),
    passesMax: z
      .int()
      .min(2, { error: () => "must be at least 2: one pass cannot agree with another" })
      .optional(),
    windowsMax: count.optional(),
    quarantineShareMax: share.optional(),
    checkpointBytes: count.optional(),
    runMsMax: ms.optional(),
    shrinkShareMin: share.optional(),
    clockToleranceMs: ms.optional(),
  }).default({}),
};

/** The record selector of a stream, as a schema. */
export const selectorSchema: z.ZodType<RecordSelector, unknown> = z
  .string()
  .transform((selector, context) => {
    try {
      return parseRecordSelector(selector);
    } catch (error) {
      if (!(error instanceof LeatError)) throw error;
      context.addIssue({ code: "custom", message: `${error.message} ${error.hint}` });
      return z.NEVER;
    }
  });

/** Names go into addresses, views and command lines (`source.stream`), so they are words. */
export function checkName(faults: Faults, path: FaultPath, name: unknown): name is string {
  if (
    typeof name === "string" &&
    /^[\p{L}\p{N}_][\p{L}\p{N}_-]{0,62}$/u.test(name) &&
    !name.startsWith(leatPrefix)
  ) {
    return true;
  }
  faults.add(
    path,
    `${JSON.stringify(name)} cannot be a name; use up to 63 letters, digits, "_" and "-", not beginning with "-" or "${leatPrefix}"`,
  );
  return false;
}

/** What a kind of source adds to the shared options of one stream. */
export type StreamSetting = Readonly<{
  source: string;
  name: string;
  cursor: CheckedCursor | undefined;
  isSorted: boolean;
  stability: Stability;
  clockToleranceMs: number | undefined;
}>;

/** Faults between options that are each right by themselves, and the complete stream with every default filled in. */
export function toStreamSpec(
  faults: Faults,
  path: FaultPath,
  members: CheckedStreamMembers,
  setting: StreamSetting,
): StreamSpec {
  const { source, name, cursor, isSorted, stability } = setting;
  const primaryKey =
    typeof members.primaryKey === "string" ? [members.primaryKey] : (members.primaryKey ?? []);
  const writeDisposition = members.writeDisposition ?? (primaryKey.length > 0 ? "merge" : "append");
  if (writeDisposition === "merge" && primaryKey.length === 0) {
    faults.add(
      [...path, "writeDisposition"],
      `"merge" needs a primaryKey; use append or replace without one`,
    );
  }
  if (members.currentBy === "cursor" && cursor === undefined) {
    faults.add([...path, "currentBy"], `"cursor" needs a cursor; use arrival`);
  }
  if (members.trustOrder === true && !isSorted) {
    faults.add([...path, "trustOrder"], "needs a sort by the cursor that leat asks for");
  }
  if (members.partitions !== undefined && members.parent !== undefined) {
    faults.add([...path, "parent"], "a stream has either `partitions` or a `parent`, not both");
  }
  return {
    source,
    name,
    primaryKey,
    cursor: cursor?.spec,
    writeDisposition,
    contract: members.contract ?? "evolve",
    columns: members.columns ?? {},
    volatileFields: members.volatileFields ?? [],
    isSorted,
    trustOrder: members.trustOrder ?? false,
    stability,
    currentBy: members.currentBy ?? (cursor === undefined ? "arrival" : "cursor"),
    deletedField: members.deletedField,
    isMaterialized: members.materialize ?? false,
    landingTable: members.landingTable ?? `${source}_${name}`,
    partitions: toPartitionPlan(members),
    bounds: {
      ...boundDefaults,
      ...(setting.clockToleranceMs === undefined ? {} : { clockToleranceMs: setting.clockToleranceMs }),
      ...Object.fromEntries(Object.entries(members.bounds ?? {}).filter(([, bound]) => bound !== undefined)),
    },
  };
}

function toPartitionPlan(members: CheckedStreamMembers): PartitionPlan | undefined {
  const { partitions, parent } = members;
  if (parent !== undefined) {
    const { stream, field, when } = parent;
    return { from: "stream", stream, field, when, column: parent.column ?? partitionColumnDefault };
  }
  if (partitions === undefined) return undefined;
  return { from: "tenant", field: partitions.perTenant, column: partitions.column ?? partitionColumnDefault };
}

/** Faults between the streams of a source: parents that are not there or go round, tables that meet. */
export function checkBetweenStreams(
  faults: Faults,
  specs: readonly StreamSpec[],
  known: readonly string[],
): void {
  const parentOf = new Map<string, string>();
  for (const { name, partitions } of specs) {
    if (partitions?.from === "stream") parentOf.set(name, partitions.stream);
  }
  for (const [name, parent] of parentOf) {
    const path = ["streams", name, "parent", "stream"];
    if (!known.includes(parent)) {
      const near = nearestName(parent, known);
      faults.add(
        path,
        `no stream is named "${parent}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
      );
      continue;
    }
    const way = [name];
    for (let at: string | undefined = parent; at !== undefined; at = parentOf.get(at)) {
      way.push(at);
      if (at === name) faults.add(path, `goes round: ${way.join(" → ")}`);
      if (way.indexOf(at) < way.length - 1) break;
    }
  }
  const tables = new Map<string, string>();
  for (const { name, landingTable } of specs) {
    const other = tables.get(landingTable.toLowerCase());
    if (other !== undefined) {
      faults.add(["streams", name, "landingTable"], `"${landingTable}" is also the table of "${other}"`);
    }
    tables.set(landingTable.toLowerCase(), name);
  }
}

function toDeclaredType(input: ColumnDeclaration): DeclaredType | undefined {
  if (typeof input === "string") {
    const plain = plainTypes.find((type) => type === input);
    if (plain !== undefined) return { type: plain };
    const decimal = /^decimal\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(input);
    return decimal === null ? undefined : toDecimal(Number(decimal[1]), Number(decimal[2]));
  }
  if (typeof input !== "object" || input === null) return undefined;
  if (input.type === "decimal") return toDecimal(input.precision, input.scale);
  const plain = plainTypes.find((type) => type === input.type);
  return plain === undefined ? undefined : { type: plain };
}

/** Engines hold 38 digits. */
function toDecimal(precision: number, scale: number): DeclaredType | undefined {
  const isRight = Number.isInteger(precision) && Number.isInteger(scale) && precision >= 1 && precision <= 38;
  return isRight && scale >= 0 && scale <= precision ? { type: "decimal", precision, scale } : undefined;
}
