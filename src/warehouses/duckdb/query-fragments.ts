/** Values of the engine as the JSON texts that packs and answers are made of. */
import * as engine from "@duckdb/node-api";
import { openValueConverter } from "./query-values.ts";

/** Prints a value of a column. */
export type PrintValue = (value: engine.DuckDBValue) => string;

/** Digits told of a compensated sum or mean: those that do not depend on the order of adding. */
const steadyDigits = 15;

/**
 * Makes the printer of a column.
 *
 * @param kind - `json`: its texts are JSON already. `steady`: doubles whose last digits depend on the order of the work.
 */
export function openPrinter(type: engine.DuckDBType, kind: "plain" | "json" | "steady"): PrintValue {
  const convert = openValueConverter(engine);
  if (kind === "json") return (value) => (value === null ? "null" : onOneLine(String(value)));
  return (value) => {
    const plain = convert(value, type, convert);
    if (kind === "steady" && typeof plain === "number")
      return String(Number(plain.toPrecision(steadyDigits)));
    return JSON.stringify(plain);
  };
}

/** JSON has line ends only between its tokens, since those in strings are escaped; NDJSON may have none. */
const onOneLine = (json: string): string => json.replace(/[\n\r]+/g, " ");

/** The texts of one column of a chunk. */
export function printColumn(chunk: engine.DuckDBDataChunk, column: number, print: PrintValue): string[] {
  const vector = chunk.getColumnVector(column);
  return Array.from({ length: chunk.rowCount }, (_, row) => print(vector.getItem(row)));
}
