import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Source } from "../ports/source.ts";
import { makeStreamSpec } from "../testing/warehouse-under-test.ts";
import { defineDataset } from "./define-dataset.ts";
import { fromRows } from "./define-dataset-inputs.ts";
import { defineProject } from "./define-project.ts";
import { defineShare, type ShareDeclaration } from "./define-share.ts";

const stream = makeStreamSpec({ source: "farm", name: "plants", primaryKey: ["id"], deletedField: "gone" });
const farm: Source = {
  name: "farm",
  streams: [stream],
  open: () => Promise.reject(new Error("not in this test")),
};
const ofRows = { description: "Rows.", from: fromRows(() => []) };
const datasets = [
  defineDataset({
    ...ofRows,
    name: "book",
    columns: { owner: z.string(), n: z.int(), total: z.number() },
    key: ["owner", "n"],
    tenantColumn: "owner",
  }),
  defineDataset({ ...ofRows, name: "rates", columns: { day: z.string() }, key: ["day"] }),
  defineDataset({
    ...ofRows,
    name: "names",
    columns: { owner: z.string() },
    key: ["owner"],
    tenantColumn: "owner",
  }),
];
const complete: ShareDeclaration = {
  name: "replica",
  streams: ["farm.plants"],
  to: "duckdb:customer.duckdb",
};
const faultsOf = (act: () => unknown): string => {
  try {
    act();
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
};
const declare = (changes: Partial<ShareDeclaration>): string =>
  faultsOf(() => defineShare({ ...complete, ...changes }));
const inProject = (changes: Partial<ShareDeclaration>): string =>
  faultsOf(() => {
    const shares = [defineShare({ ...complete, salt: "env:SALT", ...changes })];
    return defineProject({ name: "farm", sources: [farm], datasets, shares });
  });

describe("a share", () => {
  test("is complete and frozen, with every default filled in", () => {
    const share = defineShare(complete);
    expect(share).toMatchObject({
      schema: "replica",
      keep: "history",
      tenants: undefined,
      salt: undefined,
      deadlineMs: 3_600_000,
      tables: [{ of: "farm.plants", name: "plants", columns: undefined }],
    });
    expect(Object.isFrozen(share) && Object.isFrozen(share.tables[0])).toBe(true);
    const columns = { id: true, a: "b", c: { as: "d", mask: true, optional: true } } as const;
    const chosen = defineShare({ ...complete, salt: "env:S", streams: [{ stream: "farm.plants", columns }] });
    expect(chosen.tables[0]?.columns).toEqual([
      { key: "id", name: "id", isMasked: false, isOptional: false },
      { key: "a", name: "b", isMasked: false, isOptional: false },
      { key: "c", name: "d", isMasked: true, isOptional: true },
    ]);
  });

  test.each<[string, Partial<ShareDeclaration>, string]>([
    ["no stream", { streams: [] }, "at least one stream"],
    ["a name that no engine takes", { name: "my share" }, "letters, digits and _"],
    ["a name of leat's own", { schema: "_leat_x" }, "leat's own"],
    ["an option that is none", { colunms: [] } as Partial<ShareDeclaration>, "unknown option"],
    [
      "a mask without a salt",
      { streams: [{ stream: "a.b", columns: { x: { mask: true } } }] },
      "salt: is missing",
    ],
    ["a salt that is the secret itself", { salt: "hunter2" }, "must be a secret's reference"],
    ["two tables of one name", { streams: ["a.b", "c.b"] }, 'its table "b" is also that of a.b'],
    ["a table that another's history is", { streams: ["a.b", "c.b_history"] }, '"b_history" is also that of'],
    ["a stream whose name is no table's", { streams: ["a.b c"] }, "set `table`"],
    [
      "two columns of one name",
      { streams: [{ stream: "a.b", columns: { x: "y", Y: true } }] },
      "is also the name",
    ],
    [
      "a dataset of a stream's name",
      { streams: ["a.b"], datasets: ["b"] },
      'datasets: b: its table "b" is also that of a.b',
    ],
    [
      "a dataset whose table has no name",
      { datasets: [{ dataset: "b", table: "b c" }] },
      "letters, digits and _",
    ],
    ["no columns", { streams: [{ stream: "a.b", columns: [] }] }, "streams"],
    ["an endless deadline", { deadline: "25h" }, "from 1 s to 24 h"],
  ])("with %s is refused by its path", (_what, changes, said) => {
    expect(declare(changes)).toContain(said);
  });
});

describe("a share in a project", () => {
  test.each<[string, Partial<ShareDeclaration>, string]>([
    ["a stream that is not there", { streams: ["farm.plant"] }, 'Did you mean "farm.plants"?'],
    ["the schema of a source", { schema: "Farm" }, "is also the name of the source farm"],
    [
      "columns without the key",
      { streams: [{ stream: "farm.plants", columns: ["modified", "gone"] }] },
      'must share "id"',
    ],
    [
      "a masked key",
      { streams: [{ stream: "farm.plants", columns: { id: { mask: true }, modified: true, gone: true } }] },
      'cannot mask "id"',
    ],
    [
      "columns without the cursor",
      { streams: [{ stream: "farm.plants", columns: ["id", "gone"] }] },
      'must share "modified"',
    ],
    [
      "columns without the deletions",
      { streams: [{ stream: "farm.plants", columns: ["id", "modified"] }] },
      'must share "gone"',
    ],
    [
      "a column named as the tenant's",
      {
        streams: [
          { stream: "farm.plants", columns: { id: true, modified: true, gone: true, x: "tenant_id" } },
        ],
      },
      "the column that says whose a row is",
    ],
    ["a dataset that is not there", { datasets: ["bok"] }, 'no such dataset. Did you mean "book"?'],
    ["a dataset of nobody's rows", { datasets: ["rates"] }, "set `tenantColumn` of the dataset"],
    [
      "a column that the dataset has not",
      { datasets: [{ dataset: "book", columns: ["totl"] }] },
      '"totl" is no column of it. Did you mean "total"?',
    ],
    [
      "a masked tenant",
      { datasets: [{ dataset: "book", columns: { owner: { mask: true } } }] },
      '"owner" says whose a row is, and is always shared as it is',
    ],
    [
      "a column named as the dataset's tenant",
      { datasets: [{ dataset: "book", columns: { total: "Owner" } }] },
      "the column that says whose a row is",
    ],
    ["a dataset of tenants alone", { datasets: ["names"] }, 'no column beside "owner"'],
  ])("with %s is refused", (_what, changes, said) => {
    expect(inProject(changes)).toContain(said);
  });

  test("with all that it needs is taken", () => {
    const shared = { dataset: "book", columns: { n: { mask: true }, total: "sum" } } as const;
    expect(inProject({ streams: [], datasets: [shared] })).toBe("none");
    expect(
      inProject({ streams: [{ stream: "farm.plants", columns: { id: "no", modified: true, gone: true } }] }),
    ).toBe("none");
  });

  test("of what belongs to no tenant is refused, and for tenants of whom nothing is read", () => {
    const shared = (tenants: Source["tenants"], forTenants?: readonly string[]) =>
      faultsOf(() =>
        defineProject({
          name: "farm",
          sources: [{ ...farm, tenants }],
          shares: [defineShare({ ...complete, ...(forTenants && { tenants: forTenants }) })],
        }),
      );
    expect(shared("none")).toContain("its rows belong to no tenant");
    expect(shared(["414"], ["414", "415"])).toContain('none of its streams is read for "415"');
    expect(shared(["414"], ["414"])).toBe("none");
  });

  test("twice of one name is refused", () => {
    const twice = () =>
      defineProject({
        name: "farm",
        sources: [farm],
        shares: [defineShare(complete), defineShare(complete)],
      });
    expect(faultsOf(twice)).toContain("also the name of shares[0]");
  });
});
