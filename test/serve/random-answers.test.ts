/**
 * For random datasets and queries, every answer is what the same query gives when it is worked out in memory.
 *
 * `LEAT_RUNS=1000 LEAT_SEED=7 vitest run test/serve/random-answers.test.ts` is the long search.
 */
import fc from "fast-check";
import { afterAll, beforeAll, test } from "vitest";
import { defineApi } from "../../src/serve/define-api.ts";
import { checkFacets, checkGroups, checkRows, formats } from "./check-answers.ts";
import { openTestApi, type TestApi } from "./open-test-api.ts";
import { randomDataset } from "./random-datasets.ts";
import { groupsOn, rowsOn } from "./random-queries.ts";

const spec = defineApi({ title: "Random", description: "Anything.", datasets: ["random"] });
/** Datasets, each a new version of one API, and queries of each kind over it. */
const datasetCount = Number(process.env["LEAT_RUNS"] ?? 20);
const queryCount = 6;

const cases = randomDataset.chain((dataset) =>
  fc.record({
    dataset: fc.constant(dataset),
    rows: fc.array(rowsOn(dataset), { minLength: queryCount, maxLength: queryCount }),
    groups: fc.array(groupsOn(dataset), { minLength: queryCount, maxLength: queryCount }),
    asking: fc.record({
      format: fc.constantFrom(...formats),
      encodesCommas: fc.boolean(),
      asEnding: fc.boolean(),
    }),
  }),
);

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi(spec);
});
afterAll(async () => await api[Symbol.asyncDispose]());

test("rows, facets and groups of random datasets are those of the naive answer", {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ dataset, rows, groups, asking }) => {
      await api.published.publish("random", dataset.schema, dataset.rows, 50);
      await api.refresh();
      for (const query of rows) {
        for (const format of new Set(["json", asking.format]))
          await checkRows(api, dataset, query, { ...asking, format });
        await checkFacets(api, dataset, query, asking);
      }
      for (const query of groups) await checkGroups(api, dataset, query, asking);
    }),
    // Making a counterexample small takes minutes; its seed and path are told, and `path` repeats it.
    { numRuns: datasetCount, endOnFailure: true },
  );
});
