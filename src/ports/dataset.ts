/** What a dataset is: made by `defineDataset`, built by `dataset`, named by projects. Plain data but for a project's own functions. */
import type { PublishedColumn } from "../model/dataset-manifest.ts";
import type { JsonValue } from "../model/json-value.ts";
import type { LandedFile } from "../model/landed-file.ts";
import type { DeclaredType } from "../model/stream.ts";
import type { TidyDeclaration } from "./tidy.ts";

/** A row as a project's own code sees it. */
export type DatasetRow = Readonly<Record<string, unknown>>;

/** What must hold of every value of a column, in a form that engines run. Nulls are another matter. */
export type ColumnCheck =
  | Readonly<{ check: "accepted"; values: readonly (string | number | boolean)[] }>
  /** `value` as text that the column's type reads. */
  | Readonly<{ check: "least" | "most"; value: string; isIncluded: boolean }>
  /** Length in UTF-16 units, as JavaScript counts. */
  | Readonly<{ check: "shortest" | "longest"; length: number }>
  | Readonly<{ check: "multiple"; of: number }>
  /** `pattern`: RE2. `shown`: as it was declared. */
  | Readonly<{ check: "matches"; pattern: string; shown: string }>;

/** **column** one named, typed field of a dataset's rows. */
export type DatasetColumn = Readonly<{
  published: PublishedColumn;
  type: DeclaredType;
  checks: readonly ColumnCheck[];
  /**
   * What only JavaScript can judge (patterns, refinements, shapes of JSON): what is wrong with a value, given as text;
   * `undefined`: there is nothing to judge. Only for rows that pass through JavaScript.
   */
  judge: ((text: string | null) => string | undefined) | undefined;
}>;

/** What a `map` is told beside the row. */
export type MapContext = Readonly<{
  file: LandedFile;
  fields: Readonly<Record<string, string>>;
  /** Number of the tidy row in its file, from 1. */
  number: number;
}>;

/** Makes rows of the dataset out of a tidy row: one, several or none. */
export type MapRow = (
  row: DatasetRow,
  context: MapContext,
) => DatasetRow | readonly DatasetRow[] | null | undefined;

/** Makes rows out of nothing but the project's own code. */
export type MakeRows = (
  context: Readonly<{ signal: AbortSignal }>,
) => AsyncIterable<DatasetRow> | Iterable<DatasetRow>;

/** Which landed files a dataset is made of; all conditions hold. */
export type FileFilter = Readonly<{
  /** Conditions on the name (`name`) or a field: the field's value must match the pattern, all of it. */
  conditions: readonly Readonly<{ field: string; pattern: RegExp; shown: string }>[];
}>;

/**
 * The order of release: later files replace rows of earlier ones. `landed`: as they came. `modified`: by the
 * publisher's Last-Modified. `fields`: by fields of the file, most significant first. `name`: by what a pattern finds
 * in the name, most significant first.
 */
export type ReleaseOrder =
  | Readonly<{ by: "landed" }>
  | Readonly<{ by: "modified" }>
  | Readonly<{ by: "fields"; fields: readonly string[] }>
  | Readonly<{ by: "name"; pattern: RegExp; groups: readonly string[]; shown: string }>;

/** Where a dataset's rows come from. */
export type DatasetInput =
  | Readonly<{
      kind: "files";
      /** `source.stream`, or a source of one stream. */
      stream: string;
      read: TidyDeclaration;
      files: FileFilter;
      release: ReleaseOrder;
      /** `newest`: the newest version of each file. `all`: every landed version, as a release of its own. */
      versions: "newest" | "all";
      map: MapRow | undefined;
      codeVersion: string | undefined;
    }>
  | Readonly<{ kind: "query"; sql: string; streams: readonly string[]; datasets: readonly string[] }>
  | Readonly<{ kind: "stream"; stream: string }>
  | Readonly<{ kind: "rows"; make: MakeRows; codeVersion: string | undefined }>;

/** Rows that a rule is about: SQL over the dataset's columns, or values by column. */
export type RowCondition =
  | string
  | Readonly<Record<string, JsonValue | readonly JsonValue[] | Readonly<{ matches: string }>>>;

/** What a rule looks at. */
export type RuleCheck =
  | Readonly<{ rule: "notNull"; columns: readonly string[]; where: RowCondition | undefined }>
  | Readonly<{ rule: "unique"; columns: readonly string[]; where: RowCondition | undefined }>
  | Readonly<{
      rule: "acceptedValues";
      column: string;
      values: readonly (string | number | boolean)[];
      where: RowCondition | undefined;
    }>
  | Readonly<{
      rule: "range";
      column: string;
      min: string | undefined;
      max: string | undefined;
      where: RowCondition | undefined;
    }>
  /** `pattern`: RE2, found anywhere in the value. */
  | Readonly<{ rule: "matches"; column: string; pattern: string; where: RowCondition | undefined }>
  | Readonly<{
      rule: "rowCount";
      min: number;
      max: number | undefined;
      /** Greatest change against the version before, as a share of it. */
      changeShareMax: number | undefined;
    }>
  | Readonly<{ rule: "freshness"; column: string; ageMsMax: number }>
  | Readonly<{
      rule: "sums";
      by: readonly string[];
      value: string;
      total: RowCondition;
      parts: RowCondition;
      tolerance: number;
      where: RowCondition | undefined;
      /** Groups that must have been checked at least; fewer fail the rule. */
      groupsMin: number;
    }>
  | Readonly<{
      rule: "references";
      columns: readonly string[];
      dataset: string;
      to: readonly string[];
      where: RowCondition | undefined;
    }>
  | Readonly<{ rule: "sql"; sql: string }>;

/** **quality rule** what must hold of a dataset's rows before they are published (`error`), or is told (`warn`). */
export type DatasetRule = Readonly<{ name: string; severity: "error" | "warn"; check: RuleCheck }>;

/** What happens to two rows of one key within one file: a fault, or one of them counts. */
export type DuplicateChoice = "error" | "first" | "last";

/** **dataset** a typed, documented, versioned table, published as Parquet. */
export type DatasetSpec = Readonly<{
  name: string;
  description: string;
  licence: string | undefined;
  columns: readonly DatasetColumn[];
  key: readonly string[];
  sort: readonly string[];
  from: DatasetInput;
  rules: readonly DatasetRule[];
  duplicates: DuplicateChoice;
  /** Columns that tell of a row's origin; another value there alone is no restatement. */
  originColumns: readonly string[];
  tenantColumn: string | undefined;
  /** Schema of its table in the warehouse. */
  warehouseSchema: string;
  /** Versions that `leat gc` leaves; `undefined`: all. */
  keepVersions: number | undefined;
}>;

/** Datasets that must be built before: those whose tables a query reads, and those that rules look into. */
export function datasetsBefore({ from, rules }: DatasetSpec): readonly string[] {
  const ofRules = rules.flatMap(({ check }) => (check.rule === "references" ? [check.dataset] : []));
  return from.kind === "query" ? [...from.datasets, ...ofRules] : ofRules;
}

/** Finds the landed files of a stream, for all its tenants; `stream` of the answer is `source.stream`. */
export type ListFiles = (
  reference: string,
  versions: "newest" | "all",
) => Promise<Readonly<{ stream: string; files: readonly LandedFile[] }>>;

/** What is told while a dataset is built. */
export type BuildEvent = Readonly<
  | { type: "reading"; dataset: string; file: string; number: number; of: number; isCached: boolean }
  | { type: "rows"; dataset: string; rows: number }
  | { type: "checking" | "publishing"; dataset: string; rows: number }
>;
