/** Results as Arrow IPC files: the engine's own writer is an extension that is not built in. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBDecimalValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
} from "@duckdb/node-api";
import type * as Arrow from "apache-arrow";
import { LeatError } from "../../errors/leat-error.ts";

type Library = typeof Arrow;

/** Rows gathered into a record batch: enough that its head weighs nothing, few enough that some columns fit in memory. */
const batchRows = 65_536;
/** Text of one column after which a batch is ended early: offsets are 32-bit. */
const batchTextBytes = 64 * 1024 * 1024;

/** Writes the result of a query as an Arrow file. */
export async function writeArrow(connection: DuckDBConnection, sql: string, path: string): Promise<void> {
  const arrow = await importArrow();
  const result = await connection.stream(sql);
  const names = result.columnNames();
  const shown = names.map((name, at) => ({ name, at })).filter(({ name }) => name !== "_leat_total");
  const columns = shown.map(({ at }) => openColumn(arrow, result.columnType(at)));
  const schema = new arrow.Schema(
    shown.map(({ name }, index) => new arrow.Field(name, columns[index]!.type, true)),
  );
  const writer = new arrow.RecordBatchFileWriter();
  const output = createWriteStream(path);
  const done = finished(writer.toNodeStream().pipe(output));
  done.catch(() => {}); // Awaited below; a failed write must not be an unhandled one before that.
  const emit = async (rows: number): Promise<void> => {
    const children = columns.map((column) => column.take(rows));
    const data = arrow.makeData({
      type: new arrow.Struct(schema.fields),
      length: rows,
      nullCount: 0,
      children,
    });
    writer.write(new arrow.RecordBatch(schema, data));
    if (output.writableNeedDrain) await once(output, "drain");
  };
  writer.reset(undefined, schema);
  let gathered = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    for (const [index, { at }] of shown.entries()) columns[index]!.add(chunk, at);
    gathered += chunk.rowCount;
    if (gathered < batchRows && columns.every(({ textBytes }) => textBytes < batchTextBytes)) continue;
    await emit(gathered);
    gathered = 0;
  }
  if (gathered > 0) await emit(gathered);
  writer.finish();
  await done;
}

async function importArrow(): Promise<Library> {
  try {
    return await import("apache-arrow");
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "Answers in the Arrow format need apache-arrow, which cannot be loaded.",
      hint: "Run `npm install apache-arrow@21.2.0`.",
      cause,
    });
  }
}

/** Gathers the values of a column until they become part of a batch. */
type ArrowColumn = {
  readonly type: Arrow.DataType;
  textBytes: number;
  add(chunk: DuckDBDataChunk, column: number): void;
  take(rows: number): Arrow.Data;
};

/** How values of a type lie in an Arrow vector. */
type Layout = Readonly<{
  type: Arrow.DataType;
  /** The buffers that `makeData` wants beside the bitmap of nulls. */
  pack: (values: readonly DuckDBValue[]) => Readonly<Record<string, unknown>>;
}>;

function openColumn(arrow: Library, type: DuckDBType): ArrowColumn {
  const layout = layoutOf(arrow, type);
  let values: DuckDBValue[] = [];
  const column: ArrowColumn = {
    type: layout.type,
    textBytes: 0,
    add(chunk, at) {
      const vector = chunk.getColumnVector(at);
      for (let row = 0; row < chunk.rowCount; row++) {
        const value = vector.getItem(row);
        if (typeof value === "string") column.textBytes += value.length;
        values.push(value);
      }
    },
    take(rows) {
      const nullBitmap = toBits(values, (value) => value !== null);
      const nullCount = values.filter((value) => value === null).length;
      const facts = { type: layout.type, length: rows, nullCount, nullBitmap, ...layout.pack(values) };
      values = [];
      column.textBytes = 0;
      // Which form of `makeData` it is depends on the type, which is only known while the program runs.
      return (arrow.makeData as (facts: object) => Arrow.Data)(facts);
    },
  };
  return column;
}

function layoutOf(arrow: Library, type: DuckDBType): Layout {
  switch (type.typeId) {
    case DuckDBTypeId.BIGINT:
      return {
        type: new arrow.Int64(),
        pack: (values) => ({ data: BigInt64Array.from(values, (value) => BigInt((value ?? 0) as bigint)) }),
      };
    case DuckDBTypeId.DOUBLE:
      return {
        type: new arrow.Float64(),
        pack: (values) => ({ data: Float64Array.from(values, (value) => Number(value ?? 0)) }),
      };
    case DuckDBTypeId.BOOLEAN:
      return {
        type: new arrow.Bool(),
        pack: (values) => ({ data: toBits(values, (value) => value === true) }),
      };
    case DuckDBTypeId.DATE:
      return {
        type: new arrow.DateDay(),
        pack: (values) => ({
          data: Int32Array.from(values, (value) => (value instanceof DuckDBDateValue ? value.days : 0)),
        }),
      };
    case DuckDBTypeId.TIMESTAMP:
      return { type: new arrow.TimestampMicrosecond(), pack: packMicros };
    case DuckDBTypeId.TIMESTAMP_TZ:
      return { type: new arrow.TimestampMicrosecond("UTC"), pack: packMicros };
    case DuckDBTypeId.HUGEINT:
      return {
        type: new arrow.Decimal(0, 38, 128),
        pack: (values) => ({ data: to128(values, (value) => value as bigint) }),
      };
    case DuckDBTypeId.DECIMAL: {
      const { scale, width } = type as Readonly<{ scale: number; width: number }>; // By its id.
      return {
        type: new arrow.Decimal(scale, width, 128),
        pack: (values) => ({
          data: to128(values, (value) => (value instanceof DuckDBDecimalValue ? value.value : 0n)),
        }),
      };
    }
    default:
      return { type: new arrow.Utf8(), pack: packText };
  }
}

function packMicros(values: readonly DuckDBValue[]): Readonly<Record<string, unknown>> {
  const micros = (value: DuckDBValue): bigint =>
    value !== null && typeof value === "object" && "micros" in value ? (value.micros as bigint) : 0n;
  return { data: BigInt64Array.from(values, micros) };
}

function packText(values: readonly DuckDBValue[]): Readonly<Record<string, unknown>> {
  const texts = values.map((value) => (value === null ? "" : String(value)));
  const data = Buffer.from(texts.join(""), "utf8");
  const valueOffsets = new Int32Array(texts.length + 1);
  for (const [at, text] of texts.entries())
    valueOffsets[at + 1] = valueOffsets[at]! + Buffer.byteLength(text);
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), valueOffsets };
}

/** 128-bit integers in two's complement, four words each, the least first. */
function to128(values: readonly DuckDBValue[], read: (value: DuckDBValue) => bigint): Uint32Array {
  const words = new Uint32Array(values.length * 4);
  for (const [at, value] of values.entries()) {
    const bits = value === null ? 0n : BigInt.asUintN(128, read(value));
    for (let word = 0; word < 4; word++)
      words[at * 4 + word] = Number((bits >> BigInt(32 * word)) & 0xffff_ffffn);
  }
  return words;
}

function toBits(values: readonly DuckDBValue[], isSet: (value: DuckDBValue) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 64) * 8); // Arrow pads to 8 bytes.
  for (const [at, value] of values.entries()) if (isSet(value)) bits[at >> 3]! |= 1 << (at & 7);
  return bits;
}
