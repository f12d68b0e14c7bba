/** `leat build`, `datasets`, `diff` and their neighbours, as a person types them. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, type TestFolder } from "../cli/leat-process.ts";

const config = (rules = "") => `
import { csv, defineDataset, defineProject, files, fromFiles, fromRows, fromSql, fromStream, z } from "leat";
const ons = files({ name: "ons", streams: { figures: { folder: "in", match: "deaths_{year}.csv" } } });
const deaths = defineDataset({
  name: "deaths",
  description: "Deaths by area and year",
  licence: "OGL v3",
  columns: {
    code: z.string().regex(/^E\\d+$/).describe("Code of the area"),
    year: z.int(),
    deaths: z.int().min(0).meta({ unit: "deaths" }),
  },
  key: ["code", "year"],
  keepVersions: 2,
  from: fromFiles(ons, {
    read: csv({ columns: { code: "Code", year: "Year", deaths: "Deaths" } }),
    release: { fields: ["year"] },
  }),
  rules: [
    { rule: "sums", by: "year", value: "deaths", total: { code: "E0" }, parts: "code <> 'E0'", severity: "warn" },
    ${rules}
  ],
});
const years = defineDataset({
  name: "years",
  description: "Totals by year",
  columns: { year: z.int(), total: z.number().meta({ type: "decimal(38,0)" }) },
  key: ["year"],
  from: fromSql("select year, sum(deaths) as total from deaths where code <> 'E0' group by year", { datasets: ["deaths"] }),
  rules: [{ rule: "references", columns: "year", dataset: "deaths" }],
});
const landed = defineDataset({
  name: "landed_files",
  description: "Which files there are",
  columns: { name: z.string(), bytes: z.int() },
  key: ["name"],
  from: fromStream("ons.figures"),
});
export default defineProject({ name: "ons", sources: [ons], datasets: [years, deaths, landed] });
`;

const csvOf = (...rows: readonly string[]): string => `Code,Year,Deaths\n${rows.join("\n")}\n`;

let folder: TestFolder;
beforeAll(() => {
  folder = makeFolder();
  folder.write("package.json", '{ "type": "module" }');
  folder.write("leat.config.ts", config());
  folder.write("in/deaths_2018.csv", csvOf("E0,2018,10", "E1,2018,4", "E2,2018,5"));
  folder.write("in/deaths_2019.csv", csvOf("E0,2019,7", "E1,2019,7"));
});
afterAll(() => folder.remove());

const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await folder.leat(...args, "--json", "--quiet");
  return { code, stderr, value: JSON.parse(stdout) };
};

describe("a project with datasets", () => {
  test("is in order, and has nothing built yet", async () => {
    expect((await json("check")).value).toMatchObject({
      ok: true,
      datasets: ["years", "deaths", "landed_files"],
    });
    expect((await json("datasets")).value).toMatchObject([
      { dataset: "years", version: null },
      { dataset: "deaths", version: null, versions: 0 },
      { dataset: "landed_files" },
    ]);
    expect((await folder.leat("datasets", "deaths")).stdout).toContain(
      "Not built yet; run `leat build deaths`.",
    );
    expect(await json("diff", "deaths")).toMatchObject({
      code: 2,
      value: { error: { code: "VERSION_UNKNOWN" } },
    });
  });

  test("is built after its files are synced, each dataset after those it reads", async () => {
    const { code, value, stderr } = await json("build");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(value).toMatchObject({
      ok: true,
      datasets: [
        {
          dataset: "deaths",
          status: "published",
          seq: 1,
          rows: 5,
          table: "published",
          files: { used: 2, read: 2, cached: 0 },
          rules: [{ isPassed: false, checked: 2, failed: 1, samples: [{ year: 2018, difference: 1 }] }],
        },
        {
          dataset: "years",
          status: "published",
          rows: 2,
          lineage: { datasets: [{ dataset: "deaths" }, { dataset: "deaths" }] },
        },
        { dataset: "landed_files", rows: 2 },
      ],
    });
    expect(
      (await json("query", "select code, year, deaths from deaths where year = 2019 order by code")).value,
    ).toEqual([
      { code: "E0", year: 2019, deaths: 7 },
      { code: "E1", year: 2019, deaths: 7 },
    ]);
  });

  test("is unchanged when it is built again, and says so to people", async () => {
    const { code, stdout } = await folder.leat("build", "deaths", "--quiet");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^deaths: version [0-9a-f]{12} \(unchanged\), 5 rows\n {2}files {5}2 \(0 read, 2 cached\)/,
    );
    expect(stdout).toContain("warning: sums of deaths by year: 1 of 2 fail");
    expect(stdout).toContain('{"year":2018,"total":10,"sum of parts":9');
    expect(stdout).toContain("1 of 1 datasets built in");
  });

  test("takes a file that is new, and with --no-sync does not look for it", async () => {
    folder.write("in/deaths_2020.csv", csvOf("E0,2020,1", "E1,2020,1", "E2,2018,6"));
    expect((await json("build", "deaths", "--no-sync")).value.datasets).toMatchObject([
      { status: "unchanged" },
    ]);
    const { stdout } = await folder.leat("build", "deaths", "--quiet");
    expect(stdout).toContain("(new), 7 rows");
    expect(stdout).toContain("changes   +2 -0 ~1 (deaths 1)");
    expect(stdout).toContain("E2 2018: deaths 5 in deaths_2018.csv, 6 in deaths_2020.csv");
  });

  test("tells what a version has changed", async () => {
    const { stdout } = await folder.leat("diff", "deaths");
    expect(stdout).toMatch(
      /deaths: [0-9a-f]{12} \(5 rows\) to [0-9a-f]{12} \(7 rows\)\n {2}rows \+2 -0 ~1 \(deaths 1\), 4 unchanged/,
    );
    expect(stdout).toContain("changed\n  E2 2018: deaths 5 -> 6");
    const { value } = await json("diff", "deaths", "1", "latest", "--rows", "1");
    expect(value).toMatchObject({
      before: { seq: 1, rows: 5 },
      after: { seq: 2, rows: 7 },
      added: 2,
      changed: 1,
      rows: [{ change: "added" }, { change: "changed", cells: { deaths: { before: 5, after: 6 } } }],
    });
    const back = await json("diff", "deaths", "latest", value.before.version.slice(0, 8));
    expect(back.value).toMatchObject({ added: 0, removed: 2, changed: 1 });
    expect(await json("diff", "deaths", "zz")).toMatchObject({
      code: 2,
      value: { error: { code: "VERSION_UNKNOWN" } },
    });
    expect(await json("diff", "death")).toMatchObject({
      code: 2,
      value: { error: { code: "DATASET_UNKNOWN", hint: expect.stringContaining('"deaths"') } },
    });
    expect((await json("diff", "deaths", "--rows", "x")).code).toBe(2);
  });

  test("tells all about a dataset", async () => {
    const { stdout } = await folder.leat("datasets", "deaths");
    for (const told of [
      "deaths: Deaths by area and year",
      "licence  OGL v3",
      "key      code, year",
      "Code of the area",
      "deaths_2018.csv  ons.figures  default",
      "layout of deaths_2020.csv",
      "rules     1 of 1 hold",
      "part-00001.parquet",
    ])
      expect(stdout).toContain(told);
    const { value } = await json("datasets", "deaths");
    expect(value).toMatchObject({
      dataset: "deaths",
      newest: { seq: 2, schema: { key: ["code", "year"] } },
      layouts: [{ name: "deaths_2018.csv" }, { name: "deaths_2019.csv" }, { name: "deaths_2020.csv" }],
      versions: [{ seq: 2, collected: false }, { seq: 1 }],
    });
  });

  test("publishes nothing of what breaks a rule, and builds the others", async () => {
    folder.write("leat.config.ts", config('{ rule: "range", column: "deaths", max: 9 },'));
    const { code, stdout, stderr } = await folder.leat("build", "deaths", "landed_files", "--quiet");
    expect(code).toBe(1);
    expect(stdout).toContain("landed_files: version");
    expect(stdout).toContain("1 of 2 datasets built");
    expect(stderr).toMatch(
      /error RULE_FAILED: The dataset deaths is not published.*\n.*deaths in range: 1 of 7 fail\n.*"E0"/,
    );
    folder.write("leat.config.ts", config());
  });

  test("is not built of another that was not, and says so", async () => {
    folder.write("leat.config.ts", config('{ rule: "range", column: "deaths", max: 9 },'));
    const { code, value } = await json("build", "years");
    expect(code).toBe(1);
    expect(value).toMatchObject({
      ok: false,
      datasets: [
        { dataset: "deaths", status: "failed" },
        { dataset: "years", status: "failed", error: { code: "RULE_FAILED" } },
      ],
    });
    expect(value.datasets[1].error.message).toBe(
      "The dataset years was not built, since deaths, which it reads, was not.",
    );
    folder.write("leat.config.ts", config());
  });

  test("is not built of old files when its files cannot be synced", async () => {
    folder.write("leat.config.ts", config().replace('folder: "in"', 'folder: "gone"'));
    const { code, value } = await json("build", "deaths");
    expect(code).toBe(1);
    expect(value).toMatchObject({ ok: false, datasets: [{ dataset: "deaths", status: "failed" }] });
    expect(value.datasets[0].error.message).toContain("was not built, since ons.figures could not be synced");
    expect((await json("build", "deaths", "--no-sync")).value).toMatchObject({ ok: true });
    folder.write("leat.config.ts", config());
  });

  test("keeps as many versions as it says", async () => {
    folder.write("in/deaths_2018.csv", csvOf("E0,2018,10", "E1,2018,5"));
    await json("build", "deaths");
    expect((await json("gc", "--dry-run")).value.datasets).toContainEqual(
      expect.objectContaining({ dataset: "deaths", versions: 1 }),
    );
    const { stdout } = await folder.leat("gc");
    expect(stdout).toContain("Collected 1 versions of deaths.");
    expect(await json("diff", "deaths", "1")).toMatchObject({
      code: 2,
      value: { error: { code: "VERSION_UNKNOWN", message: expect.stringContaining("was collected") } },
    });
    expect((await json("diff", "deaths")).code).toBe(0);
  });

  test("has its tables again after the warehouse was lost", async () => {
    rmSync(join(folder.path, ".leat/warehouse.duckdb"));
    const { value } = await json("build", "deaths");
    expect(value.datasets).toMatchObject([{ status: "unchanged", table: "published" }]);
    expect((await json("query", "select count(*)::int as n from deaths")).value).toEqual([{ n: 7 }]);
  });

  test("says what is wrong with a declaration before anything is done", async () => {
    folder.write("leat.config.ts", config().replace('key: ["code", "year"]', 'key: ["code", "yaer"]'));
    const { code, stderr } = await folder.leat("build");
    expect(code).toBe(2);
    expect(stderr).toContain('key[1]: "yaer" is no column. Did you mean "year"?');
    folder.write("leat.config.ts", config());
  });
});
