/** Serve: the first question that people have, at the address that they think of. */
import { type ApiSpec, defineApi } from "../../src/index.ts";
import { deaths } from "./load.ts";

export const api: ApiSpec = defineApi({
  title: "Deaths by area and month",
  description:
    "Deaths registered in England and Wales, by area of usual residence and month, out of the workbooks of the Office for National Statistics.",
  datasets: [deaths],
  routes: [
    {
      path: "/year/{year}/geo_code/{geo_code}",
      dataset: "deaths",
      summary: "A year of one area, month by month. In years without codes areas go by their names.",
      parameters: { geo_code: "area" },
      shape: "map",
      key: "datetime",
      value: "deaths",
    },
    {
      path: "/area/{area}",
      dataset: "deaths",
      summary: "All months of one area.",
      shape: "rows",
      columns: ["period_start", "place_name", "deaths"],
    },
  ],
  licence: {
    name: "Open Government Licence v3.0",
    url: "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
  },
});
