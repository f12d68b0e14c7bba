/** The first rows of a version, straight from its first Parquet file: what is shown while the rest is being loaded. */
import { Buffer } from "node:buffer";
import type { DuckDBConnection } from "@duckdb/node-api";
import { printColumnType } from "../../model/column-types.ts";
import type { PackColumn, PackSection } from "../../model/serving-pack.ts";
import type { HeadPack } from "../../ports/dataset-query.ts";
import type { QueryCalls } from "./query-calls.ts";
import { openPrinter, printColumn } from "./query-fragments.ts";
import { eachChunk } from "./query-pack.ts";
import { partsSql, tableColumns } from "./query-sql.ts";

/** Largest head, bytes: rows of long texts are fewer. */
const bytesMax = 8 * 1024 * 1024;

/** A column's fragments by row, UTF-8. */
type HeadColumn = Readonly<{ name: string; type: string; fragments: Buffer[]; nulls: boolean[] }>;

/** Reads the rows as a pack; its texts are those that the whole version's pack will have. */
export async function readHead(
  connection: DuckDBConnection,
  { columns, path, rowsMax }: QueryCalls["readHead"]["asked"],
): Promise<HeadPack> {
  const cells = tableColumns(columns);
  const read: HeadColumn[] = [...cells].map(([name, { type }]) => ({
    name,
    type: printColumnType(type),
    fragments: [],
    nulls: [],
  }));
  await eachChunk(connection, `${partsSql(cells, [path])} LIMIT ${rowsMax}`, (chunk, result) => {
    for (const [at, column] of read.entries()) {
      const isJson = cells.get(column.name)?.type.type === "json";
      const print = openPrinter(result.columnType(at), isJson ? "json" : "plain");
      for (const fragment of printColumn(chunk, at, print)) {
        column.fragments.push(Buffer.from(fragment, "utf8"));
        column.nulls.push(fragment === "null");
      }
    }
  });
  return layHead(read, fittingRows(read));
}

/** How many of the rows the head has room for. */
function fittingRows(columns: readonly HeadColumn[]): number {
  const rows = columns[0]?.fragments.length ?? 0;
  let bytes = 0;
  for (let row = 0; row < rows; row++) {
    for (const { fragments } of columns) bytes += fragments[row]!.byteLength; // Columns are of one length.
    if (bytes > bytesMax) return row;
  }
  return rows;
}

function layHead(read: readonly HeadColumn[], rowCount: number): HeadPack {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const append = (piece: Buffer, length: number): PackSection => {
    const gap = (8 - (bytes % 8)) % 8; // Sections begin at multiples of 8.
    const section = { at: bytes + gap, length };
    pieces.push(Buffer.alloc(gap), piece);
    bytes += gap + piece.byteLength;
    return section;
  };
  const columns = read.map(({ name, type, fragments, nulls }): PackColumn => {
    const kept = fragments.slice(0, rowCount);
    const ends = new Uint32Array(rowCount + 1);
    for (const [row, fragment] of kept.entries()) ends[row + 1] = ends[row]! + fragment.byteLength;
    const text = Buffer.concat(kept);
    return {
      name,
      type,
      coding: "rows",
      entries: rowCount,
      nullCount: nulls.slice(0, rowCount).filter(Boolean).length,
      text: append(text, text.byteLength),
      offsets: append(Buffer.from(ends.buffer), ends.length),
      codes: undefined,
      codeBytes: 4,
      counts: undefined,
      slots: undefined,
    };
  });
  return { bytes: Buffer.concat(pieces), layout: { rowCount, columns, orders: [], bytes } };
}
