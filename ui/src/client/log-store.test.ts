import { expect, test } from "vitest";
import type { Line } from "../api/types.gen.ts";
import { LogStore, type ReadStretch } from "./log-store.ts";

const line = (id: number): Line => ({
  id,
  at: "2026-01-01T00:00:00.000Z",
  level: "info",
  task: null,
  attempt: 1,
  message: `line ${id}`,
});

/** A log of so many lines, whose ids are odd, since those of other runs lie between. */
function openLog(count: number): Readonly<{ store: LogStore; reads: number[]; all: Line[] }> {
  const all = Array.from({ length: count }, (_, at) => line(at * 2 + 1));
  const reads: number[] = [];
  const read: ReadStretch = async (after, limit) => {
    reads.push(after);
    const from = Math.ceil(after / 2); // Of the line with the id `2 * from + 1`.
    return all.slice(from, from + limit);
  };
  const marks = all.filter((_, at) => at % 1000 === 0).map(({ id }) => id);
  return {
    store: new LogStore({ count, every: 1000, last: all.at(-1)?.id ?? null, marks }, read),
    reads,
    all,
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("reads the stretches in sight and no others, each once", async () => {
  const { store, reads } = openLog(100_000);
  store.want(49_990, 50_020);
  store.want(49_991, 50_021);
  await settled();
  expect(reads).toEqual([49_000 * 2, 50_000 * 2]);
  expect(store.line(50_000)?.id).toBe(100_001);
  expect(store.line(3)).toBeUndefined();
});

test("keeps no more than so many stretches, and those near what is looked at", async () => {
  const { store } = openLog(80_000);
  for (let at = 0; at < 80; at++) {
    store.want(at * 1000, at * 1000 + 10);
    await settled();
  }
  expect(store.kept).toBe(60);
  expect(store.line(79_000)?.id).toBe(158_001);
  expect(store.line(0)).toBeUndefined();
});

test("puts new lines at the end, each once, whether the end was looked at or not", async () => {
  const { store, all } = openLog(1500);
  const fresh = Array.from({ length: 700 }, (_, at) => line(3001 + at * 2));
  store.append(fresh);
  all.push(...fresh);
  store.append(fresh.slice(600));
  expect([store.count, store.lastId]).toEqual([2200, 4399]);
  expect(store.line(2100)?.id).toBe(4201); // A stretch that began while it was listened to.
  store.want(1900, 1950);
  await settled();
  expect(store.line(1600)?.id).toBe(3201); // One of which the end alone was told.
  store.append([line(5001)]);
  expect(store.line(2200)?.id).toBe(5001);
});

test("an hour of live lines takes no more than what is kept", () => {
  const { store } = openLog(0);
  for (let at = 0; at < 180; at++) {
    store.append(Array.from({ length: 1000 }, (_, within) => line(at * 1000 + within + 1)));
  }
  expect(store.count).toBe(180_000);
  expect(store.kept).toBeLessThanOrEqual(60);
  expect(store.line(179_999)?.message).toBe("line 180000");
});

test("lines that came with a stretch are not told a second time", async () => {
  const { store, all } = openLog(10);
  all.push(line(21), line(23));
  store.want(0, 10);
  await settled();
  expect(store.count).toBe(12);
  store.append([line(21), line(23), line(25)]);
  expect([store.count, store.line(12)?.id]).toEqual([13, 25]);
});

test("a stretch that cannot be read says why, and is read when it is asked for again", async () => {
  let isDown = true;
  const store = new LogStore({ count: 5, every: 1000, last: 5, marks: [1] }, async () => {
    if (isDown) throw new Error("gone");
    return [1, 2, 3, 4, 5].map(line);
  });
  store.want(0, 4);
  await settled();
  expect(store.failure).toEqual(new Error("gone"));
  isDown = false;
  store.retry();
  await settled();
  expect([store.failure, store.line(4)?.id]).toEqual([undefined, 5]);
});
