/** A dataset: columns, key, order, where its rows come from, and what must hold of them. */
import { z } from "zod";
import { type Fault, faultsOf, refuseFaults } from "../errors/faults.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { leatPrefix } from "../model/stream.ts";
import type { DatasetColumn, DatasetSpec } from "../ports/dataset.ts";
import { readColumns } from "./define-dataset-columns.ts";
import { type InputDeclaration, readInput } from "./define-dataset-inputs.ts";
import { type RuleDeclaration, readRules } from "./define-dataset-rules.ts";

/** What `defineDataset` takes. */
export type DatasetDeclaration<Columns extends Readonly<Record<string, z.core.$ZodType>>> = Readonly<{
  /** Letters, digits and `_`; the name of its table and of its folder. */
  name: string;
  /** What its rows are, for people. */
  description: string;
  /**
   * A zod schema for each column. Types: `z.string()` text, `z.int()` and `z.bigint()` 64-bit integers, `z.number()`
   * double, `z.boolean()`, `z.iso.date()` date, `z.iso.datetime({ local: true })` timestamp, `z.iso.datetime()` and
   * `z.date()` timestamp with a zone, `z.json()` and shapes JSON, `z.enum([...])` text; `.meta({ type: "decimal(12,2)" })`
   * an exact decimal. Nullable columns say so. `.describe(…)` or `.meta({ description, unit, examples })` document them.
   * What a schema asks of a value must hold for every row.
   */
  columns: Columns;
  /** Columns that together name a row. Nulls are values here: two rows with equal ones have one key. */
  key: readonly (keyof Columns & string)[];
  /** Order of the rows. Default: the key's. */
  sort?: readonly (keyof Columns & string)[];
  /** Where rows come from: `fromFiles`, `fromSql`, `fromStream` or `fromRows`. */
  from: InputDeclaration;
  /** Quality rules, run before a version is published. */
  rules?: readonly RuleDeclaration[];
  licence?: string;
  /**
   * Column holding the tenant a row belongs to: text, never null, part of the key. Of files leat fills it. A share brings
   * each tenant the rows in which it is the tenant's id, byte for byte.
   */
  tenantColumn?: keyof Columns & string;
  /** What two rows of one key within one file are: a fault (default), or the first or last of them counts. */
  duplicates?: "error" | "first" | "last";
  /** Columns that tell of a row's origin (file, sheet, release): a new value there alone is no restatement. */
  originColumns?: readonly (keyof Columns & string)[];
  /** Schema of its table in the warehouse. Default `main`, where a query needs no schema's name. */
  warehouseSchema?: string;
  /** Versions that `leat gc` leaves, the newest ones. Default: all. */
  keepVersions?: number;
}>;

const nameSchema = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    "must be at most 63 letters, digits and _, not beginning with a digit",
  )
  .refine(
    (name) => !name.toLowerCase().startsWith(leatPrefix),
    `must not begin with ${leatPrefix}, which is leat's own`,
  );

const columnNames = z.array(z.string()).min(1, "must name at least one column");

const datasetSchema = z.strictObject({
  name: nameSchema,
  description: z.string().min(1, "must say what the rows are"),
  columns: z.record(z.string(), z.unknown()),
  key: columnNames,
  sort: columnNames.optional(),
  from: z.unknown(),
  rules: z.unknown().optional(),
  licence: z.string().min(1, "must not be empty").optional(),
  tenantColumn: z.string().optional(),
  duplicates: z.enum(["error", "first", "last"]).default("error"),
  originColumns: z.array(z.string()).default([]),
  warehouseSchema: nameSchema.default("main"),
  keepVersions: z.int().min(1, "must be at least 1").optional(),
});

/** The lists of columns, as far as they are such: they are looked at whatever else is wrong. */
const listsSchema = z.object({
  key: z.array(z.string()).catch([]),
  sort: z.array(z.string()).catch([]),
  originColumns: z.array(z.string()).catch([]),
  tenantColumn: z.string().optional().catch(undefined),
});

function listsOf(declaration: unknown): z.output<typeof listsSchema> {
  const parsed = listsSchema.safeParse(declaration);
  return parsed.success ? parsed.data : { key: [], sort: [], originColumns: [], tenantColumn: undefined };
}

/** Types whose values are told apart by every engine alike, so that they can name a row. */
const keyTypes: ReadonlySet<string> = new Set([
  "text",
  "bigint",
  "boolean",
  "date",
  "timestamp",
  "timestamptz",
  "decimal",
]);

/**
 * Declares a dataset, for `datasets` of `defineProject`.
 *
 * @example
 * ```ts
 * defineDataset({
 *   name: "deaths",
 *   description: "Deaths registered, by area and month.",
 *   columns: { geo_code: z.string(), month: z.string(), deaths: z.int().min(0).meta({ unit: "deaths" }) },
 *   key: ["geo_code", "month"],
 *   from: fromFiles("ons.workbooks", { read: csv({ columns: { geo_code: "Code", month: "Month", deaths: "Deaths" } }) }),
 *   rules: [{ rule: "rowCount", min: 1000 }],
 * });
 * ```
 * @returns the dataset, complete and frozen. Nothing is read or opened.
 * @throws {@link LeatError} `CONFIG_INVALID` with every fault and its path.
 */
export function defineDataset<const Columns extends Readonly<Record<string, z.core.$ZodType>>>(
  declaration: DatasetDeclaration<Columns>,
): DatasetSpec {
  const what = typeof declaration?.name === "string" ? `The dataset "${declaration.name}"` : "The dataset";
  const parsed = datasetSchema.safeParse(declaration);
  const faults: Fault[] = parsed.success ? [] : faultsOf(parsed.error);
  const declared = z.record(z.string(), z.unknown()).safeParse(declaration?.columns);
  // Columns, input and rules are looked at whatever else is wrong: all faults are told at once.
  const schemas = declared.success ? declared.data : {};
  const names = Object.keys(schemas);
  // Of files leat fills the tenant's column itself.
  const read = names.filter((name) => name !== declaration?.tenantColumn);
  const { input, faults: ofInput } = readInput(declaration?.from, read);
  const isInJavaScript = input === undefined || input.kind === "files" || input.kind === "rows";
  const { columns, faults: ofColumns } = readColumns(
    schemas,
    isInJavaScript ? "in JavaScript" : "in the engine",
  );
  const { rules, faults: ofRules } = readRules(declaration?.rules ?? [], names);
  if (declared.success) faults.push(...ofColumns);
  faults.push(...ofInput, ...ofRules);
  faults.push(...crossFaults(listsOf(declaration), names, columns));
  refuseFaults(faults, what);
  const { key, sort = key, ...rest } = parsed.data!; // `refuseFaults` has thrown otherwise.
  return deepFreeze({
    name: rest.name,
    description: rest.description,
    licence: rest.licence,
    columns,
    key,
    sort: [...sort, ...key.filter((name) => !sort.includes(name))],
    from: input!, // Likewise.
    rules,
    duplicates: rest.duplicates,
    originColumns: rest.originColumns,
    tenantColumn: rest.tenantColumn,
    warehouseSchema: rest.warehouseSchema,
    keepVersions: rest.keepVersions,
  });
}

/** Faults that only show when the parts are seen together. */
function crossFaults(
  declared: z.output<typeof listsSchema>,
  names: readonly string[],
  columns: readonly DatasetColumn[],
): Fault[] {
  const faults: Fault[] = [];
  const typeOf = new Map(columns.map(({ published, type }) => [published.name, type.type]));
  for (const list of ["key", "sort", "originColumns"] as const) {
    const seen = new Set<string>();
    for (const [index, name] of declared[list].entries()) {
      const path = `${list}[${index}]`;
      if (!names.includes(name)) faults.push(unknownColumn(path, name, names));
      if (seen.has(name)) faults.push({ path, problem: `"${name}" is named twice` });
      seen.add(name);
    }
  }
  for (const [index, name] of declared.key.entries()) {
    const type = typeOf.get(name);
    if (type !== undefined && !keyTypes.has(type))
      faults.push({ path: `key[${index}]`, problem: `"${name}" is a ${type}, which cannot name a row` });
    if (declared.originColumns.includes(name))
      faults.push({ path: `key[${index}]`, problem: `"${name}" is one of originColumns as well` });
  }
  for (const [index, name] of declared.sort.entries()) {
    if (typeOf.get(name) === "json")
      faults.push({ path: `sort[${index}]`, problem: `"${name}" is JSON, which has no order` });
  }
  const { tenantColumn } = declared;
  if (tenantColumn !== undefined) {
    if (!names.includes(tenantColumn)) faults.push(unknownColumn("tenantColumn", tenantColumn, names));
    else if (!declared.key.includes(tenantColumn))
      faults.push({ path: "tenantColumn", problem: `"${tenantColumn}" must be part of the key` });
    else if (typeOf.get(tenantColumn) !== "text")
      faults.push({ path: "tenantColumn", problem: `"${tenantColumn}" must be text` });
    else if (columns.some(({ published }) => published.name === tenantColumn && published.isNullable))
      faults.push({ path: "tenantColumn", problem: `"${tenantColumn}" must not be nullable` });
  }
  return faults;
}

const unknownColumn = (path: string, name: string, names: readonly string[]): Fault => ({
  path,
  problem: `"${name}" is no column. ${hintOfKnown(name, "columns", names)}`,
});

/** Freezes plain data through and through; functions and expressions are left as they are. */
function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || value instanceof RegExp)
    return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
