/**
 * Landed packages made by hand: records as JSON text, spliced and sealed as extract does it, with the kinds of their
 * columns taken from the text itself.
 */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  type ColumnKinds,
  type ColumnTable,
  digitsCounted,
  foldColumn,
  foldColumns,
  kindBits,
} from "../model/column-kinds.ts";
import { type TenantId, toTenantId } from "../model/ids.ts";
import type { Compression } from "../model/manifest.ts";
import type { PackageToLoad, StagedPart } from "../ports/warehouse.ts";

/** What a package is made of. */
export type LandedPackageOptions = Readonly<{
  /** Folder of this machine where the parts are written. */
  folder: string;
  tenant: string;
  seq: number;
  /** Records as the partner would send them: JSON objects on one line each. */
  records: readonly string[];
  /** Default 0 and false. */
  generation?: number;
  completesGeneration?: boolean;
  /** Default `none`. */
  compression?: Compression;
  /** Records of one part; default all in one. */
  partRecordsMax?: number;
  tenantColumn?: string;
  /** Column and value of the partition. */
  partition?: Readonly<{ column: string; value: string }>;
  extractedAt?: string;
  /** Kinds that the manifest tells instead of those that the records have. */
  columns?: ColumnTable;
}>;

/** Records of one compressed frame: several to a part, as extract writes one a page. */
const frameRecords = 3;

/** Writes a package's parts and says what a load must know of it. */
export async function landPackage(options: LandedPackageOptions): Promise<PackageToLoad> {
  const { tenant, seq, records, compression = "none", tenantColumn = "tenant_id", partition } = options;
  const extractedAt = options.extractedAt ?? "2026-01-01T00:00:00.000Z";
  const size = options.partRecordsMax ?? Math.max(records.length, 1);
  const parts: StagedPart[] = [];
  const tables: ColumnTable[] = [];
  for (let from = 0; from < records.length; from += size) {
    const lines = records.slice(from, from + size).map((record, at) => {
      const own = [
        `${JSON.stringify(tenantColumn)}:${JSON.stringify(tenant)}`,
        `"_leat_package":${seq},"_leat_row":${from + at},"_leat_extracted_at":"${extractedAt}"`,
      ];
      if (partition !== undefined)
        own.push(`${JSON.stringify(partition.column)}:${JSON.stringify(partition.value)}`);
      const rest = record.trim().slice(1).trimStart();
      return `{${own.join(",")}${rest.startsWith("}") ? "" : ","}${rest}\n`;
    });
    const columns = measureColumns(records.slice(from, from + size));
    tables.push(columns);
    parts.push(await writePart(options.folder, compression, lines, columns));
  }
  return {
    tenant: toTenantId(tenant),
    seq,
    manifestHash: createHash("sha256")
      .update(`${tenant} ${seq} ${records.join("\n")}`)
      .digest("hex"),
    landed: records.length,
    generation: options.generation ?? 0,
    completesGeneration: options.completesGeneration ?? false,
    columns: options.columns ?? foldColumns(tables),
    parts,
    tenantColumn,
    partitionColumn: partition?.column,
  };
}

/** Hands out packages again by tenant and seq, as a load's `reopen`. */
export function reopenFrom(
  packages: readonly PackageToLoad[],
): (tenant: TenantId, seq: number) => Promise<PackageToLoad> {
  return async (tenant, seq) => {
    const found = packages.find((pack) => pack.tenant === tenant && pack.seq === seq);
    if (found === undefined) throw new Error(`no package ${seq} of tenant ${tenant} was landed`);
    return found;
  };
}

let partCount = 0;

async function writePart(
  folder: string,
  compression: Compression,
  lines: readonly string[],
  columns: ColumnTable,
): Promise<StagedPart> {
  partCount += 1;
  const ending = { none: "", zstd: ".zst", gzip: ".gz" }[compression];
  const name = `part-${process.pid}-${partCount}.ndjson${ending}`;
  const path = join(folder, name);
  const plain = Buffer.from(lines.join(""));
  const frames: Buffer[] = [];
  for (let from = 0; from < lines.length; from += frameRecords) {
    const frame = Buffer.from(lines.slice(from, from + frameRecords).join(""));
    if (compression === "none") frames.push(frame);
    else frames.push(compression === "zstd" ? zstdCompressSync(frame) : gzipSync(frame));
  }
  const stored = Buffer.concat(frames);
  await writeFile(path, stored);
  const exactColumns = [...columns].filter(([, seen]) => seen.hasExactNumbers).map(([key]) => key);
  const entry = {
    key: `landing/${name}`,
    bytes: stored.length,
    plainBytes: plain.length,
    records: lines.length,
    crc32c: "00000000", // Compared by who stages parts, before a warehouse sees them.
    exactColumns,
  };
  return { entry, path, compression };
}

/** The kinds of the columns of some records, from their text. */
export function measureColumns(records: readonly string[]): ColumnTable {
  const columns = new Map<string, ColumnKinds>();
  for (const record of records)
    for (const [key, value] of readFields(record)) columns.set(key, foldColumn(columns.get(key), value));
  return columns;
}

/** Stands for a number in parsed JSON: its text. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Reviver with the source text of values (ES2025, in V8 since 11.4), which the types of es2024 lack. */
type SourceReviver = (key: string, value: unknown, context: { source?: string }) => unknown;
const keepNumbers: SourceReviver = (_key, value, { source }) =>
  typeof value === "number" ? new NumberText(source!) : value;

function readFields(record: string): [string, ColumnKinds][] {
  const text = record.replaceAll("\\ud800", ""); // A case of broken text; its kind is text either way.
  const fields = JSON.parse(text, keepNumbers as (key: string, value: unknown) => unknown) as object;
  return Object.entries(fields).map(([key, value]) => [key, measureValue(value)]);
}

const nothing: ColumnKinds = { kinds: 0, intDigitsMax: 0, scaleMax: 0, hasExactNumbers: false };

function measureValue(value: unknown): ColumnKinds {
  if (value instanceof NumberText) return measureNumber(value.text);
  if (value === null) return { ...nothing, kinds: kindBits.null };
  if (typeof value === "boolean") return { ...nothing, kinds: kindBits.boolean };
  if (typeof value === "string") return { ...nothing, kinds: stringKind(value) };
  const inside = Object.values(value as object).map(measureValue);
  const folded = inside.reduce<ColumnKinds>(foldColumn, nothing);
  return { ...folded, kinds: Array.isArray(value) ? kindBits.array : kindBits.object };
}

function stringKind(text: string): number {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:([T ])([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6}0*)?(Z|[+-]\d\d(:?\d\d)?)?)?)?$/.exec(
      text,
    );
  if (match === null || match[1]!.startsWith("0000")) return kindBits.text;
  const date = new Date(`${match[1]}T00:00:00Z`);
  if (Number.isNaN(date.getTime()) || !date.toISOString().startsWith(match[1]!)) return kindBits.text;
  if (match[2] === undefined) return kindBits.date;
  return match[6] === undefined ? kindBits.timestamp : kindBits.timestampTz;
}

function measureNumber(literal: string): ColumnKinds {
  const { digits, exponent } = normalise(literal);
  const back = normalise(String(Number(literal)));
  const survives =
    Number.isFinite(Number(literal)) &&
    back.digits === digits &&
    (digits === "" || back.exponent === exponent);
  const isInteger = /^-?\d+$/.test(literal);
  const isLarge = isInteger && !Number.isSafeInteger(Number(literal));
  return {
    kinds: isInteger ? kindBits.integer : kindBits.decimal,
    intDigitsMax: clampDigits(digits === "" ? 0 : digits.length + exponent),
    scaleMax: clampDigits(digits === "" ? 0 : -exponent),
    hasExactNumbers: !survives || isLarge,
  };
}

const clampDigits = (count: number) => Math.min(Math.max(count, 0), digitsCounted);

/** A number as digits without zeros at either end, times ten to the exponent. */
function normalise(literal: string): { digits: string; exponent: number } {
  const match = /^[+-]?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (match === null) return { digits: "?", exponent: 0 };
  const all = `${match[1]}${match[2]}`.replace(/^0+/, "");
  const digits = all.replace(/0+$/, "");
  return { digits, exponent: Number(match[3] ?? 0) - match[2]!.length + (all.length - digits.length) };
}
