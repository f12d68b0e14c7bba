import { expect, test } from "vitest";
import type { DatasetSpec } from "../ports/dataset.ts";
import { chooseDataset, chooseDatasets } from "./choose-datasets.ts";

/** A dataset of which only what is looked at is there. */
const dataset = (name: string, datasets: readonly string[] = []): DatasetSpec =>
  ({ name, rules: [], from: { kind: "query", datasets, streams: [] } }) as unknown as DatasetSpec; // The rest is not read.

const all = [dataset("deaths", ["printed"]), dataset("printed"), dataset("other")];

test("what a dataset reads comes before it", () => {
  expect(chooseDatasets(all, ["deaths"]).map(({ name }) => name)).toEqual(["printed", "deaths"]);
});

test("one dataset is the one that was named, and not what it reads", () => {
  expect(chooseDataset(all, "deaths").name).toBe("deaths");
});

test("an unknown one is refused with the near name", () => {
  expect(() => chooseDataset(all, "death")).toThrow('There is no dataset "death".');
});
