import { expect, test } from "vitest";
import { defineDataset, defineProject, defineSource, fromSql, fromStream, z } from "../../src/index.ts";
import { toFlowRunId } from "../../src/model/run-ids.ts";
import type { Maker } from "../../src/ports/ledger.ts";
import { drawLineage } from "../../src/server/control/lineage-routes.ts";

const shop = defineSource({
  name: "shop",
  streams: {
    orders: { primaryKey: "id", pages: async function* () {} },
    lines: { primaryKey: "id", pages: async function* () {} },
  },
});
const plain = { description: "For a test.", columns: { id: z.int() }, key: ["id"] as const };
const sold = defineDataset({ ...plain, name: "sold", from: fromStream("shop.orders") });
const totals = defineDataset({
  ...plain,
  name: "totals",
  from: fromSql("select 1 as id", { streams: ["shop.lines"], datasets: ["sold"] }),
});
const declared = defineProject({ name: "p", sources: [shop], datasets: [sold, totals] });
const parent = { from: "stream", stream: "orders", field: "id", column: undefined, when: "always" } as const;
const project = {
  datasets: declared.datasets,
  sources: declared.sources.map((source) => ({
    ...source,
    streams: source.streams.map((one) => (one.name === "lines" ? { ...one, partitions: parent } : one)),
  })),
};

const maker = (facts: Partial<Maker>): Maker => ({
  runId: toFlowRunId("00000000000000aa"),
  flow: "f",
  deployment: "f",
  task: "t",
  produces: [],
  consumes: [],
  atMs: 0,
  ...facts,
});

test("datasets come from tables, tables from streams, streams from sources and from their parents", () => {
  const { edges } = drawLineage(project, []);
  expect(edges).toEqual(
    [
      ["source:shop", "stream:shop.orders"],
      ["stream:shop.orders", "table:shop.orders"],
      ["source:shop", "stream:shop.lines"],
      ["stream:shop.orders", "stream:shop.lines"],
      ["stream:shop.lines", "table:shop.lines"],
      ["table:shop.orders", "dataset:sold"],
      ["table:shop.lines", "dataset:totals"],
      ["dataset:sold", "dataset:totals"],
    ].map(([from, to]) => ({ from, to, is_declared: true })),
  );
});

test("what tasks told of is added to what is declared, and the newest of them made it", () => {
  const { nodes, edges } = drawLineage(project, [
    maker({ task: "new", produces: ["dataset:sold", "report"], consumes: ["table:shop.orders"] }),
    maker({ task: "old", produces: ["dataset:sold"], consumes: ["sheet:prices"] }),
  ]);
  expect(edges.filter((edge) => "is_declared" in edge && !edge.is_declared)).toEqual([
    { from: "table:shop.orders", to: "report", is_declared: false },
    { from: "sheet:prices", to: "dataset:sold", is_declared: false },
  ]);
  expect(nodes).toContainEqual(
    expect.objectContaining({ id: "dataset:sold", made_by: expect.objectContaining({ task: "new" }) }),
  );
  expect(nodes).toContainEqual(expect.objectContaining({ id: "report", kind: "other", name: "report" }));
  expect(nodes).toContainEqual(expect.objectContaining({ id: "dataset:totals", made_by: null }));
});

test("arrows of tasks that name hundreds of things are bounded", () => {
  const names = (kind: string) => Array.from({ length: 100 }, (_, n) => `${kind}:${n}`);
  const makers = [1, 2].map((n) => maker({ produces: names(`out${n}`), consumes: names(`in${n}`) }));
  expect(drawLineage(project, makers).edges).toHaveLength(10_000);
});
