import { expect, test } from "vitest";
import { z } from "zod";
import type { StreamSpec } from "../model/stream.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { Source } from "../ports/source.ts";
import { defineDataset } from "./define-dataset.ts";
import { fromFiles, fromRows, fromSql, fromStream, type InputDeclaration } from "./define-dataset-inputs.ts";
import { defineProject } from "./define-project.ts";

const read = { format: "csv", columns: ["id"], options: {} } as const;

/** A source of which only names are looked at. */
function source(name: string, streams: readonly string[], isOfFiles = false): Source {
  const specs = streams.map(
    (stream) => ({ source: name, name: stream, landingTable: `${name}_${stream}` }) as StreamSpec, // All that is read.
  );
  const refuse = () => Promise.reject(new Error("nothing is opened"));
  return { name, streams: specs, open: refuse, ...(isOfFiles && { openFiles: refuse }) };
}

const dataset = (name: string, from: InputDeclaration, more: object = {}): DatasetSpec =>
  defineDataset({ name, description: "x", columns: { id: z.string() }, key: ["id"], from, ...more });

function faultsOf(datasets: readonly DatasetSpec[]): readonly string[] {
  const sources = [
    source("ons", ["workbooks"], true),
    source("two", ["x", "y"], true),
    source("shop", ["orders"]),
  ];
  try {
    defineProject({ name: "p", sources, datasets });
  } catch (error) {
    const { details } = error as { details: { faults: { path: string; problem: string }[] } };
    return details.faults.map(({ path, problem }) => `${path}: ${problem}`);
  }
  return [];
}

const rows = fromRows(() => []);

test("a project has datasets of distinct names, without regard to case", () => {
  expect(faultsOf([dataset("a", rows), dataset("b", rows)])).toEqual([]);
  expect(faultsOf([dataset("deaths", rows), dataset("Deaths", rows)])).toEqual([
    'datasets[1].name: "Deaths" is also the name of datasets[0]',
  ]);
  expect(() =>
    defineProject({ name: "p", sources: [source("s", ["a"])], datasets: [{} as DatasetSpec] }),
  ).toThrow(/defineDataset/);
});

test("a dataset's table takes no view's name, no short name and no landing table", () => {
  const faults = faultsOf([
    dataset("orders", rows),
    dataset("orders_history", rows),
    dataset("shop_orders", rows),
    dataset("Workbooks", rows, { warehouseSchema: "ONS" }),
    dataset("orders2", rows, { warehouseSchema: "shop" }),
  ]);
  expect(faults).toEqual([
    expect.stringMatching(/^datasets\[0\]\.name: .*view of the stream shop\.orders/),
    expect.stringMatching(/^datasets\[1\]\.name: .*view of the stream shop\.orders/),
    expect.stringMatching(/^datasets\[2\]\.name: .*landing table of the stream shop\.orders/),
    expect.stringMatching(/^datasets\[3\]\.name: .*view of the stream ons\.workbooks/),
  ]);
});

test("a dataset is made of streams that are there, and of files where it reads files", () => {
  expect(
    faultsOf([
      dataset("a", fromFiles("ons", { read })),
      dataset("b", fromFiles("ons.workbooks", { read })),
      dataset("c", fromFiles(source("ons", ["workbooks"], true), { read })),
      dataset("d", fromStream("shop.orders")),
      dataset("e", fromSql("select 1", { streams: ["shop.orders", "two.x"] })),
    ]),
  ).toEqual([]);
  expect(
    faultsOf([
      dataset("a", fromFiles("two", { read })),
      dataset("b", fromFiles("shop.orders", { read })),
      dataset("c", fromFiles("osn", { read })),
      dataset("d", fromStream("shop.order")),
      dataset("e", fromSql("select 1", { streams: ["orders"] })),
    ]),
  ).toEqual([
    expect.stringMatching(/^datasets\[0\]\.from: .*a source of 2 streams; say which: two\.x, two\.y/),
    expect.stringMatching(/^datasets\[1\]\.from: .*whose records are no files/),
    expect.stringMatching(/^datasets\[2\]\.from: names "osn"/),
    expect.stringMatching(/^datasets\[3\]\.from: names "shop.order". Did you mean "shop.orders"/),
    expect.stringMatching(/^datasets\[4\]\.from: names "orders"/),
  ]);
});

test("datasets look into each other without going round in circles", () => {
  const into = (name: string, column = "id") => ({
    rules: [{ rule: "references", columns: "id", dataset: name, to: column }],
  });
  expect(faultsOf([dataset("a", rows, into("b")), dataset("b", rows)])).toEqual([]);
  expect(
    faultsOf([
      dataset("a", rows, into("b")),
      dataset("b", fromSql("select 1", { datasets: ["c"] })),
      dataset("c", rows, into("a")),
      dataset("d", rows, into("areas")),
      dataset("e", rows, into("d", "code")),
    ]),
  ).toEqual([
    "datasets[0].rules[0]: leads from b back to a: neither could be built first",
    "datasets[1].from: leads from c back to b: neither could be built first",
    "datasets[2].rules[0]: leads from a back to c: neither could be built first",
    expect.stringMatching(/^datasets\[3\]\.rules\[0\]: names the dataset "areas"/),
    expect.stringMatching(/^datasets\[4\]\.rules\[0\]: names the column "code" of d/),
  ]);
});
