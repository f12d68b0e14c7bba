import { describe, expect, test } from "vitest";
import {
  at,
  onePage,
  openRange,
  openWorld,
  record,
  streamOf,
  timeCursor,
} from "../../test/properties/sync-world.ts";
import type { CursorSpec } from "../model/stream.ts";

const hour = 3_600_000_000n;
const day = 24n * hour;
const windowed: CursorSpec = {
  ...timeCursor,
  initial: at("2026-01-01"),
  range: { ...openRange, hasEnd: true, spanMax: day },
};
const code = (expected: string) => expect.objectContaining({ code: expected });

describe("I3 the cursor", () => {
  test("I3 a value from the future does not move the cursor", async () => {
    const world = openWorld();
    const outcome = await world.extract(
      onePage(() => [record("a", "2026-01-09T00:00:00Z"), record("b", "2031-01-01T00:00:00Z")]),
    );
    expect(outcome.after.cursor).toBe(at("2026-01-09"));
    expect(outcome.counts).toMatchObject({ landed: 2, unusableCursor: 1 });
  });

  test("I3 values that are missing, null, below the minimum or no time do not move it, and are landed", async () => {
    const world = openWorld();
    const records = [
      '{"id":"a"}',
      '{"id":"b","at":null}',
      record("c", "0001-01-01T00:00:00"),
      record("d", "soon"),
      '{"id":"e","at":{}}',
    ];
    const outcome = await world.extract(onePage(() => records));
    expect(outcome.after.cursor).toBeUndefined();
    expect(outcome.counts).toMatchObject({ landed: 5, unusableCursor: 5 });
    expect(await world.landed()).toEqual(records);
  });

  test("I3 a record in quarantine does not move it", async () => {
    const world = openWorld();
    const outcome = await world.extract(
      onePage(() => [record("a", "2026-01-01T00:00:00Z"), '{"id":null,"at":"2026-01-05T00:00:00Z"}']),
    );
    expect(outcome.after.cursor).toBe(at("2026-01-01"));
    expect(outcome.counts).toMatchObject({ received: 2, landed: 1, quarantined: 1 });
  });
});

describe("T0", () => {
  test("T0 is the source's own clock: what lies above it is not usable, although ours is ahead", async () => {
    const world = openWorld({ startMs: Date.UTC(2026, 0, 10) });
    const page = { records: [record("a", "2026-01-09T23:58:00Z")], dateMs: Date.UTC(2026, 0, 9, 23, 57) };
    const outcome = await world.extract(() => [page]);
    expect(outcome.after.cursor).toBeUndefined();
    expect((await world.manifests())[0]?.sourceClockMs).toBe(Date.UTC(2026, 0, 9, 23, 57));
  });

  test("T0 without a Date is our clock less the tolerance, and scannedTo does not move", async () => {
    const world = openWorld({ spec: streamOf({ cursor: windowed }), startMs: Date.UTC(2026, 0, 2) });
    const outcome = await world.extract(() => [
      {
        records: [record("a", "2026-01-01T23:54:00Z"), record("b", "2026-01-01T23:58:00Z")],
        dateMs: "none",
      },
    ]);
    expect(outcome.after).toMatchObject({ cursor: at("2026-01-01T23:54:00Z"), scannedTo: undefined });
  });

  test("T0 that is off by more than the tolerance fails the run, and nothing is committed", async () => {
    const world = openWorld();
    const run = world.extract(() => [{ records: [], dateMs: Date.UTC(2026, 0, 11) }]);
    await expect(run).rejects.toThrow(code("SOURCE_CLOCK_OFF"));
    expect(await world.head()).toBeUndefined();
  });
});

describe("I8 ranges", () => {
  test("I8 the first range has no start until it is complete, then next follows the data", async () => {
    const world = openWorld({ spec: streamOf({ cursor: { ...timeCursor, lag: hour } }) });
    await expect(
      world.extract(function* () {
        yield { records: [record("a", "2026-01-01T00:00:00Z")] };
        throw new Error("the source broke");
      }),
    ).rejects.toThrow("the source broke");
    expect(await world.head()).toBeUndefined();
    await world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z")]));
    await world.extract(onePage(() => []));
    expect(world.requests.map((range) => range.start)).toEqual([
      undefined,
      undefined,
      at("2026-01-01") - hour,
    ]);
  });

  test("I8 a quiet year is asked for once", async () => {
    const world = openWorld({ spec: streamOf({ cursor: windowed }) });
    await world.extract(onePage(() => []));
    const first = world.requests.length;
    expect(first).toBe(9);
    await world.clock.advance(60_000);
    await world.extract(onePage(() => []));
    expect(world.requests.length - first).toBe(1);
    expect((await world.state()).partitions.get("")?.state).toMatchObject({
      scannedTo: at("2026-01-10T00:01:00Z"),
      cursor: undefined,
    });
  });

  test("I8 a back-fill moves nothing, and what it landed is known", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [record("z", "2026-01-08T00:00:00Z")]));
    const mode = { kind: "backfill", from: at("2025-01-01"), to: at("2025-02-01") } as const;
    const old = [record("a", "2025-01-05T00:00:00Z"), record("b", "2025-01-06T00:00:00Z")];
    const outcome = await world.extract(
      onePage(() => old),
      { mode },
    );
    expect(outcome.after).toEqual(outcome.before);
    await world.extract(
      onePage(() => old),
      { mode },
    );
    expect(await world.landed()).toHaveLength(3);
  });

  test("I8 a next far above our clock is refused: it must not look like a quiet year", async () => {
    const world = openWorld({ spec: streamOf({ cursor: { ...windowed, initial: at("2027-01-01") } }) });
    await expect(world.extract(onePage(() => []))).rejects.toThrow(code("SOURCE_CLOCK_OFF"));
  });
});
