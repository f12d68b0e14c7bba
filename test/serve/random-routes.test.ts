/** Declared routes over random datasets: whatever columns name the rows, they are the rows that have these values. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { defineApi } from "../../src/serve/define-api.ts";
import { openTestApi } from "./open-test-api.ts";
import { askable, type RandomDataset, randomDataset } from "./random-datasets.ts";

/** Datasets, each with an API of its own. */
const runCount = Number(process.env["LEAT_RUNS"] ?? 12);
/** Addresses asked of each. */
const askedCount = 12;

type Case = Readonly<{ dataset: RandomDataset; columns: readonly number[]; picks: readonly number[] }>;

const cases: fc.Arbitrary<Case> = randomDataset.chain((dataset) => {
  const named = dataset.schema.columns.flatMap(({ type }, at) => (type === "json" ? [] : [at]));
  return fc.record({
    dataset: fc.constant(dataset),
    columns: fc.uniqueArray(fc.constantFrom(...named), { minLength: 1, maxLength: 3 }),
    picks: fc.array(fc.nat(), { minLength: askedCount * 4, maxLength: askedCount * 4 }),
  });
});

test("rows of a declared route are those of the naive answer, or none and a 404", {
  timeout: 300_000,
}, async () => {
  let found = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ dataset, columns, picks }) => {
      const { schema, table, rows } = dataset;
      const names = columns.map((at) => schema.columns[at]!.name);
      const parameters = Object.fromEntries(names.map((name, at) => [`p${at}`, name]));
      const spec = defineApi({
        title: "Random",
        description: "Anything.",
        datasets: ["random"],
        routes: [
          {
            path: `/find/${names.map((_, at) => `{p${at}}`).join("/")}`,
            dataset: "random",
            shape: "rows",
            parameters,
          },
        ],
      });
      await using api = await openTestApi(spec);
      await api.published.publish("random", schema, rows, 50);
      await api.refresh();
      expect(api.events.filter(({ type }) => type !== "loaded")).toEqual([]);
      const shown = schema.columns.map((_, at) => at).filter((at) => !columns.includes(at));
      for (let turn = 0; turn < askedCount; turn++) {
        const [row = 0, ...others] = picks.slice(turn * 4, turn * 4 + 4);
        // Half of the time values that stand together in a row, as far as an address can name them.
        const values = columns.map((column, at) => {
          const known = askable(schema.columns[column]!.type);
          const own = rows.length === 0 ? null : rows[row % rows.length]![column]!;
          const isOwn = turn % 2 === 0 && own !== null && known.includes(own);
          return isOwn ? own : known[others[at]! % known.length]!;
        });
        if (values.includes("")) continue; // No address has an empty part.
        const wanted = table.select(
          values.map((value, at) => ({ column: columns[at]!, operator: "eq", values: [value] })),
          [],
        );
        const answer = await api.get(`/find/${values.map(encodeURIComponent).join("/")}`);
        expect(answer.status, answer.text).toBe(wanted.length === 0 ? 404 : 200);
        if (wanted.length === 0) continue;
        found++;
        const told = answer.json<{ rows: Record<string, unknown>[] }>().rows;
        expect(told).toEqual(table.toJson(wanted, shown));
      }
    }),
    { numRuns: runCount, endOnFailure: true },
  );
  expect(found).toBeGreaterThan(runCount / 2);
});
