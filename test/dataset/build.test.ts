/** A dataset from its files to its table, and what a build says of it. */
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { FromFilesOptions } from "../../src/define/define-dataset-inputs.ts";
import { defineDataset, fromFiles, type RuleDeclaration, z } from "../../src/index.ts";
import type { DatasetSpec } from "../../src/ports/dataset.ts";
import { type DatasetBench, readLinesOf, withBench } from "./dataset-bench.ts";

const columns = {
  code: z.string().nullable().describe("Code of the area"),
  month: z.string(),
  deaths: z.int().min(0).nullable().meta({ unit: "deaths" }),
};

type Changes = Partial<FromFilesOptions> & { rules?: readonly RuleDeclaration[]; keepVersions?: number };

function deaths({ rules, keepVersions, ...changes }: Changes = {}): DatasetSpec {
  return defineDataset({
    name: "deaths",
    description: "Deaths by area and month.",
    columns,
    key: ["code", "month"],
    sort: ["month"],
    ...(rules === undefined ? {} : { rules }),
    ...(keepVersions === undefined ? {} : { keepVersions }),
    from: fromFiles("ons.workbooks", { read: readLinesOf("code", "month", "deaths"), ...changes }),
  });
}

const row = (code: string | null, month: string, value: number | string | null) => ({
  code,
  month,
  deaths: value,
});

async function land(bench: DatasetBench): Promise<void> {
  await bench.land("2018.xls", [row("E1", "2018-02", 5), row("E1", "2018-01", 3), row(null, "2018-01", 0)]);
  await bench.land("2019.xls", [row("E1", "2019-01", null), row("E2", "2019-01", "7")]);
}

describe("a build", () => {
  test("makes a version, its Parquet and its table, in the order of the sort", async () => {
    await withBench(async (bench) => {
      await land(bench);
      const outcome = await bench.build(deaths());
      expect(outcome).toMatchObject({
        status: "published",
        table: "published",
        manifest: { seq: 1, rowCount: 5, dataset: "deaths" },
        seen: { readNow: ["https://ons.example/2018.xls", "https://ons.example/2019.xls"] },
      });
      expect(await bench.query("select * from deaths")).toEqual([
        row("E1", "2018-01", 3),
        row(null, "2018-01", 0),
        row("E1", "2018-02", 5),
        row("E1", "2019-01", null),
        row("E2", "2019-01", 7),
      ]);
      expect(await bench.keys("datasets/")).toEqual([
        outcome.manifest.layouts!.key,
        outcome.manifest.parts[0]!.key,
        "datasets/deaths/log/000000000001.json",
      ]);
    });
  });

  test("of the same inputs reads no file, makes no version and no file", async () => {
    await withBench(async (bench) => {
      await land(bench);
      const first = await bench.build(deaths());
      const keys = await bench.keys();
      const again = await bench.build(deaths());
      expect(again).toMatchObject({
        status: "unchanged",
        table: "unchanged",
        seen: { readNow: [] },
      });
      expect(again.manifest).toEqual(first.manifest);
      expect(await bench.keys()).toEqual(keys);
      expect(bench.read.sort()).toEqual(["2018.xls", "2019.xls"]);
    });
  });

  test("leaves nothing on this machine's disk beside landing and warehouse", async () => {
    await withBench(async (bench) => {
      await land(bench);
      await bench.build(deaths());
      await expect(bench.build(deaths({ rules: [{ rule: "rowCount", min: 100 }] }))).rejects.toMatchObject({
        code: "RULE_FAILED",
      });
      expect(await readdir(`${bench.folder}/work`)).toEqual([]);
    });
  });

  test("repairs the table that a death between log and warehouse left behind", async () => {
    await withBench(async (bench) => {
      await land(bench);
      const dying = {
        ...bench.warehouse,
        readDataset: () => Promise.reject(new Error("the process is gone")),
        publishDataset: () => Promise.reject(new Error("the process is gone")),
      };
      await expect(bench.build(deaths(), { warehouse: dying })).rejects.toThrow("the process is gone");
      expect(await bench.build(deaths())).toMatchObject({ status: "unchanged", table: "published" });
      expect(await bench.query("select count(*) as n from deaths")).toEqual([{ n: 5 }]);
      expect(await bench.query("select seq, row_count from _leat_datasets")).toEqual([
        { seq: 1, row_count: 5 },
      ]);
    });
  });

  test("writes equal bytes for equal rows, whatever their order and their files", async () => {
    const bytesOf = async (files: readonly (readonly unknown[])[]) => {
      let result: Buffer | undefined;
      await withBench(async (bench) => {
        for (const [at, rows] of files.entries()) await bench.land(`${at}.xls`, rows);
        const { manifest } = await bench.build(deaths());
        result = await readFile(bench.store.localPath(manifest.parts[0]!.key)!);
      });
      return result!;
    };
    const rows = Array.from({ length: 500 }, (_, at) => row(`E${at % 50}`, `2018-${at}`, at * 7));
    const one = await bytesOf([rows]);
    const other = await bytesOf([rows.slice(300).reverse(), rows.slice(0, 300)]);
    expect(one.equals(other)).toBe(true);
  });
});

describe("restatements", () => {
  test("later files replace rows of earlier ones, row by row, and what changed is told", async () => {
    await withBench(async (bench) => {
      await bench.land("scotland_2020_05_04.xls", [
        row("S", "w1", 11),
        row("S", "w2", 20),
        row("S", "w3", 5),
      ]);
      await bench.land("scotland_2020_04_20.xls", [
        row("S", "w1", 10),
        row("S", "w2", 20),
        row("S", "w0", 1),
      ]);
      const { manifest } = await bench.build(deaths({ release: "{year}_{month}_{day}" }));
      expect(await bench.query("select month, deaths from deaths order by month")).toEqual([
        { month: "w0", deaths: 1 },
        { month: "w1", deaths: 11 },
        { month: "w2", deaths: 20 },
        { month: "w3", deaths: 5 },
      ]);
      expect(manifest.restatement).toMatchObject({
        restated: 1,
        repeated: 1,
        columns: { deaths: 1 },
        files: [
          { name: "scotland_2020_04_20.xls", rows: 3, added: 3, restated: 0, repeated: 0 },
          { name: "scotland_2020_05_04.xls", rows: 3, added: 1, restated: 1, repeated: 1 },
        ],
        samples: [
          {
            key: { code: "S", month: "w1" },
            column: "deaths",
            before: 10,
            after: 11,
            from: "scotland_2020_04_20.xls",
            to: "scotland_2020_05_04.xls",
          },
        ],
      });
    });
  });

  test("a file that changed under its name counts as it is now, or version by version where that is asked", async () => {
    await withBench(async (bench) => {
      await bench.land("latest.xls", [row("S", "w1", 10), row("S", "w2", 20)]);
      await bench.land("latest.xls", [row("S", "w2", 21)]);
      await bench.build(deaths());
      expect(await bench.query("select month, deaths from deaths")).toEqual([{ month: "w2", deaths: 21 }]);
      const all = await bench.build(deaths({ versions: "all" }));
      expect(await bench.query("select month, deaths from deaths order by 1")).toEqual([
        { month: "w1", deaths: 10 },
        { month: "w2", deaths: 21 },
      ]);
      expect(all.changes).toMatchObject({ added: 1, removed: 0, changed: 0, unchanged: 1 });
    });
  });
});
