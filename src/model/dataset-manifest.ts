/** **dataset version** a complete, checked set of rows with its schema, named by its content; one entry of a dataset's log. */
import type { JsonObject, JsonValue } from "./json-value.ts";

/** Written by this version; older ones must stay readable for ever, newer ones are refused by name. */
export const datasetFormatVersion = 1;

/** A column as readers of a version see it. `type` as `printColumnType` writes it: `text`, `decimal(12,2)`. */
export type PublishedColumn = Readonly<{
  name: string;
  type: string;
  isNullable: boolean;
  description: string | null;
  unit: string | null;
  examples: readonly JsonValue[];
}>;

/** What a version's rows are, for people and for programs that serve them. Part of what the version is named by. */
export type PublishedSchema = Readonly<{
  description: string;
  licence: string | null;
  columns: readonly PublishedColumn[];
  /** Columns that together name a row. */
  key: readonly string[];
  /** Order of the rows; ends with what is missing of the key, so that it is total. Nulls last. */
  sort: readonly string[];
  /** Column holding the tenant a row belongs to; `null`: rows belong to nobody in particular. */
  tenantColumn: string | null;
}>;

/** One Parquet file of a version. */
export type DatasetPart = Readonly<{ key: string; rows: number; bytes: number; sha256: string }>;

/** A file that rows were made of. */
export type FileLineage = Readonly<{
  /** `source.stream`. */
  stream: string;
  tenant: string;
  id: string;
  name: string;
  sha256: string;
  /** Package and row of the stream's log that landed this version of the file. */
  seq: number;
  row: number;
  /** Rows that its reader made of it, and those that came into the build after `map`. */
  tidyRows: number;
  rows: number;
}>;

/** How far a stream was loaded for a tenant when a query over the warehouse was run. */
export type StreamLineage = Readonly<{ stream: string; tenant: string; seq: number }>;

/** Where a version comes from. */
export type DatasetLineage = Readonly<{
  files: readonly FileLineage[];
  streams: readonly StreamLineage[];
  /** Versions of other datasets that rules looked at. */
  datasets: readonly Readonly<{ dataset: string; version: string }>[];
  /** The query, where there is one. */
  sql: string | null;
  /** SHA-256 of the text of the project's own function (`map`, or a generator of rows), and what it calls its version. */
  code: Readonly<{ sha256: string; version: string | null }> | null;
  /** What read the files; rows of equal files differ only if it does. */
  reader: string | null;
  /** SHA-256 of the declaration, functions by their text. */
  declaration: string;
  leat: string;
}>;

/** What was made of a file, and why. */
export type FileLayout = Readonly<{ id: string; name: string; sha256: string; report: JsonObject }>;

/** How a rule ended. */
export type RuleResult = Readonly<{
  name: string;
  rule: string;
  severity: "error" | "warn";
  isPassed: boolean;
  /** Rows, groups or values looked at, and those that could not be judged. */
  checked: number;
  skipped: number;
  failed: number;
  /** What else there is to say: the bound, the newest value, that there was nothing to check. */
  note: string | null;
  /** Some offending rows or groups. */
  samples: readonly JsonObject[];
}>;

/** One cell that a later release gave another value. */
export type RestatedCell = Readonly<{
  key: JsonObject;
  column: string;
  before: JsonValue;
  after: JsonValue;
  /** Names of the files. */
  from: string;
  to: string;
}>;

/** What later files did to rows of earlier ones, in the order of release. */
export type Restatement = Readonly<{
  /** Rows replaced by one with other values, and by an equal one. */
  restated: number;
  repeated: number;
  files: readonly Readonly<{
    id: string;
    name: string;
    rows: number;
    added: number;
    restated: number;
    repeated: number;
  }>[];
  /** Restated cells by column. */
  columns: Readonly<Record<string, number>>;
  samples: readonly RestatedCell[];
}>;

/** An entry of a dataset's log. JSON throughout. */
export type DatasetManifest = Readonly<{
  formatVersion: typeof datasetFormatVersion;
  dataset: string;
  seq: number;
  /** SHA-256 of schema and rows, hex: equal rows under an equal schema are one version, whoever built them when. */
  version: string;
  /** Random name of the build that wrote the parts. */
  buildId: string;
  schema: PublishedSchema;
  rowCount: number;
  parts: readonly DatasetPart[];
  lineage: DatasetLineage;
  rules: readonly RuleResult[];
  restatement: Restatement;
  /** Where the layout reports of its files are, an array of {@link FileLayout}; `null`: it is not made of files. */
  layouts: Readonly<{ key: string; bytes: number; sha256: string }> | null;
  /** ISO 8601, UTC. */
  builtAt: string;
}>;
