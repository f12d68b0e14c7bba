/** A workbook of two sheets, with a title above its table, as a library writes it. */
import * as library from "@e965/xlsx";

export function smallBook(): Uint8Array {
  const book = library.utils.book_new();
  const figures = library.utils.aoa_to_sheet(
    [
      ["Deaths by area"],
      [],
      ["area", "day", "deaths"],
      ["E1", new Date(Date.UTC(2018, 0, 31)), 315],
      ["E2", new Date(Date.UTC(2018, 1, 28)), 7],
    ],
    { UTC: true },
  );
  library.utils.book_append_sheet(book, figures, "Figures");
  const notes = library.utils.aoa_to_sheet([
    ["note", "by"],
    ["made up", "nobody"],
  ]);
  library.utils.book_append_sheet(book, notes, "Notes");
  return library.write(book, { type: "buffer", bookType: "xlsx" }) as Uint8Array; // Which is what was asked for.
}
