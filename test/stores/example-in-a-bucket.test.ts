/**
 * The example's sync with its landing at gs://: at every exchange with the bucket something goes wrong, or the process is
 * killed, or another writes at the same time; and every row is there once.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exchange, Fault } from "../fakes/fault-server.ts";
import { openStashstockInABucket, type StashstockInABucket } from "./stashstock-in-a-bucket.ts";

let world: StashstockInABucket;
let exchangeCount: number;

beforeAll(async () => {
  world = await openStashstockInABucket();
  const place = world.place();
  world.fake.clearLog();
  const { code, stderr } = await place.sync();
  expect(code, stderr).toBe(0);
  exchangeCount = world.fake.log.length;
  expect(await place.faults()).toEqual([]);
});
afterAll(() => world.close());

/** Fewer would mean that the landing was not in the bucket. */
const exchangesMin = 5;
const minuteMs = 60_000;

test.each<Fault>(["before", "after", "twice", "late"])(
  "%s at every exchange of a sync: every row once",
  async (fault) => {
    expect(exchangeCount).toBeGreaterThanOrEqual(exchangesMin);
    for (let number = 1; number <= exchangeCount; number++) {
      const place = world.place();
      world.fake.clearLog();
      world.fake.plan((exchange) => (exchange.number === number ? fault : undefined));
      const { code, stderr } = await place.sync();
      world.fake.plan(undefined);
      world.fake.settle();
      const at = `${fault} at exchange ${number} of ${exchangeCount} (${world.fake.log[number - 1]?.verb})`;
      expect(code, `${at}: ${stderr}`).toBe(0);
      expect(await place.faults(), at).toEqual([]);
    }
  },
  5 * minuteMs,
);

test.each([
  ["before it took effect", "before"],
  ["after it took effect", "after"],
] as const)(
  "SIGKILL at every exchange of a sync, %s: the next sync makes it good",
  async (_, fault) => {
    for (let number = 1; number <= exchangeCount; number++) {
      const place = world.place();
      world.fake.clearLog();
      const running = place.start();
      world.fake.plan((exchange: Exchange) => {
        if (exchange.number !== number) return undefined;
        running.kill();
        return fault;
      });
      const ended = await running.ended;
      world.fake.plan(undefined);
      const at = `killed at exchange ${number} of ${exchangeCount} (${world.fake.log[number - 1]?.verb})`;
      expect(ended.signal, at).toBe("SIGKILL");
      const { code, stderr } = await place.sync();
      expect(code, `${at}: ${stderr}`).toBe(0);
      expect(await place.faults(), at).toEqual([]);
    }
  },
  5 * minuteMs,
);

test(
  "two processes that sync the same tenant at once leave every row once",
  async () => {
    for (let round = 0; round < 3; round++) {
      const place = world.place();
      const ends = await Promise.all([place.start().ended, place.start().ended]);
      for (const { exitCode, stdout, stderr } of ends) {
        // A run that lost its place in the log begins anew by itself.
        expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
      }
      expect(await place.faults()).toEqual([]);
    }
  },
  2 * minuteMs,
);

test("at s3:// the example is checked, synced twice and collected, and every row is there once", async () => {
  const s3 = await openStashstockInABucket("s3");
  try {
    const place = s3.place();
    for (const command of ["check", "sync", "sync", "gc"]) {
      const { code, stderr } = await (command === "sync" ? place.sync() : place.run(command, "--json"));
      expect(code, `${command}: ${stderr}`).toBe(0);
    }
    expect(await place.faults()).toEqual([]);
    expect(s3.fake.buckets.keys("stashstock").filter((key) => key.includes("/log/")).length).toBeGreaterThan(
      1,
    );
    expect(s3.fake.buckets.keys("stashstock").filter((key) => key.endsWith("probe"))).toEqual([]);
  } finally {
    await s3.close();
  }
});
