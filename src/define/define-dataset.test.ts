import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { DatasetSpec } from "../ports/dataset.ts";
import { defineDataset } from "./define-dataset.ts";
import { fromFiles, fromRows, fromSql, fromStream } from "./define-dataset-inputs.ts";

const read = { format: "csv", columns: ["code", "deaths"], options: {} } as const;
const rows = fromRows(() => []);

const withColumn = (schema: z.core.$ZodType, from = rows): DatasetSpec =>
  defineDataset({ name: "d", description: "x", columns: { id: z.string(), x: schema }, key: ["id"], from });
const typeOf = (schema: z.core.$ZodType): string => withColumn(schema).columns[1]!.published.type;

/** The faults of a declaration that is not one. */
function faultsOf(declaration: object): readonly string[] {
  try {
    // A person's file is checked by no compiler.
    defineDataset(declaration as Parameters<typeof defineDataset>[0]);
  } catch (error) {
    const { code, details } = error as {
      code: string;
      details: { faults: { path: string; problem: string }[] };
    };
    expect(code).toBe("CONFIG_INVALID");
    return details.faults.map(({ path, problem }) => `${path}: ${problem}`);
  }
  throw new Error("there is no fault");
}
const complete = { name: "d", description: "x", columns: { id: z.string() }, key: ["id"], from: rows };

describe("a column's type", () => {
  test.each([
    ["text", z.string()],
    ["text", z.email()],
    ["text", z.enum(["a", "b"])],
    ["text", z.literal("a")],
    ["text", z.union([z.literal("a"), z.literal("b")])],
    ["text", z.templateLiteral(["E", z.number()])],
    ["bigint", z.int()],
    ["bigint", z.number().int()],
    ["bigint", z.int32()],
    ["bigint", z.bigint()],
    ["bigint", z.literal([1, 2])],
    ["double", z.number()],
    ["double", z.literal([1, 2.5])],
    ["boolean", z.boolean()],
    ["date", z.iso.date()],
    ["timestamp", z.iso.datetime({ local: true })],
    ["timestamptz", z.iso.datetime()],
    ["timestamptz", z.date()],
    ["decimal(12,2)", z.string().meta({ type: "decimal(12,2)" })],
    ["decimal(38,0)", z.number().nullable().meta({ type: "decimal(38, 0)" })],
    ["json", z.json()],
    ["json", z.unknown()],
    ["json", z.object({ a: z.number() })],
    ["json", z.array(z.string())],
  ])("%s", (type, schema) => {
    expect(typeOf(schema)).toBe(type);
  });

  test("is nullable where the schema says so, however deep", () => {
    const isNullable = (schema: z.core.$ZodType) => withColumn(schema).columns[1]!.published.isNullable;
    expect([z.string(), z.string().readonly()].map(isNullable)).toEqual([false, false]);
    expect(
      [z.string().nullable(), z.int().nullish().readonly(), z.union([z.null(), z.string()])].map(isNullable),
    ).toEqual([true, true, true]);
  });

  test("is documented by description and meta, the outer ones first", () => {
    const schema = z
      .int()
      .meta({ description: "inner", unit: "deaths" })
      .nullable()
      .meta({ description: "Deaths", examples: [3] });
    expect(withColumn(schema).columns[1]!.published).toEqual({
      name: "x",
      type: "bigint",
      isNullable: true,
      description: "Deaths",
      unit: "deaths",
      examples: [3],
    });
  });
});

describe("what a schema asks of values", () => {
  const checksOf = (schema: z.core.$ZodType, from = rows) => withColumn(schema, from).columns[1]!.checks;

  test("is run by engines where they can", () => {
    expect(checksOf(z.string().min(2).max(9))).toEqual([
      { check: "shortest", length: 2 },
      { check: "longest", length: 9 },
    ]);
    expect(checksOf(z.number().gt(0.5).lte(9).multipleOf(0.5))).toEqual([
      { check: "least", value: "0.5", isIncluded: false },
      { check: "most", value: "9", isIncluded: true },
      { check: "multiple", of: 0.5 },
    ]);
    expect(checksOf(z.date().min(new Date(0)))).toEqual([
      { check: "least", value: "1970-01-01T00:00:00.000Z", isIncluded: true },
    ]);
    expect(checksOf(z.enum(["a", "b"]))).toEqual([{ check: "accepted", values: ["a", "b"] }]);
    expect(checksOf(z.int32())).toHaveLength(2);
  });

  test("is judged by zod where only JavaScript can", () => {
    const judge = withColumn(
      z
        .number()
        .refine((value) => value % 2 === 0, "is odd")
        .nullable(),
    ).columns[1]!.judge;
    expect([judge?.("3"), judge?.("4"), judge?.("no number"), judge?.(null)]).toEqual([
      "is odd",
      undefined,
      undefined,
      undefined,
    ]);
    const pattern = withColumn(z.string().regex(/^(?!x)/)).columns[1]!.judge;
    expect([pattern?.("xy"), pattern?.("y")]).toEqual(["does not match /^(?!x)/", undefined]);
    const shape = withColumn(z.object({ a: z.number() })).columns[1]!.judge;
    expect(shape?.('{"a":1}')).toBeUndefined();
    expect(shape?.('{"a":"1"}')).toMatch(/expected number.* at a$/);
    const outer = withColumn(
      z
        .string()
        .nullable()
        .refine((value) => value !== null, "is missing"),
    ).columns[1]!.judge;
    expect(outer?.(null)).toBe("is missing");
  });

  test("is refused by name for rows that never pass through JavaScript", () => {
    const query = fromSql("select 1", {});
    expect(checksOf(z.string().regex(/^E\d/), query)).toEqual([
      { check: "matches", pattern: "^E\\d", shown: "/^E\\d/" },
    ]);
    const faults = faultsOf({
      ...complete,
      from: query,
      columns: {
        id: z.string(),
        a: z.string().regex(/(?=x)/),
        b: z.number().refine(() => true),
        c: z.array(z.string()),
        d: z.templateLiteral(["E", z.number()]),
      },
    });
    expect(faults).toEqual([
      expect.stringMatching(/^columns\.a: has the pattern .*looking ahead.*SQL cannot run it/),
      expect.stringMatching(/^columns\.b: has a refinement, which only JavaScript can run/),
      expect.stringMatching(/^columns\.c: has a shape of JSON/),
      expect.stringMatching(/^columns\.d: has a template/),
    ]);
  });
});

describe("a declaration", () => {
  test("comes back complete and frozen, with the key at the end of the sort", () => {
    const spec = defineDataset({
      name: "d",
      description: "x",
      columns: { a: z.string(), b: z.string(), c: z.string() },
      key: ["a", "b"],
      sort: ["c", "b"],
      from: fromStream("shop.orders"),
    });
    expect(spec).toMatchObject({
      sort: ["c", "b", "a"],
      duplicates: "error",
      warehouseSchema: "main",
      rules: [],
      originColumns: [],
    });
    for (const part of [
      spec,
      spec.columns,
      spec.columns[0],
      spec.columns[0]!.published,
      spec.from,
      spec.sort,
    ])
      expect(Object.isFrozen(part)).toBe(true);
  });

  test("tells all its faults at once, each with its path", () => {
    const faults = faultsOf({
      name: "1st",
      description: "",
      colums: {},
      columns: {
        _leat_x: z.string(),
        a: z.string().trim(),
        b: z.union([z.string(), z.number()]),
        A: "text",
        c: z.string().meta({ units: "m" }),
        e: z.coerce.number(),
        f: z.string().default("x"),
        g: z.number().min(1).meta({ type: "money" }),
        h: z.iso.datetime({ local: true, offset: true }),
        i: z.undefined(),
      },
      key: ["aa", "a", "a"],
      sort: ["zz"],
      from: 3,
      rules: [{ rule: "rnage" }, { rule: "range", column: "q" }],
      tenantColumn: "t",
      keepVersions: 0,
    });
    const expected = [
      /^name: /,
      /^description: must say/,
      /^colums: unknown option/,
      /^keepVersions: /,
      /^columns\._leat_x: .*leat's own/,
      /^columns\.a: changes text/,
      /^columns\.b: is a union/,
      /^columns\.A: is "a" but for its case/,
      /^columns\.A: is no zod schema/,
      /^columns\.c: .*did you mean "unit"/,
      /^columns\.e: coerces/,
      /^columns\.f: changes values/,
      /^columns\.g: has the meta type "money"/,
      /^columns\.h: takes times with and without a zone/,
      /^columns\.i: is a z\.undefined/,
      /^from: is no input/,
      /^rules\[0\]\.rule: /,
      /^rules\[1\]: has neither min nor max/,
      /^rules\[1\]: names "q", which is no column/,
      /^key\[0\]: "aa" is no column. Did you mean "a"/,
      /^key\[2\]: "a" is named twice/,
      /^sort\[0\]: "zz" is no column/,
      /^tenantColumn: "t" is no column/,
    ];
    for (const pattern of expected) expect(faults).toContainEqual(expect.stringMatching(pattern));
    expect(faults).toHaveLength(expected.length);
  });

  test("of nothing, or of something else, is refused and not stumbled over", () => {
    for (const wrong of [undefined, null, 3, "d", [], {}, { columns: null }, { columns: { a: null } }])
      expect(faultsOf(wrong as object).length).toBeGreaterThan(0);
  });

  test("names rows by what engines tell apart, and orders them by what has an order", () => {
    expect(
      faultsOf({
        ...complete,
        columns: { d: z.number(), j: z.json(), t: z.string() },
        key: ["d"],
        sort: ["j"],
      }),
    ).toEqual([
      'key[0]: "d" is a double, which cannot name a row',
      'sort[0]: "j" is JSON, which has no order',
    ]);
    expect(faultsOf({ ...complete, originColumns: ["id"] })).toEqual([
      'key[0]: "id" is one of originColumns as well',
    ]);
  });

  test("has the columns that its files are read for, unless a map makes them", () => {
    const columns = { code: z.string(), year: z.int() };
    expect(faultsOf({ ...complete, columns, key: ["code"], from: fromFiles("ons", { read }) })).toEqual([
      expect.stringMatching(/^columns\.year: is not read from the files: `read` has code, deaths/),
    ]);
    const map = (row: object) => row as Record<string, unknown>; // As a person writes it.
    expect(
      defineDataset({ ...complete, columns, key: ["code"], from: fromFiles("ons", { read, map }) }).from,
    ).toMatchObject({
      kind: "files",
      stream: "ons",
      versions: "newest",
      release: { by: "landed" },
    });
    // The tenant's column is filled by leat.
    defineDataset({
      ...complete,
      columns: { code: z.string(), tenant: z.string() },
      key: ["code", "tenant"],
      tenantColumn: "tenant",
      from: fromFiles("ons", { read }),
    });
  });

  test("has a tenant in each row, if rows are tenants' at all", () => {
    const columns = { code: z.string(), tenant: z.string().nullable() };
    const nullable = { ...complete, columns, key: ["code", "tenant"], tenantColumn: "tenant" } as const;
    expect(faultsOf(nullable)).toEqual(['tenantColumn: "tenant" must not be nullable']);
  });

  test("says how files are ordered, in a form that can be read", () => {
    const releaseOf = (release: string | RegExp) => {
      const { from } = defineDataset({
        ...complete,
        columns: { code: z.string() },
        key: ["code"],
        from: fromFiles("ons", { read, release }),
      });
      return from.kind === "files" && from.release.by === "name" ? from.release : undefined;
    };
    expect(releaseOf("{day}-{month}-{year}")?.groups).toEqual(["year", "month", "day"]);
    expect(releaseOf(/v(?<major>\d+)\.(?<minor>\d+)/)?.groups).toEqual(["major", "minor"]);
    expect(releaseOf("vintage {name}.*")?.pattern.exec("vintage B.xls")?.groups).toEqual({ name: "B" });
    for (const wrong of ["newest", /no groups/]) {
      expect(
        faultsOf({
          ...complete,
          columns: { code: z.string() },
          key: ["code"],
          from: fromFiles("ons", { read, release: wrong }),
        }),
      ).toEqual([expect.stringMatching(/^from\.options\.release: /)]);
    }
  });

  test("has rules of distinct names", () => {
    const twice = { rule: "notNull", columns: "id" } as const;
    expect(faultsOf({ ...complete, rules: [twice, twice] })).toEqual([
      expect.stringMatching(/^rules\[1\]: is the second rule called "id not null"/),
    ]);
    const named = { ...twice, name: "again" };
    expect(defineDataset({ ...complete, key: ["id"], rules: [twice, named] }).rules).toHaveLength(2);
  });
});
