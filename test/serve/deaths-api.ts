/** The API that most tests ask: deaths by area and month. */

import type { PublishedSchema } from "../../src/model/dataset-manifest.ts";
import type { ApiSpec } from "../../src/ports/api-spec.ts";
import { defineApi } from "../../src/serve/define-api.ts";
import { column, type Row, schemaOf } from "./published-versions.ts";

export const deathsSchema: PublishedSchema = schemaOf(
  [
    column("geo_code", "text", { description: "Code of the area." }),
    column("geo_name", "text", { isNullable: true }),
    column("year", "bigint"),
    column("month", "date"),
    column("deaths", "bigint", { isNullable: true, unit: "deaths" }),
  ],
  { description: "Deaths by area and month.", key: ["geo_code", "month"] },
);

export const deathsApi: ApiSpec = defineApi({
  title: "Deaths",
  description: "Monthly figures.",
  datasets: ["deaths"],
  routes: [
    {
      path: "/year/{year}/geo_code/{geo_code}",
      dataset: "deaths",
      shape: "map",
      key: "month",
      value: "deaths",
    },
    {
      path: "/area/{area}",
      dataset: "deaths",
      shape: "rows",
      parameters: { area: "geo_code" },
      columns: ["month", "deaths"],
    },
    { path: "/figure/{geo_code}/{month}", dataset: "deaths", shape: "single" },
  ],
});

/** Two years of `areas` areas; some names and figures are missing. */
export function deathsRows(areas: number, offset = 0): Row[] {
  const rows: Row[] = [];
  for (let area = 1; area <= areas; area++)
    for (const year of [2018, 2019])
      for (let month = 1; month <= 12; month++) {
        const day = new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
        const deaths =
          (area * 7 + month * 3 + year + offset) % 10 === 0 ? null : String(area * month + offset);
        rows.push([
          `E${String(area).padStart(8, "0")}`,
          area % 3 === 0 ? null : `Area "${area}", été`,
          String(year),
          day,
          deaths,
        ]);
      }
  return rows;
}
