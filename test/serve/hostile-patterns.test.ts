import { expect, test } from "vitest";
import { defineApi } from "../../src/serve/define-api.ts";
import { openTestApi } from "./open-test-api.ts";
import { column, schemaOf } from "./published-versions.ts";

const spec = defineApi({ title: "Texts", description: "Texts.", datasets: ["texts"] });

test("a pattern that could be tried in more ways than there are seconds is tested at once", {
  timeout: 60_000,
}, async () => {
  await using api = await openTestApi(spec, { engine: { timeoutMs: 3000 } });
  const rows = Array.from({ length: 500 }, (_, at) => [String(at), `${"a".repeat(500)}${at}`]);
  const schema = schemaOf([column("id", "bigint"), column("word", "text")]);
  await api.published.publish("texts", schema, rows);
  await api.refresh();
  const totalOf = async (pattern: string): Promise<number> => {
    const { status, text, json } = await api.get(
      `/datasets/texts/rows?limit=1&word.like=${encodeURIComponent(pattern)}`,
    );
    expect(status, text).toBe(200);
    return json<{ total: number }>().total;
  };
  expect(await totalOf(`${"%a".repeat(400)}%b`)).toBe(0);
  expect(await totalOf(`${"%_".repeat(300)}%7`)).toBe(50);
  expect(await totalOf(`${"_".repeat(503)}`)).toBe(400);
  expect(await totalOf("%".repeat(2000))).toBe(500);
  expect(await totalOf("%a\\%7")).toBe(0);
  expect(await totalOf("%.*")).toBe(0);
});
