/** Files that answers are, read back by other programs than those that wrote them. */
import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { Type, tableFromIPC, type Vector } from "apache-arrow";
import { parse } from "csv-parse/sync";
import type { PublishedColumn } from "../../src/model/dataset-manifest.ts";
import { jsonOf } from "./naive-values.ts";
import type { Cell } from "./published-versions.ts";

/** Rows as JSON answers have them. */
export type JsonRow = Readonly<Record<string, unknown>>;

const toRow = (columns: readonly PublishedColumn[], cells: readonly Cell[]): JsonRow =>
  Object.fromEntries(columns.map((column, at) => [column.name, jsonOf(column, cells[at]!)]));

/** CSV: nothing is null, two quotes are an empty text. */
export function readCsv(text: string, columns: readonly PublishedColumn[]): JsonRow[] {
  const isQuoted = (value: string, { quoting }: { quoting: boolean }): Cell =>
    value === "" && !quoting ? null : value;
  const [head, ...rows] = parse(text, { cast: isQuoted, relax_column_count: false }) as unknown as Cell[][]; // `cast` makes nulls.
  const names = columns.map(({ name }) => name);
  if (JSON.stringify(head) !== JSON.stringify(names)) throw new Error(`head ${JSON.stringify(head)}`);
  return rows.map((cells) => toRow(columns, cells));
}

export const readLines = (text: string): JsonRow[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as JsonRow); // A line of an answer is an object.

/** Parquet, by the engine: every value as the text that it was published as. */
export async function readParquet(
  bytes: Uint8Array,
  columns: readonly PublishedColumn[],
): Promise<JsonRow[]> {
  const path = join(tmpdir(), `leat-serve-${randomUUID()}.parquet`);
  await writeFile(path, bytes);
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    const described = await connection.runAndReadAll(`DESCRIBE FROM read_parquet('${path}')`);
    const names = described.getRows().map(([name]) => String(name));
    if (JSON.stringify(names) !== JSON.stringify(columns.map(({ name }) => name)))
      throw new Error(`columns ${JSON.stringify(names)}`);
    const texts = names.map((name) => `CAST("${name.replaceAll('"', '""')}" AS VARCHAR)`);
    const found = await connection.runAndReadAll(
      `SELECT ${texts.join(", ")} FROM read_parquet('${path}', file_row_number = true) ORDER BY file_row_number`,
    );
    return found.getRows().map((cells) =>
      toRow(
        columns,
        cells.map((cell, at) => (cell === null ? null : fromEngineText(columns[at]!.type, String(cell)))),
      ),
    );
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(path);
  }
}

/** How the engine prints a value, as answers have it. */
function fromEngineText(type: string, text: string): string {
  if (type === "double") return { inf: "Infinity", "-inf": "-Infinity", nan: "NaN" }[text] ?? text;
  if (!type.startsWith("timestamp")) return text;
  return text.replace(" ", "T").replace(/\+00$/, "Z");
}

/** Arrow, by its own library. */
export function readArrow(bytes: Uint8Array, columns: readonly PublishedColumn[]): JsonRow[] {
  const table = tableFromIPC(bytes);
  const names = table.schema.fields.map(({ name }) => name);
  if (JSON.stringify(names) !== JSON.stringify(columns.map(({ name }) => name)))
    throw new Error(`columns ${JSON.stringify(names)}`);
  const vectors = columns.map((_, at) => table.getChildAt(at)!);
  return Array.from({ length: table.numRows }, (_, row) =>
    toRow(
      columns,
      columns.map(({ type }, at) => fromArrow(type, vectors[at]!, row)),
    ),
  );
}

const usPerMs = 1000n;

function fromArrow(type: string, vector: Vector, row: number): Cell {
  const value: unknown = vector.get(row);
  if (value === null) return null;
  if (vector.type.typeId === Type.Decimal)
    return fromWords(value as Uint32Array, vector.type.scale as number); // As the type says.
  if (type !== "date" && !type.startsWith("timestamp")) return String(value);
  // The library rounds to milliseconds: days and microseconds are read from the memory below.
  const data = vector.data[0]!;
  if (vector.data.length !== 1) throw new Error("one batch is expected");
  const raw = (data.values as Int32Array | BigInt64Array)[data.offset + row]!; // Likewise.
  if (typeof raw === "number") {
    if (Math.abs(raw) === 2 ** 31 - 1) return raw < 0 ? "-infinity" : "infinity";
    return new Date(raw * 86_400_000).toISOString().slice(0, 10);
  }
  const ms = raw / usPerMs - (raw % usPerMs < 0n ? 1n : 0n);
  const fraction = String(raw - (raw / 1_000_000n - (raw % 1_000_000n < 0n ? 1n : 0n)) * 1_000_000n);
  const digits = fraction.padStart(6, "0").replace(/0+$/, "");
  const text = new Date(Number(ms)).toISOString().slice(0, 19);
  return `${text}${digits === "" ? "" : `.${digits}`}${type === "timestamptz" ? "Z" : ""}`;
}

/** A decimal of four words, the least first. */
function fromWords(words: Uint32Array, scale: number): string {
  const bits = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  const value = BigInt.asIntN(128, bits);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  const point = scale === 0 ? "" : `.${digits.slice(-scale)}`;
  return `${value < 0n ? "-" : ""}${digits.slice(0, digits.length - scale)}${point}`;
}
