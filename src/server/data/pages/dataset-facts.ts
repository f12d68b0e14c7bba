/** What the API tells of datasets, as far as pages show it. */

export type DatasetSummary = Readonly<{
  name: string;
  description: string;
  licence: string | null;
  version: string;
  shortVersion: string;
  rowCount: number;
  columnCount: number;
  builtAt: string;
  url: string;
}>;

export type DatasetList = Readonly<{ datasets: readonly DatasetSummary[] }>;

export type ColumnFacts = Readonly<{
  name: string;
  type: string;
  description: string | null;
  unit?: string | null;
  nullCount?: number;
  distinctCount?: number | null;
  min?: unknown;
  max?: unknown;
}>;

/** `/datasets/{name}` */
export type DatasetFacts = DatasetSummary &
  Readonly<{
    key: readonly string[];
    columns: readonly ColumnFacts[];
    /** `newest`: the latest value of each column of dates or times. */
    freshness: Readonly<{ builtAt: string; newest: Readonly<Record<string, string>> }>;
    lineage: Readonly<{ fileCount: number; files: readonly Readonly<{ name: string; rows: number }>[] }>;
    quality: readonly Readonly<{ name: string; severity: string; isPassed: boolean; failed: number }>[];
    parts: readonly Readonly<{ url: string; bytes: number }>[];
    links: Readonly<{ permanent: string }>;
  }>;

/** `/datasets/{name}/rows` and `/aggregate` */
export type PageOfRows = Readonly<{
  total: number;
  rows: readonly Readonly<Record<string, unknown>>[];
  next: string | null;
}>;

/** `/datasets/{name}/facets` */
export type FacetFacts = Readonly<{
  facets: Readonly<
    Record<
      string,
      Readonly<{ distinct: number; values: readonly Readonly<{ value: unknown; count: number }>[] }>
    >
  >;
}>;

/** `/datasets/{name}/versions` */
export type VersionFacts = Readonly<{
  versions: readonly Readonly<{
    shortVersion: string;
    number: number;
    rowCount: number;
    builtAt: string;
    isKept: boolean;
  }>[];
}>;

const grouped = new Intl.NumberFormat("en");
export const printCount = (count: number): string => grouped.format(count);

/** `2026-11-21 14:03 UTC` */
export const printInstant = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;

/** A value as people read it, every digit as it was published; `undefined`: there is none. */
export function printValue(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== "object") return String(value);
  // A number that a double cannot hold, kept as it was written.
  return "rawJSON" in value ? String(value.rawJSON) : JSON.stringify(value);
}
