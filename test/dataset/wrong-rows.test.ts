/** Rows and files that are not what was declared: refused with every place, and nothing is published. */
import { describe, expect, test } from "vitest";
import type { FromFilesOptions } from "../../src/define/define-dataset-inputs.ts";
import type { DatasetRow, DatasetSpec } from "../../src/index.ts";
import { defineDataset, fromFiles, fromRows, LeatError, z } from "../../src/index.ts";
import { type DatasetBench, readLinesOf, withBench } from "./dataset-bench.ts";

const columns = {
  code: z.string().regex(/^E\d+$/),
  month: z.iso.date(),
  deaths: z.int().min(0).nullable(),
};

function deaths(options: Partial<FromFilesOptions> = {}, more: object = {}): DatasetSpec {
  return defineDataset({
    name: "deaths",
    description: "x",
    columns,
    key: ["code", "month"],
    from: fromFiles("ons.workbooks", { read: readLinesOf("code", "month", "deaths"), ...options }),
    ...more,
  });
}

/** The error a build must end with; nothing is published. */
async function failureOf(bench: DatasetBench, spec: DatasetSpec, code: string): Promise<LeatError> {
  const before = await bench.keys("datasets/");
  try {
    await bench.build(spec);
  } catch (error) {
    expect(error).toBeInstanceOf(LeatError);
    const failure = error as LeatError; // Looked at a line above.
    expect([failure.code, failure.message]).toEqual([code, failure.message]);
    expect(await bench.keys("datasets/")).toEqual(before);
    return failure;
  }
  throw new Error(`the build did not fail with ${code}`);
}

const row = (code: unknown, month: unknown, value: unknown) => ({ code, month, deaths: value });

describe("values that are not what their columns declare", () => {
  test("are told all at once, with column, value, file and row", async () => {
    await withBench(async (bench) => {
      await bench.land("2018.xls", [
        row("E1", "2018-01-31", 3),
        row("X1", "2018-02-30", -1),
        row(null, "2018-01-31", "3.5"),
      ]);
      await bench.land("2019.xls", [row("E2", "2019-01-01", "many"), row("E3", { day: 1 }, [1])]);
      const { message, details } = await failureOf(bench, deaths(), "ROW_INVALID");
      expect(message).toContain(
        'month is no date (YYYY-MM-DD), in 1 row:\n    "2018-02-30" (2018.xls, tidy row 2)',
      );
      expect(message).toContain('code does not match /^E\\d+$/, in 1 row:\n    "X1" (2018.xls, tidy row 2)');
      expect(message).toContain("code is null, in 1 row:\n    null (2018.xls, tidy row 3)");
      expect(message).toContain('deaths is less than 0, in 1 row:\n    "-1" (2018.xls, tidy row 2)');
      expect(message).toContain(
        'deaths is no whole number of 64 bits, in 2 rows:\n    "3.5" (2018.xls, tidy row 3)\n    "many" (2019.xls, tidy row 1)',
      );
      expect(message).toContain('month is an object, in 1 row:\n    "{\\"day\\":1}" (2019.xls, tidy row 2)');
      expect(message).toContain("deaths is a list");
      expect(details["violations"]).toHaveLength(7);
    });
  });

  test("are named by the place that the reader tells", async () => {
    await withBench(async (bench) => {
      const read = {
        ...readLinesOf("code", "month", "deaths", "from_sheet", "at_row"),
        options: { columns: { code: {}, from_sheet: { place: "sheet" }, at_row: { place: "row" } } },
      };
      await bench.land("2018.xls", [
        { ...row("E1", "2018-01-31", "x"), from_sheet: "Figures for 2018", at_row: 17 },
      ]);
      const { message } = await failureOf(bench, deaths({ read }), "ROW_INVALID");
      expect(message).toContain('"x" (2018.xls, sheet Figures for 2018, row 17)');
    });
  });

  test("are read by their exact text: nothing is rounded, cut or guessed", async () => {
    const accepted: readonly [z.core.$ZodType, readonly unknown[]][] = [
      [z.bigint(), ["9223372036854775807", -5, 12n, "3.0", "1e3"]],
      [z.number(), ["0.1", 1e300, "-0", ".5", 3]],
      [z.boolean(), [true, "false", "1"]],
      [z.iso.date(), ["2020-02-29", new Date(0)]],
      [z.iso.datetime({ local: true }), ["2020-01-01T10:00:00.123456", "2020-01-01 10:00", "2020-01-01"]],
      [z.iso.datetime(), ["2020-01-01T10:00:00+02:00", "2020-01-01T10:00:00Z", new Date(5)]],
      [z.string().meta({ type: "decimal(5,2)" }), ["123.45", "1.50000", 7, "-999.99", "1e-2"]],
      [z.json(), [{ a: [1, null] }, "text", 5, false, []]],
      [z.string(), [5, true, " x ", "", "0010", "\u0000", "😀"]],
    ];
    const refused: readonly [z.core.$ZodType, readonly unknown[]][] = [
      [z.bigint(), ["9223372036854775808", "3.5", "", " 3", "3 ", "1,000", "0x10", "1e-1", "٣", {}]],
      [z.number(), ["1e400", "NaN", "Infinity", "1,5", Number.NaN, ""]],
      [z.boolean(), ["yes", 2, ""]],
      [z.iso.date(), ["2019-02-29", "01/02/2019", "2019-1-1", "2019-01-01T00:00:00", new Date(5)]],
      [
        z.iso.datetime({ local: true }),
        ["2020-01-01T10:00:00Z", "2020-01-01T25:00:00", "2020-01-01T10:00:00.1234567"],
      ],
      [z.iso.datetime(), ["2020-13-01T10:00:00Z", "noon"]],
      [z.string().meta({ type: "decimal(5,2)" }), ["1234.5", "0.005", "1e3", "x"]],
      [z.string(), [{}, [], "\ud800", () => 1, Symbol("x")]],
      [z.json(), [() => 1, 5n]],
    ];
    await withBench(async (bench) => {
      const specOf = (schema: z.core.$ZodType, values: readonly unknown[]) =>
        defineDataset({
          name: "d",
          description: "x",
          columns: { id: z.int(), value: schema },
          key: ["id"],
          from: fromRows(function* () {
            yield* values.map((value, id) => ({ id, value }));
          }),
        });
      for (const [schema, values] of accepted) {
        const { manifest } = await bench.build(specOf(schema, values));
        expect(manifest.rowCount).toBe(values.length);
      }
      for (const [schema, values] of refused) {
        const { details } = await failureOf(bench, specOf(schema, values), "ROW_INVALID");
        const violations = details["violations"] as { count: number; samples: { row: number }[] }[]; // As they are told.
        const rows = violations.flatMap(({ samples }) => samples.map((sample) => sample.row));
        expect(violations.reduce((sum, { count }) => sum + count, 0)).toBe(values.length);
        expect(new Set(rows).size).toBe(rows.length);
      }
    });
  });

  test("of rows that are replaced later are refused all the same", async () => {
    await withBench(async (bench) => {
      await bench.land("a.xls", [row("E1", "2018-01-31", -3)]);
      await bench.land("b.xls", [row("E1", "2018-01-31", 3)]);
      await failureOf(bench, deaths(), "ROW_INVALID");
    });
  });

  test("by a refinement are refused in its words", async () => {
    await withBench(async (bench) => {
      await bench.land("2018.xls", [row("E1", "2018-01-31", 3), row("E2", "2018-01-31", 4)]);
      const spec = defineDataset({
        name: "deaths",
        description: "x",
        columns: { code: z.string(), deaths: z.int().refine((value) => value % 2 === 0, "is odd") },
        key: ["code"],
        from: fromFiles("ons.workbooks", { read: readLinesOf("code", "deaths") }),
      });
      expect((await failureOf(bench, spec, "ROW_INVALID")).message).toContain(
        'deaths is odd, in 1 row:\n    "3" (2018.xls, tidy row 1)',
      );
    });
  });
});

describe("rows of one key", () => {
  test("within one file are refused with both places", async () => {
    await withBench(async (bench) => {
      await bench.land("2012.xls", [
        row("E1", "2018-01-31", 3),
        row("E2", "2018-01-31", 3),
        row("E1", "2018-01-31", 4),
      ]);
      const { message } = await failureOf(bench, deaths(), "KEY_DUPLICATE");
      expect(message).toContain(
        'code "E1", month "2018-01-31":\n    2012.xls, tidy row 1\n    2012.xls, tidy row 3',
      );
    });
  });

  test.each([
    ["first", 3],
    ["last", 4],
  ] as const)("may be told to leave the %s", async (duplicates, left) => {
    await withBench(async (bench) => {
      await bench.land("2011.xls", [row("E1", "2018-01-31", 1)]);
      await bench.land("2012.xls", [row("E1", "2018-01-31", 3), row("E1", "2018-01-31", 4)]);
      const { manifest } = await bench.build(deaths({}, { duplicates }));
      expect(await bench.query("select deaths from deaths")).toEqual([{ deaths: left }]);
      expect(manifest.restatement).toMatchObject({ restated: 1, samples: [{ before: 1, after: left }] });
    });
  });
});

describe("files", () => {
  test("that cannot be read stop the build, each by its name", async () => {
    await withBench(async (bench) => {
      await bench.land("good.xls", [row("E1", "2018-01-31", 3)]);
      await bench.land("bad.xls", ["broken"]);
      const one = await failureOf(bench, deaths(), "FILE_DAMAGED");
      expect(one.message).toBe("bad.xls is broken.");
      expect(one.details).toMatchObject({ dataset: "deaths", name: "bad.xls" });
      await bench.land("worse.xls", ["broken too"]);
      const both = await failureOf(bench, deaths(), "INPUT_UNREADABLE");
      expect(both.message).toMatch(/2 of 3 files.*\n.*bad\.xls is broken.*\n.*\n.*worse\.xls is broken/);
      expect((await bench.build(deaths({ files: "g*" }))).manifest.rowCount).toBe(1);
    });
  });

  test("that fail alike by the hundred are not all tried", async () => {
    await withBench(async (bench) => {
      for (let file = 0; file < 30; file++) await bench.land(`bad-${file}.xls`, ["broken"]);
      const { message } = await failureOf(bench, deaths(), "INPUT_UNREADABLE");
      expect(message).toContain("20 of 20 files cannot be read");
      expect(message).toContain("and 10 more\n  After these 10 files were not read.");
    });
  });

  test("are not blamed for a landing that is full, which is told once", async () => {
    await withBench(async (bench) => {
      for (const name of ["a.xls", "b.xls", "c.xls"]) await bench.land(name, [row("E1", "2018-01-31", 3)]);
      const full = Object.create(bench.store, {
        openWriter: {
          value: async () => {
            throw new LeatError("STORE_FULL", { message: "The disk is full." });
          },
        },
      });
      await expect(bench.build(deaths(), { store: full })).rejects.toMatchObject({
        code: "STORE_FULL",
        message: "The disk is full.",
      });
      expect((await bench.build(deaths())).manifest.rowCount).toBe(1);
    });
  });

  test("of which none is there, or none is meant, are told with where was looked", async () => {
    await withBench(async (bench) => {
      expect((await failureOf(bench, deaths(), "INPUT_EMPTY")).message).toContain(
        "ons.workbooks, of which none is landed",
      );
      await bench.land("2018.xls", [row("E1", "2018-01-31", 3)], { fields: { year: "2018" } });
      const failure = await failureOf(bench, deaths({ files: { year: ["2019", "202?"] } }), "INPUT_EMPTY");
      expect(failure.message).toContain("with year 2019 or 202?, and none of the 1 landed files fits");
      expect(failure.hint).toContain("2018.xls");
    });
  });

  test("whose place in the order of release is unknown are named", async () => {
    await withBench(async (bench) => {
      await bench.land("deaths_2018_01.xls", [row("E1", "2018-01-31", 3)]);
      await bench.land("deaths.xls", [row("E1", "2018-01-31", 3)]);
      for (const release of ["{year}_{month}", "lastModified", { fields: ["year"] }] as const)
        expect((await failureOf(bench, deaths({ release }), "RELEASE_UNKNOWN")).message).toMatch(
          /deaths\S*\.xls/,
        );
    });
  });

  test("without any row make no version", async () => {
    await withBench(async (bench) => {
      await bench.land("2018.xls", [row("E1", "2018-01-31", 3)]);
      const failure = await failureOf(bench, deaths({ map: () => undefined }), "INPUT_EMPTY");
      expect(failure.message).toContain("`map` dropped them all");
      const rules = [{ rule: "rowCount", min: 0 }];
      expect((await bench.build(deaths({ map: () => null }, { rules }))).manifest).toMatchObject({
        rowCount: 0,
      });
      expect(await bench.query("select * from deaths")).toEqual([]);
    });
  });

  test("of several tenants need a column that says whose a row is", async () => {
    await withBench(async (bench) => {
      await bench.land("a.xls", [row("E1", "2018-01-31", 3)], { tenant: "414" });
      await bench.land("b.xls", [row("E1", "2018-01-31", 4)], { tenant: "415" });
      expect((await failureOf(bench, deaths(), "CONFIG_INVALID")).hint).toContain("tenantColumn");
      const spec = defineDataset({
        name: "deaths",
        description: "x",
        columns: { ...columns, tenant_id: z.string() },
        key: ["tenant_id", "code", "month"],
        tenantColumn: "tenant_id",
        // A row never decides whose it is.
        from: fromFiles("ons.workbooks", {
          read: readLinesOf("code", "month", "deaths"),
          map: (tidy) => ({ ...tidy, tenant_id: "999" }),
        }),
      });
      await bench.build(spec);
      expect(await bench.query("select tenant_id, deaths from deaths order by 1")).toEqual([
        { tenant_id: "414", deaths: 3 },
        { tenant_id: "415", deaths: 4 },
      ]);
    });
  });
});

describe("the project's own code", () => {
  const good = row("E1", "2018-01-31", 3);

  const slips: readonly (readonly [string, () => unknown, string, RegExp])[] = [
    [
      "throws",
      () => {
        throw new Error("no such area");
      },
      "MAP_FAILED",
      /2018\.xls, row 1: .*no such area/,
    ],
    ["gives a promise", async () => good, "MAP_FAILED", /gave a promise/],
    ["gives text", () => "E1", "MAP_FAILED", /gave "E1", not an object/],
    ["gives a list of lists", () => [[good]], "MAP_FAILED", /not an object/],
    [
      "gives an unknown column",
      () => ({ ...good, death: 3 }),
      "COLUMN_MISMATCH",
      /2018\.xls, row 1, after map: a row has "death"/,
    ],
  ];
  test.each(slips)("that %s is told with file and row", async (_name, map, code, message) => {
    await withBench(async (bench) => {
      await bench.land("2018.xls", [good]);
      // What a person may write, whatever the types say.
      const wrong = map as unknown as (row: DatasetRow) => DatasetRow;
      const failure = await failureOf(bench, deaths({ map: wrong }), code);
      expect(failure.message).toMatch(message);
    });
  });

  test("makes one, several or no rows of a tidy row, and knows its file", async () => {
    await withBench(async (bench) => {
      await bench.land("2018.xls", [{ code: "E1", jan: 3, feb: 4 }, { code: "note" }], {
        fields: { year: "2018" },
      });
      const spec: DatasetSpec = deaths({
        read: readLinesOf("code", "jan", "feb"),
        map: (tidy, { fields, file, number }) =>
          tidy["jan"] === undefined
            ? null
            : ["jan", "feb"].map((month, at) => ({
                code: tidy["code"],
                month: `${fields["year"]}-0${at + 1}-01`,
                deaths: Number(tidy[month]) + number * 100 + (file.name === "2018.xls" ? 0 : 1),
              })),
        mapVersion: "7",
      });
      const { manifest } = await bench.build(spec);
      expect(await bench.query("select month, deaths from deaths")).toEqual([
        { month: "2018-01-01", deaths: 103 },
        { month: "2018-02-01", deaths: 104 },
      ]);
      expect(manifest.lineage).toMatchObject({
        code: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/), version: "7" },
        files: [
          { name: "2018.xls", tidyRows: 2, rows: 2, stream: "ons.workbooks", tenant: "default", seq: 1 },
        ],
        reader: "lines-1",
        sql: null,
      });
    });
  });

  test("that yields rows is told by their number", async () => {
    await withBench(async (bench) => {
      const spec = (make: () => Iterable<DatasetRow>) =>
        defineDataset({
          name: "d",
          description: "x",
          columns: { id: z.int() },
          key: ["id"],
          from: fromRows(make),
        });
      const wrong = (rows: readonly unknown[]) => () => rows as readonly DatasetRow[]; // Whatever the types say.
      expect((await failureOf(bench, spec(wrong([{ id: 1 }, 2])), "MAP_FAILED")).message).toContain("row 2");
      expect((await failureOf(bench, spec(wrong([{ id: 1 }, { ib: 2 }])), "COLUMN_MISMATCH")).hint).toContain(
        '"id"',
      );
      expect(
        (await failureOf(bench, spec(wrong([{ id: 1 }, { id: 1 }])), "KEY_DUPLICATE")).message,
      ).toContain("the project's rows, tidy row 2");
      const failing = function* (): Generator<DatasetRow> {
        yield { id: 1 };
        throw new Error("the disk is gone");
      };
      expect((await failureOf(bench, spec(failing), "MAP_FAILED")).message).toContain("the disk is gone");
    });
  });
});
