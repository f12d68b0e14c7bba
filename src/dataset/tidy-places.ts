/** Where a tidy row came from: asked of the reader for every workbook, so that faults name sheet and cell. */
import { isJsonObject, type JsonObject } from "../model/json-value.ts";
import { leatPrefix } from "../model/stream.ts";
import type { DatasetRow } from "../ports/dataset.ts";
import type { RowPlace } from "../ports/dataset-engine.ts";
import type { TidyDeclaration } from "../ports/tidy.ts";

/** The declaration with leat's own columns for the places, which no dataset's column can be called. */
export function withPlaces(read: TidyDeclaration): TidyDeclaration {
  const { columns } = read.options;
  if (read.format !== "workbook" || !isJsonObject(columns)) return read;
  // Figures under headings have a cell of their own; other rows are one row of the sheet.
  const hasHeadings = Object.values(columns).some((column) => isJsonObject(column) && "heading" in column);
  const places = [...("members" in read.options ? ["file"] : []), "sheet", hasHeadings ? "cell" : "row"];
  const own = places.map((place): [string, JsonObject] => [`${leatPrefix}${place}`, { place }]);
  return {
    ...read,
    columns: [...read.columns, ...own.map(([name]) => name)],
    options: { ...read.options, columns: { ...columns, ...Object.fromEntries(own) } },
  };
}

/** Reads a row's place by the columns that tell of it, leat's own or those of the declaration. */
export function openPlaces(
  read: TidyDeclaration,
  input: number,
): (row: DatasetRow, number: number) => RowPlace {
  const { columns } = read.options;
  const told = new Map<string, string>();
  for (const [name, column] of isJsonObject(columns) ? Object.entries(columns) : []) {
    const place = isJsonObject(column) ? column["place"] : undefined;
    if (typeof place === "string") told.set(place, name);
  }
  // The file is named anyway, unless the row is of a member of it.
  if (!("members" in read.options)) told.delete("file");
  const places = [...told];
  return (row, number) => {
    if (places.length === 0) return { input, row: number, place: null };
    return {
      input,
      row: number,
      place: places.map(([place, name]) => `${place} ${String(row[name] ?? "?")}`).join(", "),
    };
  };
}
