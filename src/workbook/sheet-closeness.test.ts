import { expect, test } from "vitest";
import { isClose } from "./sheet-closeness.ts";

test("a few letters may differ, or some words be others", () => {
  for (const name of [
    "Figure for 2018",
    "figures  for 2018",
    "Figures_for_2018",
    "Figurs for 2018",
    "Monthly figures for 2018",
  ]) {
    expect(isClose("Figures for 2018", name), name).toBe(true);
  }
  expect(isClose("Table 2 - All deaths", "Table 2 All deaths (revised)")).toBe(true);
});

test("numbers may not", () => {
  for (const name of ["Figures for 2017", "Figures for 2018 2", "Figures", "1"])
    expect(isClose("Figures for 2018", name), name).toBe(false);
});

test("other names are not close", () => {
  for (const name of ["Contents", "Information", "1.4_deaths", "Table 2 - COVID cases by area"]) {
    expect(isClose("Table 2 - All deaths", name), name).toBe(false);
  }
});
