/** The engine's limits: over them a request is told when to come again, and everything else goes on. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { defineApi } from "../../src/serve/define-api.ts";
import type { QueryEngineOptions } from "../../src/warehouses/duckdb/query-engine.ts";
import { type Answered, openTestApi, type TestApi } from "./open-test-api.ts";
import { column, type Row, schemaOf } from "./published-versions.ts";

const spec = defineApi({
  title: "Words",
  description: "Words.",
  datasets: ["words"],
  routes: [{ path: "/word/{id}", dataset: "words", shape: "single" }],
});
const schema = schemaOf([column("id", "bigint"), column("word", "text"), column("other", "text")]);
const rowsOf = (count: number): Row[] =>
  Array.from({ length: count }, (_, id) => [
    String(id),
    `${(id * 7919) % count}`.repeat(12),
    `${id % 1000}`.repeat(40),
  ]);

let opened: TestApi | undefined;
afterEach(async () => {
  await opened?.[Symbol.asyncDispose]();
  opened = undefined;
});

async function open(engine: Partial<QueryEngineOptions>, count = 60_000): Promise<TestApi> {
  opened = await openTestApi(spec, { engine });
  await opened.published.publish("words", schema, rowsOf(count));
  await opened.refresh();
  return opened;
}

/** A query that takes the engine some tenths of a second; each number another one, so that none is remembered. */
const heavy = (number: number): string =>
  `/datasets/words/aggregate?by=id,word,other&values=${["count", "p50(id)", "max(word)", "min(other)"].join(",")}&id.ne=${number}&limit=10000&sort=word`;
const light = "/datasets/words/rows?sort=-word&limit=2";

function expectRefusal(answer: Answered, kind: string): void {
  expect(answer.status, answer.text).toBe(503);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(answer.json()).toMatchObject({ type: `urn:leat:problem:${kind}`, status: 503 });
}

/** Processes that this one has started: none but the engine's. */
function engineProcesses(): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^[0-9]+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const isOurs = Number(stat.split(") ")[1]!.split(" ")[1]) === process.pid;
      return isOurs && readFileSync(`/proc/${name}/cmdline`, "utf8").includes("query-child")
        ? [Number(name)]
        : [];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}

describe("over a limit", () => {
  test("of time a query is ended, and the next one is answered", async () => {
    const api = await open({ timeoutMs: 15 });
    expectRefusal(await api.get(heavy(1)), "query-too-large");
    expect((await api.get("/word/7")).status).toBe(200);
    expect((await api.get("/datasets/words/facets?columns=other&limit=1")).status).toBe(200);
  });

  test("of memory a query is refused, and the next one is answered", async () => {
    const api = await open({ memoryBytesMax: 40 * 2 ** 20, spillBytesMax: 2 ** 20, threads: 1 }, 150_000);
    expectRefusal(await api.get(heavy(1)), "query-too-large");
    expect((await api.get("/word/7")).status).toBe(200);
    expect((await api.get("/datasets/words/rows?id.gte=149990&sort=-id&limit=2")).status).toBe(200);
  });

  test("of the whole process's memory the process is ended, and whoever waits for it is told", async () => {
    // A bound that a process exceeds by being there at all: its first sign of life is its end.
    const api = await open({ residentBytesMax: 2 ** 20 });
    const refused = api.events.find(({ type }) => type === "refused") as { error: { code: string } };
    expect(refused.error.code).toBe("QUERY_MEMORY");
    expectRefusal(await api.get(light), "not-ready");
  });

  test("of queries that wait the next are refused at once, and those before them answered", async () => {
    const api = await open({ queriesMax: 1, waitingMax: 2 });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, number) => api.get(heavy(number))));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200).length).toBe(3);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectRefusal(answer, "busy");
    expect((await api.get(light)).status).toBe(200);
  });

  test("of a version's memory the version is refused", async () => {
    await using api = await openTestApi(spec, { packBytesMax: 10_000 });
    await api.published.publish("words", schema, rowsOf(1000));
    await api.refresh();
    expect((await api.get("/word/7")).status).toBe(503);
    expect(api.api.states()[0]!.refused!.message).toContain("MiB of memory");
  });

  test("of a page, a list, groups, measures and parameters a request is told the bound", async () => {
    const api = await open({}, 100);
    for (const [url, bound] of [
      ["/datasets/words/rows?limit=10001", "10000"],
      ["/datasets/words/rows?limit=0", "from 1"],
      ["/datasets/words/facets?limit=1001", "1000"],
      [
        `/datasets/words/aggregate?values=${Array.from({ length: 21 }, (_, at) => `p${10 + at}(id)`).join(",")}`,
        "20",
      ],
      [`/datasets/words/rows?${Array.from({ length: 201 }, () => "id.ne=1").join("&")}`, "200"],
      [`/datasets/words/rows?word=${"x".repeat(2001)}`, "2000"],
    ] as const) {
      const answer = await api.get(url);
      expect([answer.status, answer.json<{ detail: string }>().detail.includes(bound)], url).toEqual([
        400,
        true,
      ]);
    }
    const long = await api.get(`/datasets/words/rows?word=${"x".repeat(10_000)}`);
    expect([long.status, long.json<{ type: string }>().type]).toEqual([
      414,
      "urn:leat:problem:address-too-long",
    ]);
  });
});

describe("when the engine's process is killed", () => {
  test("its queries are told to come again, and the next ones are answered", async () => {
    const api = await open({});
    expect((await api.get(light)).status).toBe(200);
    for (let round = 1; round <= 3; round++) {
      const [child] = engineProcesses();
      expect(child).toBeGreaterThan(0);
      const waiting = [api.get(heavy(round * 2)), api.get(heavy(round * 2 + 1))];
      execFileSync("kill", ["-9", String(child)]);
      for (const answer of await Promise.all(waiting)) {
        if (answer.status !== 200) expectRefusal(answer, "busy"); // One may have been faster than the signal.
      }
      const again = await api.get(`/datasets/words/rows?sort=-word&limit=${round + 2}`);
      expect([again.status, again.json<{ rows: unknown[] }>().rows.length]).toEqual([200, round + 2]);
      expect((await api.get("/word/7")).status).toBe(200);
    }
  });

  test("a version that is published meanwhile is loaded by the next process", async () => {
    const api = await open({}, 1000);
    execFileSync("kill", ["-9", String(engineProcesses()[0])]);
    await api.published.publish("words", schema, rowsOf(500));
    await api.refresh();
    const list = (await api.get("/datasets")).json<{ datasets: { rowCount: number }[] }>();
    const rowCount = list.datasets[0]!.rowCount;
    expect([500, 1000]).toContain(rowCount); // Refused at worst: then the one before stays.
    expect((await api.get(light)).status).toBe(200);
  });
});

describe("a client that goes", () => {
  test("stops its query, so that the next one has its turn", async () => {
    const api = await open({ queriesMax: 1, waitingMax: 4 });
    const controller = new AbortController();
    const request = { method: "GET", url: heavy(1), headers: {}, signal: controller.signal };
    const gone = api.api.answer(request);
    controller.abort();
    expect((await gone).status).toBe(503); // Nobody reads it.
    expect((await api.get(light)).status).toBe(200);
    expect(api.events.filter(({ type }) => type === "failed")).toEqual([]);
  });

  test("in the middle of an export frees what was held for it", async () => {
    const api = await open({});
    for (let round = 0; round < 120; round++) {
      const url = round % 2 === 0 ? "/datasets/words/export.csv" : "/datasets/words/export.csv?id.gte=5";
      const signal = new AbortController().signal;
      const { status, body } = await api.api.answer({ method: "GET", url, headers: {}, signal });
      expect(status).toBe(200); // Of more than a hundred that were kept, the last would be refused.
      const pieces = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator](); // Printed: nothing was baked.
      expect((await pieces.next()).value!.length).toBeGreaterThan(100_000);
      await pieces.return!();
    }
    await api.published.publish("words", schema, rowsOf(10));
    await api.published.publish("words", schema, rowsOf(11));
    await api.refresh();
    const left = readdirSync(api.folder).filter((name) => name.startsWith("rows-"));
    expect(left).toEqual([]);
  });

  test("that reads a hundred exports slowly keeps further ones waiting, and nothing else", async () => {
    const api = await open({});
    const ask = async (): Promise<Awaited<ReturnType<TestApi["api"]["answer"]>>> =>
      await api.api.answer({
        method: "GET",
        url: "/datasets/words/export.ndjson",
        headers: {},
        signal: new AbortController().signal,
      });
    const open100 = await Promise.all(Array.from({ length: 100 }, ask));
    const iterators = open100.map(({ body }) => (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]());
    for (const iterator of iterators) expect((await iterator.next()).done).toBe(false);
    expectRefusal(await api.get("/datasets/words/export.ndjson"), "busy");
    expect((await api.get("/word/7")).status).toBe(200);
    for (const iterator of iterators) await iterator.return!();
    expect((await api.get("/datasets/words/export.ndjson")).text.trimEnd().split("\n").length).toBe(60_000);
  });
});
