/** Where a dataset's rows come from: `fromFiles`, `fromSql`, `fromStream`, `fromRows`. Checked by `defineDataset`. */
import { z } from "zod";
import { type Fault, faultsOf } from "../errors/faults.ts";
import type { DatasetInput, FileFilter, MakeRows, MapRow, ReleaseOrder } from "../ports/dataset.ts";
import type { Source } from "../ports/source.ts";
import type { TidyDeclaration } from "../ports/tidy.ts";
import { globToExpression } from "./define-dataset-patterns.ts";

/** Which of a stream's files: a pattern of names (`*.xls*`), or conditions by field, `name` being the name. */
export type FileChoice = string | RegExp | Readonly<Record<string, string | RegExp | readonly string[]>>;

/**
 * In which order files were released; a later one's rows replace those of earlier ones with the same key.
 *
 * `"landed"` (default): as they were landed. `"lastModified"`: by the publisher's Last-Modified. `{ fields }`: by
 * fields of the file, the most significant first. A pattern of names such as `"{year}_{month}_{day}"` or a RegExp with
 * named groups: by what it finds in the name; `year`, `month` (also by English name), `week`, `day` and times in
 * the order of time, whatever their order in the name.
 */
export type ReleaseDeclaration =
  | "landed"
  | "lastModified"
  | (string & {})
  | RegExp
  | Readonly<{ fields: readonly string[] }>;

/** How rows are made of a stream's files. */
export type FromFilesOptions = Readonly<{
  /** What to make of each file: `workbook({...})`, `csv({...})` and their like. */
  read: TidyDeclaration;
  /** Only some of the files. Default: all. */
  files?: FileChoice;
  release?: ReleaseDeclaration;
  /**
   * `newest` (default): a file that has changed under its name counts as it is now. `all`: each landed version is a
   * release of its own, for files that are overwritten with newer periods and leave the older ones out.
   */
  versions?: "newest" | "all";
  /** Makes rows of the dataset out of a tidy row: one, several or none. Default: the row itself. */
  map?: MapRow;
  /** What the project calls the version of `map`, for the lineage, which has a hash of its text in any case. */
  mapVersion?: string;
}>;

/** What a query over the warehouse reads: the lineage names it, and a build of all datasets makes those first. */
export type FromSqlOptions = Readonly<{
  /** Streams, as `source.stream`. */
  streams?: readonly string[];
  /** Other datasets of the project. */
  datasets?: readonly string[];
}>;

/** What `from` of a dataset takes. */
export type InputDeclaration =
  | Readonly<{ kind: "files"; reference: Source | string; options: FromFilesOptions }>
  | Readonly<{ kind: "query"; sql: string; options: FromSqlOptions }>
  | Readonly<{ kind: "stream"; stream: string }>
  | Readonly<{ kind: "rows"; make: MakeRows; options: Readonly<{ version?: string }> }>;

/**
 * Rows out of the landed files of a stream.
 *
 * @param reference - a source of one stream, its name, or `source.stream`.
 * @example
 * ```ts
 * fromFiles("ons.workbooks", { read: csv({ columns: { code: "Code", deaths: "Deaths" } }), release: "{year}_{month}" });
 * ```
 */
export function fromFiles(reference: Source | string, options: FromFilesOptions): InputDeclaration {
  return Object.freeze({ kind: "files", reference, options });
}

/** Rows of a query over the warehouse, which is opened for reading only while it runs. */
export function fromSql(sql: string, options: FromSqlOptions): InputDeclaration {
  return Object.freeze({ kind: "query", sql, options });
}

/** The current rows of a stream (`source.stream`); the dataset's columns are those of the same names. */
export function fromStream(stream: string): InputDeclaration {
  return Object.freeze({ kind: "stream", stream });
}

/**
 * Rows that the project's own code yields.
 *
 * @param options - `version`: what the project calls the version of the code, for the lineage.
 */
export function fromRows(make: MakeRows, options: Readonly<{ version?: string }> = {}): InputDeclaration {
  return Object.freeze({ kind: "rows", make, options });
}

const text = z.string().min(1, "must not be empty");
const isFunction = (value: unknown): boolean => typeof value === "function";
const isExpression = (value: unknown): value is RegExp => value instanceof RegExp;

const tidySchema = z.custom<TidyDeclaration>(
  (value) =>
    typeof value === "object" &&
    value !== null &&
    "format" in value &&
    "columns" in value &&
    Array.isArray(value.columns),
  "is no declaration of how to read a file: make it with workbook(...), csv(...) or their like",
);
const expressionSchema = z.custom<RegExp>(isExpression, "is no RegExp");

const filesSchema = z.strictObject({
  read: tidySchema,
  files: z
    .union([text, expressionSchema, z.record(text, z.union([text, expressionSchema, z.array(text).min(1)]))])
    .optional(),
  release: z
    .union([text, expressionSchema, z.strictObject({ fields: z.array(text).min(1) })])
    .default("landed"),
  versions: z.enum(["newest", "all"]).default("newest"),
  map: z.custom<MapRow>(isFunction, "is no function").optional(),
  mapVersion: text.optional(),
});

const inputSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("files"),
    reference: z.union([text, z.custom<Source>((value) => nameOf(value) !== undefined)]),
    options: filesSchema,
  }),
  z.strictObject({
    kind: z.literal("query"),
    sql: text,
    options: z.strictObject({
      streams: z.array(text).default([]),
      datasets: z.array(text).default([]),
    }),
  }),
  z.strictObject({ kind: z.literal("stream"), stream: text }),
  z.strictObject({
    kind: z.literal("rows"),
    make: z.custom<MakeRows>(isFunction, "is no function"),
    options: z.strictObject({ version: text.optional() }),
  }),
]);

const nameOf = (value: unknown): string | undefined =>
  typeof value === "object" && value !== null && "name" in value && typeof value.name === "string"
    ? value.name
    : undefined;

/** Reads what `from` was given. Without a mapping, the reader's columns must be the dataset's. */
export function readInput(
  declared: unknown,
  columns: readonly string[],
): Readonly<{ input: DatasetInput | undefined; faults: readonly Fault[] }> {
  const isMade = typeof declared === "object" && declared !== null && "kind" in declared;
  if (!isMade) {
    const problem =
      "is no input: make it with fromFiles(...), fromSql(...), fromStream(...) or fromRows(...)";
    return { input: undefined, faults: [{ path: "from", problem }] };
  }
  const parsed = inputSchema.safeParse(declared);
  if (!parsed.success) {
    const faults = faultsOf(parsed.error).map(({ path, problem }) => ({ path: `from.${path}`, problem }));
    return { input: undefined, faults };
  }
  const from = parsed.data;
  switch (from.kind) {
    case "query":
      return { input: { kind: "query", sql: from.sql, ...from.options }, faults: [] };
    case "stream":
      return { input: { kind: "stream", stream: from.stream }, faults: [] };
    case "rows":
      return { input: { kind: "rows", make: from.make, codeVersion: from.options.version }, faults: [] };
    case "files": {
      const { reference, options } = from;
      const faults: Fault[] = [];
      const stream = typeof reference === "string" ? reference : nameOf(reference)!; // The schema looked for it.
      if (options.map === undefined) {
        for (const column of columns.filter((name) => !options.read.columns.includes(name))) {
          faults.push({
            path: `columns.${column}`,
            problem: `is not read from the files: \`read\` has ${options.read.columns.join(", ")}; add it there, or make it in \`map\``,
          });
        }
      }
      const release = readRelease(options.release);
      if (typeof release === "string") faults.push({ path: "from.options.release", problem: release });
      const input: DatasetInput = {
        kind: "files",
        stream,
        read: options.read,
        files: readFilter(options.files),
        release: typeof release === "string" ? { by: "landed" } : release,
        versions: options.versions,
        map: options.map,
        codeVersion: options.mapVersion,
      };
      return { input, faults };
    }
  }
}

function readFilter(declared: z.output<typeof filesSchema>["files"]): FileFilter {
  if (declared === undefined) return { conditions: [] };
  const byField = typeof declared === "string" || isExpression(declared) ? { name: declared } : declared;
  const conditions = Object.entries(byField).map(([field, wanted]) => {
    if (isExpression(wanted))
      return { field, pattern: new RegExp(wanted, wanted.flags.replace(/[gy]/g, "")), shown: String(wanted) };
    const globs = typeof wanted === "string" ? [wanted] : wanted;
    const pattern = new RegExp(globs.map((glob) => globToExpression(glob).source).join("|"), "s");
    return { field, pattern, shown: globs.join(" or ") };
  });
  return { conditions };
}

/** What time has, from its largest to its smallest part. */
const timeParts = ["year", "quarter", "month", "week", "day", "hour", "minute", "second"];

/** What a part of a pattern of names stands for; any other name stands for as little text as will do. */
const partPatterns: Readonly<Record<string, string>> = {
  year: "\\d{4}",
  quarter: "[1-4]",
  month: "\\d{1,2}|[A-Za-z]{3,9}",
  week: "\\d{1,2}",
  day: "\\d{1,2}",
  hour: "\\d{1,2}",
  minute: "\\d{2}",
  second: "\\d{2}",
};

/** The order of release, or what is wrong with its declaration. */
function readRelease(
  declared: string | RegExp | Readonly<{ fields: readonly string[] }>,
): ReleaseOrder | string {
  if (declared === "landed") return { by: "landed" };
  if (declared === "lastModified") return { by: "modified" };
  if (typeof declared === "object" && "fields" in declared) return { by: "fields", fields: declared.fields };
  const source = typeof declared === "string" ? compileNamePattern(declared) : declared.source;
  if (source === undefined)
    return `"${declared}" is neither landed nor lastModified nor a pattern of names such as {year}_{month}_{day}`;
  const groups = [...source.matchAll(/\(\?<([A-Za-z_]\w*)>/g)].map(([, name]) => name!);
  if (groups.length === 0) return `${String(declared)} has no named group, such as (?<year>\\d{4})`;
  if (new Set(groups).size < groups.length) return `${String(declared)} has two groups of one name`;
  const rankOf = (name: string) => (timeParts.includes(name) ? timeParts.indexOf(name) : timeParts.length);
  const ordered = groups.toSorted((a, b) => rankOf(a) - rankOf(b));
  const flags = typeof declared === "string" ? "i" : declared.flags.replace(/[gy]/g, "");
  return { by: "name", pattern: new RegExp(source, flags), groups: ordered, shown: String(declared) };
}

/** `{year}_{month}` as an expression to be found in names; `undefined`: there is no part in it. */
function compileNamePattern(pattern: string): string | undefined {
  const pieces = pattern.split(/(\{[A-Za-z_]\w*\})/);
  if (pieces.length < 2) return undefined;
  return pieces
    .map((piece) => {
      const part = /^\{(\w+)\}$/.exec(piece)?.[1];
      if (part !== undefined) return `(?<${part}>${partPatterns[part] ?? ".+?"})`;
      return globToExpression(piece).source.slice(1, -1);
    })
    .join("");
}
