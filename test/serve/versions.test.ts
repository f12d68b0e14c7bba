/** New versions under way: taken without a failed or mixed answer, refused when they are damaged. */
import { readdir } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { defineApi } from "../../src/serve/define-api.ts";
import { createMemoryStore } from "../../src/testing/memory-store.ts";
import { deathsApi, deathsRows, deathsSchema } from "./deaths-api.ts";
import { openTestApi, type TestApi } from "./open-test-api.ts";
import { column, type Row, schemaOf } from "./published-versions.ts";

const spec = defineApi({
  title: "Numbers",
  description: "The number of the version, in every row.",
  datasets: ["numbers"],
  routes: [{ path: "/number/{id}", dataset: "numbers", shape: "single" }],
});
const schema = schemaOf([column("id", "bigint"), column("number", "bigint"), column("word", "text")]);

/** Every cell tells which version it is of. */
const rowsOf = (number: number, count = 300): Row[] =>
  Array.from({ length: count }, (_, id) => [String(id), String(number), `${id % 7} of ${number}`]);

type Line = Readonly<{ id: number; number: number; word: string }>;
type Page = Readonly<{ version: string; total: number; rows: readonly Line[]; next: string | null }>;

/** All rows are of one version. */
function expectWhole(rows: readonly Line[]): void {
  const numbers = new Set(rows.flatMap(({ number, word }) => [number, Number(word.split(" of ")[1])]));
  expect(numbers.size).toBe(1);
}

async function publish(api: TestApi, number: number): Promise<string> {
  const { version } = await api.published.publish("numbers", schema, rowsOf(number));
  await api.refresh();
  return version;
}

describe("while versions are swapped", () => {
  test("every answer is whole, of one version, and none fails", async () => {
    await using api = await openTestApi(spec, { bakeBytesMax: 2 ** 20 });
    await publish(api, 1);
    let isOver = false;
    let answers = 0;
    const ask = async (url: string, read: (text: string) => readonly Line[]): Promise<void> => {
      while (!isOver) {
        const answer = await api.get(url);
        expect(answer.status, answer.text).toBe(200);
        expectWhole(read(answer.text));
        expect(answer.headers.get("etag")).toContain(answer.headers.get("leat-version"));
        answers++;
        await turn();
      }
    };
    const lines = (text: string): Line[] =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Line);
    const page = (text: string): readonly Line[] => (JSON.parse(text) as Page).rows;
    const asking = [
      ask("/number/7", (text) => [JSON.parse(text) as Line]),
      ask("/datasets/numbers/rows?limit=50", page),
      ask("/datasets/numbers/rows?sort=-word&limit=50", page),
      ask("/datasets/numbers/rows?word.like=%255%25&limit=50", page),
      ask("/datasets/numbers/export.ndjson", lines),
      ask("/datasets/numbers/export.ndjson?id.gte=100&sort=word", lines),
    ];
    for (let number = 2; number <= 8; number++) await publish(api, number);
    isOver = true;
    await Promise.all(asking);
    expect(answers).toBeGreaterThan(50);
    expect((await api.get("/number/7")).json<Line>().number).toBe(8);
    expect(api.events.filter(({ type }) => type === "swapped").length).toBe(7);
    expect(api.events.filter(({ type }) => type === "failed" || type === "refused")).toEqual([]);
  });

  test("paging goes through the version that it began with, each row once", async () => {
    await using api = await openTestApi(spec, { versionsLoadedMax: 2 });
    for (const query of ["", "sort=-word", "word.like=%255%25&sort=word"]) {
      const first = await publish(api, 1);
      const seen: Line[] = [];
      let next: string | null = `/datasets/numbers/rows?limit=40${query === "" ? "" : `&${query}`}`;
      let number = 2;
      let total = 0;
      while (next !== null) {
        const answer = await api.get(next);
        expect(answer.status, answer.text).toBe(200);
        const page: Page = answer.json();
        expect(page.version).toBe(first);
        seen.push(...page.rows);
        [next, total] = [page.next, page.total];
        await publish(api, number++); // More versions than are kept loaded: the one in use comes back.
      }
      expect(seen.length).toBe(total);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(total);
      expect(new Set(seen.map((line) => line.number))).toEqual(new Set([1]));
    }
  });

  test("groups are paged through in one version as well", async () => {
    await using api = await openTestApi(spec);
    await publish(api, 1);
    let next: string | null = "/datasets/numbers/aggregate?by=word&values=count,max(number)&limit=3";
    const rows: unknown[] = [];
    while (next !== null) {
      const page: { rows: { "max(number)": number }[]; next: string | null } = (await api.get(next)).json();
      for (const row of page.rows) expect(row["max(number)"]).toBe(1);
      rows.push(...page.rows);
      next = page.next;
      await publish(api, rows.length + 1);
    }
    expect(rows.length).toBe(7);
  });
});

describe("permanent addresses", () => {
  test("give the version that they name, also when it has to be loaded again", async () => {
    await using api = await openTestApi(spec, { versionsLoadedMax: 2 });
    const versions = [];
    for (const number of [1, 2, 3, 4]) versions.push(await publish(api, number));
    for (const [at, version] of versions.entries())
      for (const prefix of [version, version.slice(0, 16), version.slice(0, 12)]) {
        const answer = await api.get(`/v/${prefix}/number/7`);
        expect(answer.json<Line>().number).toBe(at + 1);
        expect(answer.headers.get("leat-version")).toBe(version.slice(0, 16));
      }
    const { versions: listed } = (await api.get("/datasets/numbers/versions")).json<{
      versions: { version: string; number: number; url: string }[];
    }>();
    expect(listed.map(({ version }) => version)).toEqual([...versions].reverse());
    expect((await api.get(listed[3]!.url)).json()).toMatchObject({ version: versions[0], rowCount: 300 });
  });

  test("of versions that are not there, or not kept, say so", async () => {
    await using api = await openTestApi(spec);
    const first = await publish(api, 1);
    const second = await publish(api, 2);
    for (const wrong of ["0123456789abcdef", first.slice(0, 4), "zz", "%00", `${first}0`, "latest"]) {
      const answer = await api.get(`/v/${wrong}/datasets/numbers`);
      expect(answer.status, wrong).toBe(404);
      expect(answer.json()).toMatchObject({
        type: "urn:leat:problem:unknown-version",
        allowed: [second.slice(0, 16), first.slice(0, 16)],
      });
    }
    api.published.collect("numbers", 1);
    await publish(api, 3);
    await publish(api, 4);
    const gone = await api.get(`/v/${first}/datasets/numbers`);
    expect([gone.status, gone.json<{ type: string }>().type]).toEqual([410, "urn:leat:problem:version-gone"]);
  });
});

describe("a damaged version", () => {
  test("is refused, and the one before goes on answering", async () => {
    const store = createMemoryStore();
    await using api = await openTestApi(spec, { store });
    const first = await publish(api, 1);
    for (const damage of ["cut", "changed", "longer", "missing", "miscounted"] as const) {
      const manifest = await api.published.publish("numbers", schema, rowsOf(2));
      await api.published.damage("numbers", damage);
      await api.refresh();
      const answer = await api.get("/number/7");
      expect([answer.status, answer.json<Line>().number], damage).toEqual([200, 1]);
      const [state] = api.api.states();
      expect(state).toMatchObject({ version: first, refused: { seq: manifest.seq } });
      expect(state!.refused!.message, damage).toMatch(/numbers/);
      const refused = api.events.filter(({ type }) => type === "refused").at(-1);
      expect(refused, damage).toMatchObject({ version: manifest.version });
    }
    expect((await api.get("/datasets/numbers/rows?sort=word&limit=1")).status).toBe(200);
    await publish(api, 3);
    expect((await api.get("/number/7")).json<Line>().number).toBe(3);
    expect(api.api.states()[0]!.refused).toBeUndefined();
  });

  test("that no longer fits the declared routes is refused with the reason", async () => {
    await using api = await openTestApi(deathsApi);
    await api.published.publish("deaths", deathsSchema, deathsRows(2));
    await api.refresh();
    const renamed = schemaOf(
      deathsSchema.columns.map((one) => (one.name === "year" ? { ...one, name: "jahr" } : one)),
      { key: deathsSchema.key },
    );
    await api.published.publish("deaths", renamed, deathsRows(3));
    await api.refresh();
    expect((await api.get("/year/2018/geo_code/E00000001")).status).toBe(200);
    const [state] = api.api.states();
    expect(state!.refused!.message).toContain('"year" is no column');
  });

  test("of a dataset of tenants is refused unless the API says that everybody may read it", async () => {
    await using api = await openTestApi(spec);
    await api.published.publish("numbers", { ...schema, tenantColumn: "word" }, rowsOf(1));
    await api.refresh();
    const answer = await api.get("/number/7");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(answer.text).not.toContain("tenant");
    expect(api.api.states()[0]!.refused!.message).toContain("tenants (word)");
  });

  test("is passed over at the start for the newest one that is whole", async () => {
    await using api = await openTestApi(spec);
    await api.published.publish("numbers", schema, rowsOf(1));
    await api.published.publish("numbers", schema, rowsOf(2));
    await api.published.damage("numbers", "cut");
    await api.refresh();
    expect((await api.get("/number/7")).json<Line>().number).toBe(1);
  });
});

describe("before anything is published", () => {
  test("every address of data says when to come again, and what is wrong is still told", async () => {
    await using api = await openTestApi(spec);
    await api.refresh();
    for (const url of [
      "/number/7",
      "/datasets",
      "/datasets/numbers",
      "/datasets/numbers/rows",
      "/openapi.json",
    ]) {
      const answer = await api.get(url);
      expect([answer.status, answer.headers.get("retry-after")], url).toEqual([503, "5"]);
    }
    expect((await api.get("/datasets/birds")).status).toBe(404);
    expect((await api.get("/")).status).toBe(200);
  });
});

/** What is in use once everything that can be collected is. */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)(); // A function as soon as the flag is set.
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

test("many swaps leave neither memory nor files behind", { timeout: 120_000 }, async () => {
  await using api = await openTestApi(spec, { bakeBytesMax: 2 ** 23 });
  const swap = async (number: number): Promise<void> => {
    // Long words of which each is there once: a pack of some 4 MB.
    const rows = rowsOf(number, 3000).map(([id, of]): Row => [id!, of!, `${id} of ${of} `.padEnd(1300, "x")]);
    await api.published.publish("numbers", schema, rows);
    await api.refresh();
    expect((await api.get("/number/7")).json<Line>().number).toBe(number);
    expect((await api.get("/datasets/numbers/rows?sort=-word&limit=5")).status).toBe(200);
    await api.api.settled();
    await api.published.forget("numbers");
  };
  for (let number = 1; number <= 3; number++) await swap(number);
  const before = heldBytes();
  for (let number = 4; number <= 20; number++) await swap(number);
  const after = heldBytes();
  const folders = (await readdir(api.folder)).filter((name) => name.startsWith("numbers-"));
  expect(folders.length).toBeLessThanOrEqual(3); // Two that are loaded, and one that is being dropped.
  // Seventeen packs would be some 70 MB, and as much again of what stands for them in the accounts; the printing
  // thread shares them, and collects its garbage in its own time.
  expect((after - before) / 2 ** 20).toBeLessThan(70);
  expect(api.events.filter(({ type }) => type === "dropped").length).toBeGreaterThanOrEqual(17);
});
