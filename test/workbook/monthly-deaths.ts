/** One declaration for fifteen years of monthly deaths. */
import type { WorkbookOptions } from "../../src/workbook/workbook-options.ts";

export const monthlyDeaths: WorkbookOptions = {
  sheets: ["Figures for {year}", /^figures/i],
  columns: {
    geo_code: {
      header: ["Area codes", "Area of usual residence"],
      // Nine characters, two of them in one cell, or the old codes: A, 921, 2D, 16, 00EH.
      values: /^([A-Z]\d{8}(, [A-Z]\d{8})*|[A-Z]|\d{2,3}|\d[A-Z]|\d{2}[A-Z]{1,2})$/,
      optional: true,
    },
    place_name: { label: "first" },
    level: { label: "level" },
    month: { heading: 1, kind: "month" },
    deaths: { figure: true, kind: "integer", symbols: { "-": "zero" } },
    row: { place: "row" },
  },
};
