/** Rows of the publisher's own workbooks: the figures that the API's first question asks for. */
import { join } from "node:path";
import type { SheetCell } from "../../src/workbook/sheet.ts";
import { brief, dataFolder, readFileSheets } from "../readers/read-cells.ts";
import { deathsSchema } from "./deaths-api.ts";
import type { TestApi } from "./open-test-api.ts";
import type { Row } from "./published-versions.ts";

const monthColumns = [..."CDEFGHIJKLMN"];
const firstRow = 5; // Row 4 is the header.

/** Every area with a code of nine characters, and every month with a figure. */
async function readYear(year: 2018 | 2020): Promise<Row[]> {
  const sheets = await readFileSheets(join(dataFolder, "ons-monthly-deaths", `${year}.xls`));
  const { cells } = sheets.find(({ name }) => name === `Figures for ${year}`)!;
  const valueAt = (place: string): unknown => brief(cells[place] as SheetCell); // `undefined` as it is.
  const rows: Row[] = [];
  for (let row = firstRow; row < 450; row++) {
    const [code, name] = [valueAt(`A${row}`), valueAt(`B${row}`)].map((value) => String(value ?? "").trim());
    if (code === undefined || !/^[A-Z][0-9]{8}$/.test(code)) continue;
    for (const [month, column] of monthColumns.entries()) {
      const deaths = valueAt(`${column}${row}`);
      if (typeof deaths !== "number") continue;
      const day = new Date(Date.UTC(year, month + 1, 0)).toISOString().slice(0, 10);
      rows.push([code, name === "" ? null : name!, String(year), day, String(deaths)]);
    }
  }
  return rows;
}

/** Publishes the years 2018 and 2020; how many rows that are. */
export async function publishWorkbooks(api: TestApi): Promise<number> {
  const rows = [...(await readYear(2018)), ...(await readYear(2020))];
  await api.published.publish("deaths", deathsSchema, rows);
  await api.refresh();
  return rows.length;
}
