/** zod schemas → columns: what a column's type is, what engines check, and what only JavaScript can. */
import type { z } from "zod";
import type { Fault } from "../errors/faults.ts";
import { nearestName } from "../errors/nearest-name.ts";
import { columnNameBytesMax, foldColumnName } from "../model/column-names.ts";
import { decimalDigitsMax, printColumnType } from "../model/column-types.ts";
import type { JsonValue } from "../model/json-value.ts";
import { type DeclaredType, leatPrefix } from "../model/stream.ts";
import type { ColumnCheck, DatasetColumn } from "../ports/dataset.ts";
import { makeJudge } from "./define-dataset-judge.ts";
import { toEnginePattern } from "./define-dataset-patterns.ts";

/** Widest dataset: engines and people have had enough long before. */
export const datasetColumnsMax = 2000;

/** What meta may say of a column beside its description. */
const metaKeys = ["description", "unit", "examples", "type", "id", "title"] as const;

/** How rows arrive: through JavaScript, where every check can run, or inside the engine. */
export type RowsRun = "in JavaScript" | "in the engine";

/** What reading one schema has brought so far. */
type Reading = {
  isNullable: boolean;
  meta: Record<string, unknown>;
  type: DeclaredType | undefined;
  checks: ColumnCheck[];
  patterns: RegExp[];
  /** Whether something is left that only zod itself can judge. */
  needsJudge: string | undefined;
  problems: string[];
};

/** Reads all columns of a declaration; faults name them. */
export function readColumns(
  schemas: Readonly<Record<string, unknown>>,
  run: RowsRun,
): Readonly<{ columns: readonly DatasetColumn[]; faults: readonly Fault[] }> {
  const faults: Fault[] = [];
  const columns: DatasetColumn[] = [];
  const folded = new Map<string, string>();
  const entries = Object.entries(schemas);
  if (entries.length === 0) faults.push({ path: "columns", problem: "must name at least one column" });
  if (entries.length > datasetColumnsMax) {
    faults.push({ path: "columns", problem: `are more than ${datasetColumnsMax}` });
    return { columns, faults };
  }
  for (const [name, schema] of entries) {
    const path = `columns.${name}`;
    const twin = folded.get(foldColumnName(name));
    const problem = nameProblem(name) ?? (twin === undefined ? undefined : `is "${twin}" but for its case`);
    if (problem !== undefined) faults.push({ path, problem });
    folded.set(foldColumnName(name), name);
    if (!isZodSchema(schema)) {
      faults.push({ path, problem: notAZodSchema(schema) });
      continue;
    }
    const { column, problems } = readColumn(name, schema, run);
    faults.push(...problems.map((each) => ({ path, problem: each })));
    columns.push(column);
  }
  return { columns, faults };
}

function nameProblem(name: string): string | undefined {
  if (name === "") return "has an empty name";
  if (!name.isWellFormed()) return "has a name that is no well-formed text";
  if (name.toLowerCase().startsWith(leatPrefix)) return `begins with ${leatPrefix}, which is leat's own`;
  if (Buffer.byteLength(name) > columnNameBytesMax)
    return `has a name of more than ${columnNameBytesMax} bytes`;
  return /[\p{Cc}\u2028\u2029]/u.test(name) ? "has a control character in its name" : undefined;
}

/** Both zod and zod/mini of version 4 keep what they are in `_zod`. */
const isZodSchema = (value: unknown): value is z.core.$ZodType =>
  typeof value === "object" && value !== null && "_zod" in value;

function notAZodSchema(value: unknown): string {
  const isOld = typeof value === "object" && value !== null && "_def" in value;
  return isOld
    ? 'is a schema of zod 3; use zod 4 (`import { z } from "leat"`)'
    : "is no zod schema, such as z.string() or z.int().nullable()";
}

function readColumn(
  name: string,
  schema: z.core.$ZodType,
  run: RowsRun,
): Readonly<{ column: DatasetColumn; problems: readonly string[] }> {
  const reading: Reading = {
    isNullable: false,
    meta: {},
    type: undefined,
    checks: [],
    patterns: [],
    needsJudge: undefined,
    problems: [],
  };
  readSchema(schema, reading);
  const { description, unit, examples } = readMeta(reading);
  const type = reading.type ?? { type: "text" as const };
  const checks = [...reading.checks];
  if (type.type !== "text" && checks.some(({ check }) => check === "shortest" || check === "longest"))
    reading.problems.push(`bounds the length of a ${type.type}`);
  if (run === "in the engine") {
    for (const pattern of reading.patterns) {
      const translated = toEnginePattern(pattern);
      if ("pattern" in translated)
        checks.push({ check: "matches", pattern: translated.pattern, shown: String(pattern) });
      else
        reading.problems.push(
          `has the pattern ${pattern}, which needs ${translated.refused}: SQL cannot run it; use a rule in SQL`,
        );
    }
    if (reading.needsJudge !== undefined)
      reading.problems.push(
        `has ${reading.needsJudge}, which only JavaScript can run: rows of a query or stream never pass through it; use a rule in SQL`,
      );
  }
  const isJudged =
    run === "in JavaScript" && (reading.patterns.length > 0 || reading.needsJudge !== undefined);
  const column: DatasetColumn = {
    published: {
      name,
      type: printColumnType(type),
      isNullable: reading.isNullable,
      description,
      unit,
      examples,
    },
    type,
    checks,
    judge: isJudged ? makeJudge(schema, type) : undefined,
  };
  return { column, problems: reading.problems };
}

/** Walks from the outer schema inwards; what outer ones say wins. */
function readSchema(schema: z.core.$ZodType, reading: Reading): void {
  // Every schema of zod 4 is one of these, or a subclass that says so in `def.type`.
  const { def } = (schema as z.core.$ZodTypes)._zod;
  reading.meta = { ...metaOf(schema), ...reading.meta };
  readType(def, reading);
  const isOfFormat = "check" in def; // A format such as z.int() or z.iso.date() is a check that the schema itself is.
  // The types of zod have the two apart, though such a schema's definition is both.
  if (isOfFormat) readCheck(def as unknown as z.core.$ZodChecks["_zod"]["def"], reading);
  for (const check of def.checks ?? []) readCheck((check as z.core.$ZodChecks)._zod.def, reading);
}

function readType(def: z.core.$ZodTypes["_zod"]["def"], reading: Reading): void {
  switch (def.type) {
    case "nullable":
    case "optional":
      reading.isNullable = true;
      readSchema(def.innerType, reading);
      return;
    case "nonoptional":
    case "readonly":
      readSchema(def.innerType, reading);
      return;
    case "union":
      readUnion(def.options, reading);
      return;
    case "string":
      reading.type = { type: "text" };
      break;
    case "number":
      reading.type = { type: "double" };
      break;
    case "bigint":
      reading.type = { type: "bigint" };
      break;
    case "boolean":
      reading.type = { type: "boolean" };
      break;
    case "date":
      reading.type = { type: "timestamptz" };
      break;
    case "enum":
      readValues(Object.values(def.entries), reading);
      return;
    case "literal":
      readValues(def.values, reading);
      return;
    case "template_literal":
      reading.type = { type: "text" };
      reading.needsJudge = "a template";
      return;
    case "array":
    case "object":
    case "record":
    case "tuple":
    case "intersection":
      reading.type = { type: "json" };
      reading.needsJudge = "a shape of JSON (z.json() has none)";
      return;
    case "any":
    case "unknown":
    case "lazy": // z.json() is one; anything else that is lazy is a shape as well, and all JSON is read alike.
      reading.type = { type: "json" };
      return;
    case "default":
    case "prefault":
    case "catch":
    case "transform":
    case "pipe":
      reading.problems.push(
        "changes values (a default, transform, pipe or catch); columns are only checked: change values in `map` or SQL",
      );
      return;
    default:
      reading.problems.push(`is a z.${def.type}, which is no type of a column`);
      return;
  }
  if ("coerce" in def && def.coerce === true)
    reading.problems.push("coerces values; leave `coerce` out: text is read as the column's type anyway");
}

/** `z.union([X, z.null()])` is a nullable X; a union of values is an enum; anything else has no one type. */
function readUnion(options: readonly z.core.SomeType[], reading: Reading): void {
  const schemas = options as readonly z.core.$ZodType[]; // What zod hands out is always a schema of version 4.
  const others = schemas.filter((option) => typeOf(option) !== "null");
  if (others.length < schemas.length) reading.isNullable = true;
  const values = others.flatMap((option) => {
    const { def } = (option as z.core.$ZodTypes)._zod;
    if (def.type === "literal") return def.values;
    return def.type === "enum" ? Object.values(def.entries) : [undefined];
  });
  if (others.length === 1) readSchema(others[0]!, reading);
  else if (!values.includes(undefined)) readValues(values, reading);
  else reading.problems.push("is a union of types; a column has one (z.json() takes any JSON)");
}

const typeOf = (schema: z.core.$ZodType): string => (schema as z.core.$ZodTypes)._zod.def.type;

function readValues(all: readonly unknown[], reading: Reading): void {
  const values = all.filter((value) => value !== null && value !== undefined);
  if (values.length < all.length) reading.isNullable = true;
  const kinds = new Set(values.map((value) => typeof value));
  const [kind] = kinds;
  if (kinds.size !== 1 || !["string", "number", "boolean"].includes(kind ?? "")) {
    reading.problems.push("lists values of several types, or of one that is no text, number or boolean");
    return;
  }
  const accepted = values as unknown as readonly (string | number | boolean)[]; // Looked at two lines above.
  reading.type =
    kind === "string"
      ? { type: "text" }
      : kind === "boolean"
        ? { type: "boolean" }
        : { type: accepted.every((value) => Number.isInteger(value)) ? "bigint" : "double" };
  reading.checks.push({ check: "accepted", values: accepted });
}

function readCheck(def: z.core.$ZodChecks["_zod"]["def"], reading: Reading): void {
  switch (def.check) {
    case "number_format":
      if (def.format === "float32" || def.format === "float64") return;
      reading.type = { type: "bigint" };
      reading.checks.push(...boundsOf(def.format));
      return;
    case "bigint_format":
      if (def.format === "uint64") reading.checks.push({ check: "least", value: "0", isIncluded: true });
      return;
    case "greater_than":
      reading.checks.push({ check: "least", value: boundText(def.value), isIncluded: def.inclusive });
      return;
    case "less_than":
      reading.checks.push({ check: "most", value: boundText(def.value), isIncluded: def.inclusive });
      return;
    case "multiple_of":
      reading.checks.push({ check: "multiple", of: Number(def.value) });
      return;
    case "min_length":
      reading.checks.push({ check: "shortest", length: def.minimum });
      return;
    case "max_length":
      reading.checks.push({ check: "longest", length: def.maximum });
      return;
    case "length_equals":
      reading.checks.push(
        { check: "shortest", length: def.length },
        { check: "longest", length: def.length },
      );
      return;
    case "string_format":
      readStringFormat(def as z.core.$ZodStringFormatDef, reading);
      return;
    case "overwrite":
      reading.problems.push("changes text (trim, toLowerCase and their like): do that in `map` or SQL");
      return;
    default:
      // What zod's types do not list: a refinement, and whatever zod may add.
      reading.needsJudge = isRefinement(def) ? "a refinement" : `the check ${def.check}`;
  }
}

const isRefinement = (def: Readonly<{ check: string }>): boolean => def.check === "custom";

const integerBounds = {
  safeint: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
} as const;

function boundsOf(format: keyof typeof integerBounds): ColumnCheck[] {
  const [least, most] = integerBounds[format];
  return [
    { check: "least", value: String(least), isIncluded: true },
    { check: "most", value: String(most), isIncluded: true },
  ];
}

const boundText = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));

/** What a format of text says beside its name. */
type FormatDef = z.core.$ZodStringFormatDef & Readonly<{ local?: boolean; offset?: boolean }>;

function readStringFormat(def: FormatDef, reading: Reading): void {
  if (def.format === "date") {
    reading.type = { type: "date" };
  } else if (def.format === "datetime") {
    if (def.local === true && def.offset === true)
      reading.problems.push("takes times with and without a zone; say either `local` or `offset`");
    reading.type = { type: def.local === true ? "timestamp" : "timestamptz" };
  } else if (def.pattern instanceof RegExp) {
    reading.patterns.push(def.pattern);
  } else {
    reading.needsJudge = `the format ${def.format}`;
  }
}

/** What zod keeps of a schema in its registry: `.describe(…)` and `.meta({…})`. */
function metaOf(schema: z.core.$ZodType): Record<string, unknown> {
  const { meta } = schema as Partial<z.ZodType>; // zod/mini has no methods, and so no meta either.
  const read = meta as (() => Record<string, unknown> | undefined) | undefined; // The form without arguments.
  return { ...read?.call(schema) };
}

function readMeta(reading: Reading): {
  description: string | null;
  unit: string | null;
  examples: readonly JsonValue[];
} {
  const { description, unit, examples, type } = reading.meta;
  for (const key of Object.keys(reading.meta)) {
    if ((metaKeys as readonly string[]).includes(key)) continue;
    const near = nearestName(key, metaKeys);
    reading.problems.push(
      `has the unknown meta "${key}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    );
  }
  if (type !== undefined) readMetaType(type, reading);
  const isExamples = examples === undefined || Array.isArray(examples);
  if (!isExamples) reading.problems.push("has examples that are no list");
  if (unit !== undefined && typeof unit !== "string") reading.problems.push("has a unit that is no text");
  return {
    description: typeof description === "string" ? description : null,
    unit: typeof unit === "string" ? unit : null,
    examples: isExamples ? JSON.parse(JSON.stringify(examples ?? [])) : [],
  };
}

/** Exact decimals have no schema of their own in zod; meta says how many digits there are. */
function readMetaType(type: unknown, reading: Reading): void {
  const match = typeof type === "string" ? /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/.exec(type) : null;
  const [precision, scale] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || precision < 1 || precision > decimalDigitsMax || scale > precision) {
    reading.problems.push(
      `has the meta type ${JSON.stringify(type)}; the one there is is "decimal(p,s)", with 1 to ${decimalDigitsMax} digits`,
    );
    return;
  }
  const from = reading.type?.type;
  if (from !== "text" && from !== "double" && from !== "bigint") {
    reading.problems.push(
      `is a decimal by its meta, and ${from ?? "nothing"} by its schema; use z.string() or z.number()`,
    );
    return;
  }
  reading.type = { type: "decimal", precision, scale };
}
