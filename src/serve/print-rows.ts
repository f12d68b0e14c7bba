/**
 * Rows as text: JSON, NDJSON and CSV, put together of the fragments that packs hold. One character a byte throughout, so
 * that the length of a text is the length of its body.
 */
import { toBytes, unquote } from "./column-value.ts";
import type { PackedColumn } from "./packed-column.ts";

/** Text formats of rows. */
export type TextFormat = "json" | "ndjson" | "csv";

/** Prints single rows, with what stands before, between and after them. */
export type RowPrinter = Readonly<{
  before: string;
  between: string;
  after: string;
  print: (row: number) => string;
}>;

/** A column under the name it has in answers. */
export type PrintedColumn = Readonly<{ name: string; packed: PackedColumn }>;

/** Opens the printer of a format. `json`: an array of objects. */
export function openRowPrinter(format: TextFormat, columns: readonly PrintedColumn[]): RowPrinter {
  switch (format) {
    case "json":
      return { before: "[", between: ",", after: "]\n", print: openObjectPrinter(columns) };
    case "ndjson":
      return { before: "", between: "\n", after: "\n", print: openObjectPrinter(columns) };
    case "csv": {
      const head = columns.map(({ name }) => quoteCell(toBytes(name))).join(",");
      return { before: `${head}\r\n`, between: "\r\n", after: "\r\n", print: openCsvPrinter(columns) };
    }
  }
}

/** Rows of a page as one text. */
export function printRows(printer: RowPrinter, rows: ArrayLike<number>): string {
  const { before, between, after, print } = printer;
  let text = before;
  for (let at = 0; at < rows.length; at++) text += at === 0 ? print(rows[at]!) : between + print(rows[at]!);
  return rows.length === 0 && after.trim() === "" ? text : text + after;
}

/** `{"a":1,"b":"x"}` */
export function openObjectPrinter(columns: readonly PrintedColumn[]): (row: number) => string {
  if (columns.length === 0) return () => "{}"; // A route may name every column there is.
  const heads = columns.map(({ name }, at) => `${at === 0 ? "{" : ","}${toBytes(JSON.stringify(name))}:`);
  const packed = columns.map((column) => column.packed);
  return (row) => {
    let text = "";
    for (let at = 0; at < packed.length; at++) text += heads[at]! + packed[at]!.fragment(row);
    return `${text}}`;
  };
}

/** CSV as RFC 4180 has it: null is nothing, an empty text is two quotes. */
function openCsvPrinter(columns: readonly PrintedColumn[]): (row: number) => string {
  const packed = columns.map((column) => column.packed);
  return (row) => {
    let text = "";
    for (let at = 0; at < packed.length; at++) {
      const column = packed[at]!;
      text += (at === 0 ? "" : ",") + printCell(column.fragment(row), column.kind.type);
    }
    return text;
  };
}

/** The cell of a fragment. */
export function printCell(fragment: string, type: string): string {
  if (fragment === "null") return "";
  if (type === "json") return quoteCell(fragment);
  return fragment.startsWith('"') ? quoteCell(unquote(fragment)) : fragment;
}

const quoteCell = (text: string): string =>
  text === "" || /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
