/** Releases of one publisher's table, each a workbook with more columns and revised figures, into one dataset. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { defineDataset, fromFiles, workbook, z } from "../../src/index.ts";
import { openTidyReader } from "../../src/readers/open-tidy-reader.ts";
import { type DatasetBench, withBench } from "./dataset-bench.ts";

const folder = join(import.meta.dirname, "../data/uk-weekly-deaths-vintages");
const reader = openTidyReader({ processesMax: 1 });
afterAll(async () => await reader[Symbol.asyncDispose]());

const land = async (bench: DatasetBench, name: string) =>
  await bench.landBytes(name, await readFile(join(folder, name)));
const build = (bench: DatasetBench, spec: ReturnType<typeof defineDataset>) =>
  bench.build(spec, { openReader: async () => reader });

const scotland = defineDataset({
  name: "scotland",
  description: "Deaths registered in Scotland by week, sex and age.",
  columns: {
    section: z.string().nullable(),
    group: z.string().nullable(),
    name: z.string(),
    week: z.string().regex(/^\d{4}-W\d\d$/),
    week_beginning: z.iso.date(),
    deaths: z.number().min(0),
  },
  key: ["section", "group", "name", "week"],
  sort: ["week"],
  from: fromFiles("nrs.weekly", {
    release: "{year}_{month}_{day}",
    read: workbook({
      sheets: ["Table 2 - All deaths"],
      fields: { file: /^scotland_(?<year>\d{4})/ },
      columns: {
        section: { section: "all" },
        group: { label: 1 },
        name: { label: "last" },
        week: { heading: 1, kind: "week", year: "{year}" },
        week_beginning: { heading: 2, kind: "date" },
        deaths: { figure: true },
      },
    }),
  }),
});

const days = ["2020_04_20", "2020_05_04", "2020_06_01", "2020_07_20"];

test("vintages in any order of landing end at the newest figures, with no week doubled", async () => {
  await withBench(async (bench) => {
    for (const day of [days[2]!, days[0]!, days[3]!, days[1]!]) await land(bench, `scotland_${day}.xlsx`);
    const all = await build(bench, scotland);
    expect(all.manifest.rowCount).toBe(75 * 30);
    expect(all.manifest.restatement.files.map(({ name, added }) => [name, added])).toEqual([
      ["scotland_2020_04_20.xlsx", 75 * 17],
      ["scotland_2020_05_04.xlsx", 75 * 2],
      ["scotland_2020_06_01.xlsx", 75 * 4],
      ["scotland_2020_07_20.xlsx", 75 * 7],
    ]);
    const { restated, columns, samples } = all.manifest.restatement;
    expect(restated).toBeGreaterThan(0);
    expect(Object.keys(columns)).toEqual(["deaths"]);
    expect(samples[0]).toMatchObject({ column: "deaths", from: expect.any(String), to: expect.any(String) });
    // The newest vintage alone has the same rows, and so the same version.
    await withBench(async (other) => {
      await land(other, "scotland_2020_07_20.xlsx");
      expect((await build(other, scotland)).manifest.version).toBe(all.manifest.version);
    });
  });
});

test("another publication under the name of its siblings is refused by name, and nothing is published", async () => {
  await withBench(async (bench) => {
    for (const day of ["2020_07_20", "2020_09_07"]) await land(bench, `scotland_${day}.xlsx`);
    await expect(build(bench, scotland)).rejects.toMatchObject({
      code: "WORKBOOK_SHEET_MISSING",
      message: expect.stringContaining("scotland_2020_09_07.xlsx"),
      details: { dataset: "scotland" },
    });
    expect(await bench.keys("datasets/")).toEqual([]);
  });
});

test("two rows of a workbook with one key are told with sheet and cell, without being asked for", async () => {
  await withBench(async (bench) => {
    await land(bench, "scotland_2020_04_20.xlsx");
    const { from } = scotland;
    if (from.kind !== "files") throw new Error("it is made of files");
    const byWeek = defineDataset({
      name: "by_week",
      description: "x",
      columns: { week: z.string(), deaths: z.number() },
      key: ["week"],
      from: fromFiles("nrs.weekly", { read: from.read }),
    });
    await expect(build(bench, byWeek)).rejects.toMatchObject({
      code: "KEY_DUPLICATE",
      message: expect.stringMatching(
        /week "2020-W01":\n {4}scotland_2020_04_20\.xlsx, sheet Table 2 - All deaths, cell [A-Z]+\d+\n {4}scotland_2020_04_20\.xlsx, sheet Table 2 - All deaths, cell [A-Z]+\d+/,
      ),
    });
  });
});
