/** While a version is being loaded its first rows are told to those who take them, as they will be told later. */
import { expect, test } from "vitest";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { defineApi } from "../../src/serve/define-api.ts";
import { createMemoryStore } from "../../src/testing/memory-store.ts";
import { type Answered, openTestApi, readAnswer, type TestApi } from "./open-test-api.ts";
import { column, type Row, schemaOf } from "./published-versions.ts";

const spec = defineApi({ title: "Orders", description: "Orders.", datasets: ["orders"] });
const schema = schemaOf([
  column("id", "bigint"),
  column("sum", "decimal(38,10)"),
  column("share", "double", { isNullable: true }),
  column("paid", "timestamptz"),
  column("said", "json"),
  column("name", "text", { isNullable: true }),
]);
const rows: Row[] = Array.from({ length: 3000 }, (_, id) => [
  String(id),
  `${id}.1000000000`,
  id % 3 === 0 ? null : id % 3 === 1 ? "-0.0" : "0.1",
  `2026-01-01T00:00:${String(id % 60).padStart(2, "0")}+02:00`,
  `{"a": ${id}.00,\n"b": "ü"}`,
  id % 5 === 0 ? null : `Zoë "${id % 7}", ${"x".repeat(id % 40)}`,
]);

/** A store whose second part does not come before it is let. */
function holdBack(store: ObjectStore): { store: ObjectStore; release: () => void } {
  const gate = Promise.withResolvers<void>();
  const held: ObjectStore = Object.create(store, {
    readStream: {
      value: async (key: string, ...more: []) => {
        if (key.endsWith("part-00002.parquet")) await gate.promise;
        return await store.readStream(key, ...more);
      },
    },
  }) as ObjectStore; // The same with one method of ours.
  return { store: held, release: gate.resolve };
}

const ask = async ({ api }: TestApi, url: string, takesHead = true): Promise<Answered> => {
  const { signal } = new AbortController();
  return await readAnswer(await api.answer({ method: "GET", url, headers: {}, signal, takesHead }));
};

/** What tells an answer from another. */
const whole = ({ status, text, headers }: Answered): unknown => [status, text, headers.get("etag")];

test("first rows come while the rest is being read, byte for byte as they come later, and others are asked to wait", async () => {
  const { store, release } = holdBack(createMemoryStore());
  await using api = await openTestApi(spec, { store });
  await api.published.publish("orders", schema, rows, 1500);
  const loading = api.refresh();
  const urls = ["/datasets/orders/rows", "/datasets/orders/rows.csv?limit=500&columns=name,said,sum"];
  const early = await Promise.all(urls.map((url) => ask(api, url)));
  expect(early[0]!.json<{ total: number; rows: unknown[] }>()).toMatchObject({ total: 3000 });
  expect(early[0]!.json<{ rows: unknown[] }>().rows).toHaveLength(100);
  const next = early[0]!.json<{ next: string }>().next;
  const second = await ask(api, next);
  expect(second.json<{ rows: { id: number }[] }>().rows[0]?.id).toBe(100);
  expect((await ask(api, urls[0]!, false)).status).toBe(503);
  const described = await ask(api, "/datasets/orders");
  expect(described.json()).toMatchObject({
    loading: true,
    rowCount: 3000,
    columns: [{ nullCount: null }, {}, {}, {}, {}, {}],
  });
  expect(described.headers.get("cache-control")).toBe("no-store");

  const waiting = ["sort=-id&limit=1", "id=2999", "limit=5000"].map((query) =>
    ask(api, `/datasets/orders/rows?${query}`),
  );
  const counted = ask(api, "/datasets/orders/facets?columns=name");
  release();
  const told = await Promise.all(waiting);
  expect(told.map((one) => one.json<{ rows: { id: number }[] }>().rows.at(-1)?.id)).toEqual([
    2999, 2999, 2999,
  ]);
  expect((await counted).status).toBe(200);
  await loading;
  const late = await Promise.all([...urls, next].map((url) => ask(api, url, false)));
  expect(late.map(whole)).toEqual([...early, second].map(whole));
  const after = await ask(api, "/datasets/orders");
  expect(after.json()).not.toHaveProperty("loading");
  expect(after.headers.get("etag")).not.toBe(described.headers.get("etag"));
});

test("a version that is found damaged after its first rows were shown is refused by name", async () => {
  const { store, release } = holdBack(createMemoryStore());
  await using api = await openTestApi(spec, { store });
  await api.published.publish("orders", schema, rows, 1500);
  const loading = api.refresh();
  expect((await ask(api, "/datasets/orders/rows")).status).toBe(200);
  const filtered = ask(api, "/datasets/orders/rows?id=7");
  await store.delete("datasets/orders/build=1-test/part-00002.parquet");
  release();
  await loading;
  const { status, text } = await filtered;
  expect([status, text]).toEqual([503, expect.stringContaining("part-00002.parquet")]);
  expect((await ask(api, "/datasets/orders/rows")).status).toBe(503);
});
