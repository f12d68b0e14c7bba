import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawChart } from "./chart.ts";
import { serveDeaths } from "./serve-deaths.ts";
import { lastBusinessDay } from "./transform.ts";

const here = import.meta.dirname;
const run = promisify(execFile);

/** One project's landing and warehouse, and a folder that stands for the publisher's page. */
class World {
  readonly folder = mkdtempSync(join(tmpdir(), "leat-ons-"));
  readonly workbooks = mkdtempSync(join(tmpdir(), "leat-ons-page-"));

  publish(year: number, name = `${year}.xls`): void {
    copyFileSync(join(here, "workbooks", `${year}.xls`), join(this.workbooks, name));
  }

  async leat(...args: string[]): Promise<string> {
    const command = [join(here, "../../bin/leat.js"), ...args];
    return (await run(process.execPath, command, { cwd: here, env: this.environment })).stdout;
  }

  async build(): Promise<
    Record<string, { status: string; version: string; files: { read: number }; rules: Rule[] }>
  > {
    const { datasets } = JSON.parse(await this.leat("build", "deaths", "--json"));
    return Object.fromEntries(datasets.map((each: { dataset: string }) => [each.dataset, each]));
  }

  async query(sql: string): Promise<Record<string, unknown>[]> {
    return JSON.parse(await this.leat("query", "--json", sql));
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ONS_WORKBOOKS: this.workbooks,
      LEAT_LANDING: `file:${join(this.folder, "landing")}`,
      LEAT_WAREHOUSE: `duckdb:${join(this.folder, "warehouse.duckdb")}`,
    };
  }

  remove(): void {
    for (const folder of [this.folder, this.workbooks]) rmSync(folder, { recursive: true, force: true });
  }
}

type Rule = Readonly<{ name: string; failed: number; samples: unknown[] }>;

const byYear = `SELECT year, count(*)::INT AS rows, count(deaths)::INT AS figures, count(geo_code)::INT AS coded,
  sum(deaths) FILTER (WHERE place_name = 'england and wales')::INT AS both FROM deaths GROUP BY 1 ORDER BY 1`;

const facts = [
  { year: 2010, rows: 5208, figures: 5208, coded: 5172, both: 492214 },
  { year: 2012, rows: 4776, figures: 4773, coded: 0, both: 498281 },
  { year: 2015, rows: 4752, figures: 4752, coded: 4752, both: 528507 },
  { year: 2018, rows: 4632, figures: 4632, coded: 4632, both: 540265 },
];
const fact2020 = { year: 2020, rows: 772, figures: 772, coded: 772, both: 100152 };

describe("four workbooks, then a fifth", () => {
  const world = new World();
  let first: Awaited<ReturnType<World["build"]>>;
  beforeAll(async () => {
    for (const { year } of facts) world.publish(year);
    first = await world.build();
  });
  afterAll(() => world.remove());

  test("make one table, whatever the layout of their year", async () => {
    expect(await world.query(byYear)).toEqual(facts);
  });

  test("the publisher's two slips of 2018 are told, and everything else adds up", () => {
    const failed = first["printed"]!.rules.filter((rule) => rule.failed > 0);
    expect(failed.map(({ name, failed: count }) => [name, count])).toEqual([
      ["the total row equals its parts", 2],
      ["areas have codes", 4836],
    ]);
    expect(failed[0]!.samples).toEqual([
      {
        period_start: "2018-01-01",
        place_name: "england, wales and elsewhere",
        printed: 64154,
        sum_of_parts: 64136,
      },
      {
        period_start: "2018-02-01",
        place_name: "england, wales and elsewhere",
        printed: 49177,
        sum_of_parts: 49174,
      },
    ]);
  });

  test("figures are where they belong", async () => {
    const of = async (code: string, year: number) =>
      (
        await world.query(
          `SELECT deaths FROM deaths WHERE geo_code = '${code}' AND year = ${year} ORDER BY period_start`,
        )
      ).map((row) => row["deaths"]);
    expect(await of("E08000007", 2018)).toEqual([315, 238, 267, 265, 218, 211, 212, 210, 191, 221, 239, 221]);
    expect(await of("E06000053", 2015)).toEqual([2, 0, 2, 3, 1, 3, 1, 3, 0, 1, 3, 0]);
    const columns = "geo_code, place_name, month, deaths, year, datetime";
    expect(
      await world.query(
        `SELECT ${columns} FROM deaths WHERE area = 'E08000007' AND period_start = '2018-03-01'`,
      ),
    ).toEqual([
      {
        geo_code: "E08000007",
        place_name: "stockport",
        month: "march",
        deaths: 267,
        year: 2018,
        datetime: "2018-03-30",
      },
    ]);
  });

  test("a second build reads nothing and publishes nothing", async () => {
    const again = await world.build();
    expect(again["deaths"]).toMatchObject({ status: "unchanged", version: first["deaths"]!.version });
    expect(again["printed"]).toMatchObject({ status: "unchanged", files: { read: 0 } });
  });

  test("a fifth adds its rows and changes no others; a new name changes nothing", async () => {
    world.publish(2020, "Monthly figures (Feb).xls");
    const built = await world.build();
    expect(built["printed"]).toMatchObject({ status: "published", files: { read: 1 } });
    expect(await world.query(byYear)).toEqual([...facts, fact2020]);
    const diff = JSON.parse(await world.leat("diff", "deaths", "--json"));
    expect(diff).toMatchObject({ added: 772, removed: 0, changed: 0 });
  });
});

describe("served", () => {
  const world = new World();
  beforeAll(async () => {
    for (const year of [2012, 2018]) world.publish(year);
    await world.build();
  });
  afterAll(() => world.remove());

  test("a year of an area is answered as people ask for it, and an unknown one with a near name", async () => {
    await using served = await serveDeaths(world.environment);
    const ask = async (path: string) => await fetch(`${served.url}${path}`);
    const year = await (await ask("/year/2018/geo_code/E08000007")).json();
    expect(year).toMatchObject({ year: 2018, geo_code: "E08000007" });
    const months = Object.entries((year as { data: Record<string, number> }).data);
    expect(months.map(([, deaths]) => deaths)).toEqual([
      315, 238, 267, 265, 218, 211, 212, 210, 191, 221, 239, 221,
    ]);
    expect(months[0]![0]).toBe("2018-01-31");
    const none = await ask("/year/2020/geo_code/E08000007");
    expect(none.status).toBe(404);
    const unknown = await ask("/year/2018/geo_code/E0800007");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ near: "E08000007", status: 404 });
    expect((await ask("/openapi.json")).status).toBe(200);

    // A version that is published meanwhile is taken, and nobody waits for it.
    world.publish(2020);
    await world.build();
    await expect
      .poll(async () => (await ask("/year/2020/geo_code/E08000007")).status, {
        timeout: 40_000,
        interval: 500,
      })
      .toBe(200);
    const two = (await (await ask("/year/2020/geo_code/E08000007")).json()) as {
      data: Record<string, number>;
    };
    expect(Object.values(two.data)).toEqual([296, 216]);
  });
});

test("the README says what comes out, and its chart is drawn from it", async () => {
  const readme = readFileSync(join(here, "README.md"), "utf8");
  for (const { rows, both } of [...facts, fact2020]) {
    expect(readme).toContain(`| ${rows.toLocaleString("en-US")} |`);
    expect(readme).toContain(`| ${both.toLocaleString("en-US")} |`);
  }
  const svg = drawChart([
    { year: 2018, month: 1, deaths: 64_020 },
    { year: 2018, month: 2, deaths: 49_087 },
    { year: 2015, month: 1, deaths: 60_788 },
  ]);
  expect(svg).toMatch(/^<svg [\s\S]*2018[\s\S]*<\/svg>\n$/);
});

test.each([
  ["2018-03-01", "2018-03-30"],
  ["2018-04-01", "2018-04-30"],
  ["2018-09-01", "2018-09-28"],
  ["2020-02-01", "2020-02-28"],
])("the last business day of the month of %s is %s", (start, day) => {
  expect(lastBusinessDay(start)).toBe(day);
});

describe("the flow of every night", { timeout: 120_000 }, () => {
  const world = new World();
  afterAll(() => world.remove());

  test("downloads and lays out each new workbook in a task of its own, checks, and publishes only where rows have changed", async () => {
    const night = async () => JSON.parse(await world.leat("run", "nightly", "--json", "--quiet"));
    const published = async (id: string) => {
      const { artifacts, tasks } = JSON.parse(await world.leat("show", id, "--json"));
      const count = (wanted: string) => tasks.filter(({ name }: { name: string }) => name === wanted).length;
      const steps = ["download", "tidy", "check", "publish"].map(count);
      return [...steps, ...artifacts[0].data.map(({ status }: { status: string }) => status)];
    };
    for (const { year } of facts.slice(0, 2)) world.publish(year);
    const first = await night();
    expect(first.result).toEqual({ found: 2, downloaded: 2, tidied: 2, rows: 5208 + 4776 });
    expect(await published(first.run.id)).toEqual([2, 2, 2, 2, "published", "published"]);
    const second = await night();
    expect(second.result).toEqual({ found: 2, downloaded: 0, tidied: 0, rows: 5208 + 4776 });
    expect(await published(second.run.id)).toEqual([0, 0, 2, 2, "unchanged", "unchanged"]);
    world.publish(2015);
    const third = await night();
    expect(third.result).toEqual({ found: 3, downloaded: 1, tidied: 1, rows: 5208 + 4776 + 4752 });
    expect(await world.query(byYear)).toEqual(facts.slice(0, 3));
  });
});
