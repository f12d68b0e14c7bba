/** Decides a landing table's columns from what is recorded, what packages bring and what is declared. Pure. */
import { LeatError } from "../errors/leat-error.ts";
import { type ColumnKinds, type ColumnTable, foldColumns, kindBits } from "./column-kinds.ts";
import { planColumnNames } from "./column-names.ts";
import {
  type ColumnType,
  planColumnType,
  planTypeChange,
  printColumnType,
  type TypeChange,
} from "./column-types.ts";
import { leatColumns, type StreamSpec } from "./stream.ts";

/** A key of a stream as a warehouse keeps it. */
export type CatalogColumn = Readonly<{ key: string; name: string; type: ColumnType; seen: ColumnKinds }>;

/** One change that a load makes to a table: `from` nothing is a new column. */
export type ColumnChange = Readonly<{ column: string; from: string | undefined; to: string }>;

/** Names of leat's own columns in a stream's landing table. */
export type PlaceColumns = Readonly<{ tenantColumn: string; partitionColumn: string | undefined }>;

/** One column after the change. */
export type PlannedColumn = CatalogColumn &
  Readonly<{
    /** As the table has it now; `undefined`: the column is new. */
    before: CatalogColumn | undefined;
    change: TypeChange;
  }>;

/** A table's columns after a load. */
export type SchemaPlan = Readonly<{
  columns: readonly PlannedColumn[];
  /** Keys that contract `discard` leaves out. */
  discarded: readonly string[];
  changes: readonly ColumnChange[];
}>;

const unseen: ColumnKinds = { kinds: 0, intDigitsMax: 0, scaleMax: 0, hasExactNumbers: false };

/**
 * Plans the columns of a stream's landing table.
 *
 * Known are the keys that the declaration names, and those recorded by earlier loads. Under `freeze` and `discard` the
 * first load of a stream without declared columns makes its keys known; with declared columns `discard` knows these and
 * the key, cursor and deleted fields only, so that what is left out does not depend on the order of loading (I14).
 *
 * @param isEstablished - whether packages of the stream have been loaded before.
 * @param nameBytesMax - longest name of a column that the engine keeps, UTF-8 bytes; default as `planColumnNames`.
 * @throws LeatError `SCHEMA_FROZEN` naming the columns.
 */
export function planSchema(
  spec: StreamSpec,
  place: PlaceColumns,
  recorded: readonly CatalogColumn[],
  packages: readonly ColumnTable[],
  isEstablished: boolean,
  nameBytesMax?: number,
): SchemaPlan {
  const reserved = [...Object.values(leatColumns), place.tenantColumn];
  if (place.partitionColumn !== undefined) reserved.push(place.partitionColumn);
  const named = new Set(namedKeys(spec).filter((key) => !reserved.includes(key)));
  const arrived = foldColumns(packages);
  const isKnown = knownKeys(spec, named, recorded, isEstablished);
  const discarded =
    spec.contract === "discard" ? [...arrived.keys()].filter((key) => !isKnown(key)) : ([] as string[]);
  const kept = new Map([...arrived].filter(([key]) => !discarded.includes(key)));
  const ofNamed = new Map([...named].map((key) => [key, unseen]));
  const folded = foldColumns([new Map(recorded.map(({ key, seen }) => [key, seen])), ofNamed, kept]);
  const names = planColumnNames(folded.keys(), {
    reserved,
    named,
    ...(nameBytesMax === undefined ? {} : { bytesMax: nameBytesMax }),
  });
  const before = new Map(recorded.map((column) => [column.key, column]));
  const columns = [...folded].map(([key, seen]): PlannedColumn => {
    const type = planColumnType(seen, declaredType(spec, key));
    const was = before.get(key);
    const change = was === undefined ? "none" : planTypeChange(was.type, type, was.seen);
    return { key, name: names.get(key)!, type, seen, before: was, change };
  });
  if (spec.contract === "freeze") refuseFrozen(spec, columns, isKnown, isEstablished);
  return { columns, discarded, changes: [...describeChanges(columns), ...describeDiscarded(discarded)] };
}

/** The same plan without changes of type of columns that are there. */
export function keepTypes(plan: SchemaPlan): SchemaPlan {
  const columns = plan.columns.map((column): PlannedColumn => {
    return column.before === undefined ? column : { ...column, type: column.before.type, change: "none" };
  });
  return { ...plan, columns };
}

/** Renames in two steps each, by way of names that no column has, so that names may be swapped. */
export function planRenames(
  plan: SchemaPlan,
  place: PlaceColumns,
  recorded: PlaceColumns,
): readonly Readonly<{ from: string; to: string }>[] {
  const pairs = plan.columns.flatMap(({ name, before }) =>
    before === undefined || before.name === name ? [] : [{ from: before.name, to: name }],
  );
  if (recorded.tenantColumn !== place.tenantColumn)
    pairs.push({ from: recorded.tenantColumn, to: place.tenantColumn });
  const { partitionColumn } = place;
  if (recorded.partitionColumn !== undefined && partitionColumn !== undefined)
    if (recorded.partitionColumn !== partitionColumn)
      pairs.push({ from: recorded.partitionColumn, to: partitionColumn });
  return [
    ...pairs.map(({ from }, at) => ({ from, to: `_leat_renamed_${at}` })),
    ...pairs.map(({ to }, at) => ({ from: `_leat_renamed_${at}`, to })),
  ];
}

/** Top-level keys that the declaration names: they are columns even before a record has them. */
export function namedKeys(spec: StreamSpec): readonly string[] {
  const paths = [...spec.primaryKey, ...(spec.cursor === undefined ? [] : [spec.cursor.field])];
  const keys = paths.map((path) => path.split(".", 1)[0]!);
  if (spec.deletedField !== undefined) keys.push(spec.deletedField);
  return [...new Set([...keys, ...Object.keys(spec.columns)])];
}

function declaredType(spec: StreamSpec, key: string) {
  return Object.hasOwn(spec.columns, key) ? spec.columns[key] : undefined;
}

function knownKeys(
  spec: StreamSpec,
  named: ReadonlySet<string>,
  recorded: readonly CatalogColumn[],
  isEstablished: boolean,
): (key: string) => boolean {
  const isDeclared = Object.keys(spec.columns).length > 0;
  if (spec.contract === "discard" && isDeclared) return (key) => named.has(key);
  if (!isEstablished && !isDeclared) return () => true;
  const keys = new Set(recorded.map(({ key }) => key));
  return (key) => named.has(key) || keys.has(key);
}

function refuseFrozen(
  spec: StreamSpec,
  columns: readonly PlannedColumn[],
  isKnown: (key: string) => boolean,
  isEstablished: boolean,
): void {
  const faults = columns.flatMap(({ key, type, before }) => {
    if (!isKnown(key)) return [`new column "${key}" (${printColumnType(type)})`];
    if (!isEstablished || before === undefined || declaredType(spec, key) !== undefined) return [];
    if (printColumnType(before.type) === printColumnType(type)) return [];
    return [`column "${key}" from ${printColumnType(before.type)} to ${printColumnType(type)}`];
  });
  if (faults.length === 0) return;
  const shown = faults.slice(0, 20).join("; ");
  throw new LeatError("SCHEMA_FROZEN", {
    message: `The contract of ${spec.source}.${spec.name} is "freeze", but records brought: ${shown}.`,
    hint: `Declare the column in \`columns\` of the stream, or use contract "evolve"; nothing was loaded.`,
    details: { source: spec.source, stream: spec.name, columns: faults },
  });
}

function describeChanges(columns: readonly PlannedColumn[]): ColumnChange[] {
  return columns.flatMap(({ name, type, before }) => {
    const to = printColumnType(type);
    if (before === undefined) return [{ column: name, from: undefined, to }];
    const changes: ColumnChange[] = [];
    if (before.name !== name) changes.push({ column: before.name, from: "name", to: `name ${name}` });
    if (printColumnType(before.type) !== to)
      changes.push({ column: name, from: printColumnType(before.type), to });
    return changes;
  });
}

function describeDiscarded(keys: readonly string[]): ColumnChange[] {
  return keys.map((column) => ({ column, from: undefined, to: "discarded" }));
}

/** Kinds of a column about which a package says nothing. */
export const nothingSeen: ColumnKinds = unseen;

/** Every kind at once: how a column is read when a package's own account of it has proved wrong. */
export const anythingSeen: ColumnKinds = {
  kinds: Object.values(kindBits).reduce((all, bit) => all | bit, 0),
  intDigitsMax: 400,
  scaleMax: 400,
  hasExactNumbers: true,
};
