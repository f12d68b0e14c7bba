/** Quality rules: what each finds, what it leaves out, and that an error keeps a version from being published. */
import { describe, expect, test } from "vitest";
import {
  type DatasetRow,
  defineDataset,
  fromRows,
  LeatError,
  type RuleDeclaration,
  z,
} from "../../src/index.ts";
import type { RuleResult } from "../../src/model/dataset-manifest.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import { type DatasetBench, withBench } from "./dataset-bench.ts";

const columns = {
  code: z.string(),
  month: z.string().nullable(),
  deaths: z.int().nullable(),
  rate: z.number().nullable(),
  day: z.iso.date().nullable(),
};

const row = (code: string, month: string | null, deaths: number | null, more: object = {}): DatasetRow => ({
  code,
  month,
  deaths,
  ...more,
});

const areas = [
  row("K", "jan", 10),
  row("E", "jan", 7),
  row("W", "jan", 3),
  row("K", "feb", 20),
  row("E", "feb", 11),
  row("W", "feb", 8),
  row("K", "mar", 5),
  row("E", "apr", 4),
  row("K", "may", null),
  row("E", "may", 1),
];

const specOf = (
  rules: readonly RuleDeclaration[],
  rows: readonly DatasetRow[],
  name = "deaths",
): DatasetSpec =>
  defineDataset({
    name,
    description: "x",
    columns,
    key: ["code", "month"],
    rules,
    from: fromRows(() => rows),
  });

/** What one rule finds, as a warning. */
async function find(bench: DatasetBench, rule: RuleDeclaration, rows = areas): Promise<RuleResult> {
  const { seen } = await bench.build(specOf([{ severity: "warn", ...rule }], rows));
  return seen.rules[0]!;
}

async function findIn(rule: RuleDeclaration, rows = areas): Promise<RuleResult> {
  let found: RuleResult | undefined;
  await withBench(async (bench) => {
    found = await find(bench, rule, rows);
  });
  return found!;
}

describe("a rule of severity error", () => {
  test("keeps the version from being published, and tells the offending rows", async () => {
    await withBench(async (bench) => {
      await bench.build(specOf([], areas.slice(0, 3)));
      const rules: RuleDeclaration[] = [
        { rule: "notNull", columns: "deaths" },
        { rule: "rowCount", max: 5, name: "a small table" },
        { rule: "notNull", columns: "rate", severity: "warn" },
      ];
      const failure = await bench.build(specOf(rules, areas)).catch((error: unknown) => error as LeatError);
      expect(failure).toBeInstanceOf(LeatError);
      expect(failure).toMatchObject({ code: "RULE_FAILED", details: { dataset: "deaths" } });
      const { message } = failure as LeatError; // Looked at two lines above.
      expect(message).toContain("2 rules do not hold");
      expect(message).toContain(
        'deaths not null: 1 of 10 fail\n    {"code":"K","month":"may","deaths":null}',
      );
      expect(message).toContain("a small table: 10 rows are more than 5");
      expect(message).not.toContain("rate");
      expect(await bench.query("select count(*) as n from deaths")).toEqual([{ n: 3 }]);
      expect(await bench.keys("datasets/deaths/log/")).toHaveLength(1);
    });
  });

  test("of severity warn is told with its rows, and published", async () => {
    await withBench(async (bench) => {
      const { manifest } = await bench.build(
        specOf([{ rule: "notNull", columns: ["deaths", "month"], severity: "warn" }], areas),
      );
      expect(manifest.rules).toEqual([
        {
          name: "deaths, month not null",
          rule: "notNull",
          severity: "warn",
          isPassed: false,
          checked: 10,
          skipped: 0,
          failed: 1,
          note: null,
          samples: [{ code: "K", month: "may", deaths: null }],
        },
      ]);
    });
  });
});

describe("sums", () => {
  const sums = {
    rule: "sums",
    by: "month",
    value: "deaths",
    total: { code: "K" },
    parts: { code: ["E", "W"] },
  } as const;

  test("compares each group's total with its parts, and says how many it could check", async () => {
    expect(await findIn(sums)).toMatchObject({
      isPassed: false,
      checked: 2,
      skipped: 3, // March has no parts, April no total, May no value.
      failed: 1,
      samples: [{ month: "feb", total: 20, "sum of parts": 19, difference: 1, parts: 2, totals: 1 }],
    });
    expect(await findIn({ ...sums, tolerance: 1 })).toMatchObject({ isPassed: true, failed: 0 });
    expect(await findIn({ ...sums, where: "month <> 'feb'" })).toMatchObject({ isPassed: true, checked: 1 });
    expect(await findIn({ ...sums, total: "code = 'K'", parts: { code: /^[EW]$/ } })).toMatchObject({
      checked: 2,
      failed: 1,
    });
  });

  test("that finds no group to check says so, and fails unless told otherwise", async () => {
    const nothing = { ...sums, parts: { code: "none" } };
    expect(await findIn(nothing)).toMatchObject({
      isPassed: false,
      checked: 0,
      failed: 0,
      note: expect.stringMatching(/^no group has both a total and parts; at least 1 must/),
    });
    expect(await findIn({ ...nothing, groupsMin: 0 })).toMatchObject({ isPassed: true, checked: 0 });
    expect(await findIn({ ...sums, groupsMin: 3 })).toMatchObject({
      note: expect.stringMatching(/^only 2 groups have/),
    });
  });

  test("with two totals in a group tells that it has two", async () => {
    const two = { ...sums, by: ["month"], total: { code: ["K", "E"] }, parts: { code: "W" } };
    expect(await findIn(two)).toMatchObject({ failed: 2, samples: [{ totals: 2 }, { totals: 2 }] });
  });

  test("adds up exactly, where a double would not", async () => {
    const money = (code: string, value: string) => ({ group: "g", code, value });
    const spec = defineDataset({
      name: "money",
      description: "x",
      columns: { group: z.string(), code: z.string(), value: z.string().meta({ type: "decimal(38,2)" }) },
      key: ["code"],
      rules: [
        { rule: "sums", by: "group", value: "value", total: { code: "t" }, parts: "code <> 't'" },
        {
          rule: "sums",
          by: "group",
          value: "value",
          total: { code: "t" },
          parts: { code: "a" },
          severity: "warn",
          name: "off",
        },
      ],
      from: fromRows(() => [
        money("t", "100000000000000000000.30"),
        money("a", "100000000000000000000.10"),
        money("b", "0.20"),
      ]),
    });
    await withBench(async (bench) => {
      const { seen } = await bench.build(spec);
      expect(seen.rules).toMatchObject([
        { isPassed: true, checked: 1 },
        { isPassed: false, samples: [{ total: "100000000000000000000.30", difference: "0.20" }] },
      ]);
    });
  });
});

describe("rules about single values", () => {
  test("leave nulls out, and rows that are not meant", async () => {
    expect(await findIn({ rule: "range", column: "deaths", min: 3, max: 10 })).toMatchObject({
      checked: 9,
      skipped: 1,
      failed: 3,
      samples: expect.arrayContaining([{ code: "K", month: "feb", deaths: 20 }]),
    });
    expect(await findIn({ rule: "range", column: "deaths", max: 10, where: { month: "jan" } })).toMatchObject(
      {
        checked: 3,
        failed: 0,
        isPassed: true,
      },
    );
    expect(await findIn({ rule: "acceptedValues", column: "code", values: ["K", "E"] })).toMatchObject({
      checked: 10,
      failed: 2,
    });
    expect(await findIn({ rule: "matches", column: "month", pattern: /^(jan|feb)$/ })).toMatchObject({
      failed: 4,
    });
    expect(await findIn({ rule: "notNull", columns: "deaths", where: { code: ["E", null] } })).toMatchObject({
      checked: 4,
      failed: 0,
    });
  });

  test("compare dates as dates", async () => {
    const rows = [row("a", null, 1, { day: "2018-01-31" }), row("b", null, 1, { day: "2019-01-31" })];
    expect(await findIn({ rule: "range", column: "day", min: "2018-06-01" }, rows)).toMatchObject({
      failed: 1,
      samples: [{ code: "a", month: null, day: "2018-01-31" }],
    });
  });

  test("find values that are not unique, each once", async () => {
    expect(await findIn({ rule: "unique", columns: ["code"] })).toMatchObject({
      checked: 10,
      failed: 3,
      samples: [
        { code: "E", rows: 4 },
        { code: "K", rows: 4 },
        { code: "W", rows: 2 },
      ],
    });
    expect(await findIn({ rule: "unique", columns: ["code", "deaths"] })).toMatchObject({
      isPassed: true,
      checked: 9,
      skipped: 1,
    });
  });
});

describe("rules about the whole", () => {
  test("compare the number of rows with bounds and with the version before", async () => {
    await withBench(async (bench) => {
      const rule: RuleDeclaration = { rule: "rowCount", min: 2, changeShareMax: 0.5 };
      expect(await find(bench, rule)).toMatchObject({
        isPassed: true,
        note: "10 rows; no version before to compare with",
      });
      expect(await find(bench, rule, areas.slice(0, 6))).toMatchObject({ isPassed: true });
      expect(await find(bench, rule, areas.slice(0, 2))).toMatchObject({
        isPassed: false,
        note: expect.stringMatching(
          /^2 rows differ from the 6 of the version before by 66\.7 %, more than 50 %/,
        ),
      });
      expect(await find(bench, { rule: "rowCount", min: 20 })).toMatchObject({
        note: expect.stringMatching(/^10 rows are fewer than 20/),
      });
    });
  });

  test("find a newest value that is too old", async () => {
    const rows = [row("a", null, 1, { day: "2025-12-01" }), row("b", null, 1, { day: null })];
    const fresh = await findIn({ rule: "freshness", column: "day", maxAge: "45d" }, rows); // The bench's clock: 2026-01-15.
    expect(fresh).toMatchObject({ isPassed: true, checked: 1, skipped: 1, note: "newest day 2025-12-01" });
    expect(await findIn({ rule: "freshness", column: "day", maxAge: "44d" }, rows)).toMatchObject({
      isPassed: false,
      note: expect.stringMatching(/^the newest day is 2025-12-01, 45 days ago; at most 44 days/),
    });
    expect(await findIn({ rule: "freshness", column: "day", maxAge: "44d" })).toMatchObject({
      isPassed: false,
      note: "day holds no value in deaths",
    });
  });

  test("run the project's own SQL over the dataset by its name", async () => {
    const sql =
      "select code, count(*) as months from deaths group by code having count(*) > 2 order by code; ";
    expect(await findIn({ rule: "sql", sql })).toMatchObject({
      checked: 10,
      failed: 2,
      samples: [
        { code: "E", months: 4 },
        { code: "K", months: 4 },
      ],
    });
    await expect(findIn({ rule: "sql", sql: "select * from nowhere", name: "mine" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(
        /^The rule "mine" of the dataset deaths cannot be run: Catalog Error.*nowhere/,
      ),
    });
    await expect(
      findIn({ rule: "notNull", columns: "code", where: "cod = 1 -- slip" }),
    ).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
    await expect(findIn({ rule: "sql", sql: "drop view deaths" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });

  test("look into the newest version of another dataset, which the lineage names", async () => {
    await withBench(async (bench) => {
      const rule: RuleDeclaration = {
        rule: "references",
        columns: "code",
        dataset: "areas",
        severity: "warn",
      };
      await expect(bench.build(specOf([rule], areas))).rejects.toMatchObject({
        code: "INPUT_EMPTY",
        message: expect.stringMatching(/looks into the dataset areas, which has no version yet/),
      });
      const { manifest } = await bench.build(specOf([], [row("K", null, 1), row("E", null, 1)], "areas"));
      const outcome = await bench.build(specOf([rule], areas));
      expect(outcome.seen.rules).toMatchObject([
        { checked: 10, failed: 2, samples: [{ code: "W", rows: 2 }] },
      ]);
      expect(outcome.manifest.lineage.datasets).toEqual([{ dataset: "areas", version: manifest.version }]);
    });
  });
});
