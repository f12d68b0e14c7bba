/** Values that are easily told wrong: too large, unusual, missing, empty. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { defineApi } from "../../src/serve/define-api.ts";
import { openTestApi, type TestApi } from "./open-test-api.ts";
import { column, schemaOf } from "./published-versions.ts";

const spec = defineApi({ title: "Values", description: "Values.", datasets: ["values"] });
const nullable = { isNullable: true };
const schema = schemaOf([
  column("id", "bigint"),
  column("exact", "decimal(38,10)", nullable),
  column("word", "text", nullable),
  column("day", "date", nullable),
  column("number", "double", nullable),
]);
const large = "1234567890123456789012345678.0123456789";
const rows = [
  ["0", large, "", "0044-03-15 (BC)", "0.1"],
  ["1", null, null, "2018-01-31", "0.2"],
  ["2", "0.5000000000", " a ", "12018-01-31", "-0"],
  ...Array.from({ length: 20 }, (_, at) => [String(at + 3), large, "b", "2018-01-31", "Infinity"]),
];

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi(spec);
  await api.published.publish("values", schema, rows);
  await api.refresh();
});
afterAll(async () => await api[Symbol.asyncDispose]());

const path = "/datasets/values";
const groups = async (query: string): Promise<unknown> =>
  (await api.get(`${path}/aggregate?${query}`)).json<{ rows: unknown[] }>().rows;

test("a sum of more than 38 digits is refused, never rounded and never a fault", async () => {
  const answer = await api.get(`${path}/aggregate?values=sum(exact)`);
  expect(answer.status).toBe(400);
  expect(answer.json()).toMatchObject({ type: "urn:leat:problem:invalid-parameter", parameter: "values" });
  expect(await groups("values=sum(exact)&id.lt=3")).toEqual([
    { "sum(exact)": "1234567890123456789012345678.5123456789" },
  ]);
  expect(await groups("values=avg(exact)&id.gte=3")).toEqual([{ "avg(exact)": 1.23456789012346e27 }]);
});

test("an infinite sum is infinite, and a sum of tenths has no stray digits", async () => {
  expect(await groups("values=sum(number),avg(number)&id.gt=5")).toEqual([
    { "sum(number)": "Infinity", "avg(number)": "Infinity" },
  ]);
  expect(await groups("values=sum(number)&id.lt=2")).toEqual([{ "sum(number)": 0.3 }]);
});

test("days before the calendar's first year and after its last keep their order", async () => {
  const days = (await api.get(`${path}/rows?sort=day,id&columns=day&id.lt=3`)).json<{
    rows: { day: string }[];
  }>();
  expect(days.rows.map(({ day }) => day)).toEqual(["0044-03-15 (BC)", "2018-01-31", "12018-01-31"]);
  const idsOf = async (query: string): Promise<number[]> =>
    (await api.get(`${path}/rows?columns=id&id.lt=3&${query}`))
      .json<{ rows: { id: number }[] }>()
      .rows.map(({ id }) => id);
  expect(await idsOf("day.lt=0001-01-01")).toEqual([0]);
  expect(await idsOf("day.gt=9999-12-31")).toEqual([2]);
});

test("nothing and an empty text are told apart in CSV, and zero has no sign", async () => {
  const { text } = await api.get(`${path}/rows.csv?columns=id,word,number&limit=3`);
  expect(text).toBe('id,word,number\r\n0,"",0.1\r\n1,,0.2\r\n2," a ",0\r\n');
});
