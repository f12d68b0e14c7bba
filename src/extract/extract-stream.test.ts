import { describe, expect, test } from "vitest";
import { manifestOf } from "../../test/properties/manifest-of.ts";
import {
  at,
  bounds,
  onePage,
  openRange,
  openWorld,
  record,
  streamOf,
  timeCursor,
} from "../../test/properties/sync-world.ts";
import { appendManifest } from "../landing/log.ts";
import type { Manifest } from "../model/manifest.ts";
import type { CursorSpec, StreamSpec } from "../model/stream.ts";

const hour = 3_600_000_000n;
const day = 24n * hour;
const windowed: CursorSpec = {
  ...timeCursor,
  initial: at("2026-01-01"),
  range: { ...openRange, hasEnd: true, spanMax: day },
};
const code = (expected: string) => expect.objectContaining({ code: expected });
const addsUp = ({ counts }: Manifest) =>
  counts.received === counts.landed + counts.boundarySkipped + counts.repeated + counts.quarantined;

describe("I9 two runs", () => {
  test("I9 of two runs one commits, and the other has changed nothing", async () => {
    const world = openWorld();
    const rival = openWorld({ objects: world.objects, clock: world.clock, seed: 2 });
    const run = world.extract(async function* () {
      await rival.extract(onePage(() => [record("b", "2026-01-02T00:00:00Z")]));
      yield { records: [record("a", "2026-01-01T00:00:00Z")] };
    });
    await expect(run).rejects.toThrow(code("STATE_CONFLICT"));
    expect(await world.landed()).toEqual([record("b", "2026-01-02T00:00:00Z")]);
  });
});

describe("I17 idempotency keys", () => {
  const answer = onePage(() => [record("a", "2026-01-01T00:00:00Z")]);

  test("I17 a delivery that was done is not fetched again", async () => {
    const world = openWorld();
    await world.extract(answer, { idempotencyKey: "daily-1" });
    const again = await world.extract(answer, { idempotencyKey: "daily-1" });
    expect(again).toMatchObject({ status: "already-done", requests: 0 });
  });

  test("I17 a checkpoint before a death is not done", async () => {
    const world = openWorld({
      spec: streamOf({ cursor: windowed, bounds: { ...bounds, checkpointBytes: 1 } }),
    });
    const run = world.extract(
      function* ({ start }) {
        if (start === at("2026-01-02")) throw new Error("killed");
        yield { records: [record("a", "2026-01-01T00:00:00Z")] };
      },
      { idempotencyKey: "daily-1" },
    );
    await expect(run).rejects.toThrow("killed");
    expect((await world.head())?.manifest).toMatchObject({ idempotencyKey: "daily-1", isFinal: false });
    const again = await world.extract(answer, { idempotencyKey: "daily-1" });
    expect(again.status).toBe("committed");
  });

  test("I17 a run that brought nothing is done as well", async () => {
    const world = openWorld();
    await world.extract(
      onePage(() => []),
      { idempotencyKey: "k" },
    );
    expect(
      (
        await world.extract(
          onePage(() => []),
          { idempotencyKey: "k" },
        )
      ).status,
    ).toBe("already-done");
  });
});

describe("I12 generations", () => {
  const refresh = { mode: { kind: "refresh", confirmShrink: false } } as const;
  const many = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => record(`${i}`, "2026-01-01T00:00:00Z"));

  test("I12 a refresh is one swap: number, records and cursor come from it", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [...many(3), record("old", "2026-01-05T00:00:00Z")]));
    await world.extract(
      onePage(() => many(3)),
      refresh,
    );
    const manifest = (await world.head())?.manifest;
    expect(manifest).toMatchObject({
      generation: { number: 2, state: "completed" },
      visible: { number: 2, records: 3 },
      counts: { landed: 3 },
    });
    expect((await world.state()).partitions.get("")?.state.cursor).toBe(at("2026-01-01"));
  });

  test("I12 a dead refresh leaves the last complete generation", async () => {
    const world = openWorld();
    await world.extract(onePage(() => many(3)));
    const before = await world.head();
    const run = world.extract(function* () {
      yield { records: many(2) };
      throw new Error("killed");
    }, refresh);
    await expect(run).rejects.toThrow("killed");
    expect(await world.head()).toEqual(before);
  });

  test.each([
    0, 1,
  ])("I12 a refresh of 3 records that brings %i is refused unless confirmed", async (count) => {
    const world = openWorld();
    await world.extract(onePage(() => many(3)));
    await expect(
      world.extract(
        onePage(() => many(count)),
        refresh,
      ),
    ).rejects.toThrow(code("REFRESH_SHRANK"));
    await world.extract(
      onePage(() => many(count)),
      { mode: { kind: "refresh", confirmShrink: true } },
    );
    expect((await world.head())?.manifest.visible).toEqual({ number: 2, records: count });
  });

  test("I12 a replaced stream swaps in every run, keeps genuine twins and drops repeated rows", async () => {
    const spec = streamOf({ writeDisposition: "replace", cursor: undefined, primaryKey: [] });
    const world = openWorld({ spec });
    await world.extract(onePage(() => ['{"a":1}', '{"a":1}']));
    await world.extract(onePage(() => ['{"a":1}', '{"a":1}', '{"a":2}']));
    expect((await world.head())?.manifest.visible).toEqual({ number: 2, records: 3 });
  });

  test("I12 a rebuilt boundary knows only the visible generation", async () => {
    const world = openWorld();
    await world.extract(onePage(() => many(3)));
    await world.extract(
      onePage(() => [record("0", "2026-01-01T00:00:00Z"), record("n", "2026-01-04T00:00:00Z")]),
      refresh,
    );
    const mode = { kind: "backfill", from: at("2025-01-01"), to: at("2026-01-03") } as const;
    const outcome = await world.extract(
      onePage(() => many(3)),
      { mode },
    );
    expect(outcome.counts).toMatchObject({ boundarySkipped: 1, landed: 2 });
  });
});

describe("I12 a long refresh", () => {
  const refresh = { mode: { kind: "refresh", confirmShrink: true } } as const;
  const answer = onePage(() => [record("a", "2026-01-01T00:00:00Z")]);

  /** A stream that had a million records before. */
  async function openLarge() {
    const world = openWorld();
    await world.extract(answer);
    const head = (await world.head())!.manifest;
    const visible = { number: 0, records: 1_000_000 };
    await appendManifest(
      world.store,
      manifestOf(2, { previousDataSeq: 1, visible, state: head.state, before: head.before }),
    );
    return world;
  }

  test("I12 announces itself by an empty manifest that hands the visible state on; others are BUSY", async () => {
    const world = await openLarge();
    const rival = openWorld({ objects: world.objects, clock: world.clock, seed: 2 });
    await world.extract(async function* () {
      expect((await world.head())?.manifest).toMatchObject({
        kind: "empty",
        generation: { number: 3, state: "open" },
        visible: { number: 0, records: 1_000_000 },
      });
      expect((await world.state()).partitions.get("")?.state.cursor).toBe(at("2026-01-01"));
      await expect(rival.extract(answer)).rejects.toThrow(code("BUSY"));
      yield { records: [record("b", "2026-01-02T00:00:00Z")] };
    }, refresh);
    expect((await world.head())?.manifest).toMatchObject({
      seq: 4,
      generation: { number: 3, state: "completed" },
      visible: { number: 3, records: 1 },
    });
  });

  test("I12 that fails makes room at once, and the generation before stays", async () => {
    const world = await openLarge();
    const run = world.extract(function* () {
      yield { records: [record("b", "2026-01-02T00:00:00Z")] };
      throw new Error("killed");
    }, refresh);
    await expect(run).rejects.toThrow("killed");
    expect((await world.head())?.manifest).toMatchObject({
      kind: "empty",
      generation: { number: 0, state: "visible" },
      visible: { number: 0, records: 1_000_000 },
    });
    expect((await world.extract(answer)).counts).toMatchObject({ boundarySkipped: 1, landed: 0 });
  });

  test("I12 of a process that died keeps others out only until it is older than the longest run", async () => {
    const world = await openLarge();
    const generation = { number: 3, state: "open", runId: undefined } as const;
    const head = (await world.head())!.manifest;
    await appendManifest(
      world.store,
      manifestOf(3, {
        previousDataSeq: 1,
        generation,
        visible: head.visible,
        state: head.state,
        committedAt: "2031-01-01T00:00:00.000Z", // By a clock that is years ahead.
      }),
    );
    const stamped = [...world.objects].map(
      ([key, object]) => [key, { ...object, createdAtMs: world.clock.nowMs() }] as const,
    );
    for (const [key, object] of stamped) world.objects.set(key, object);
    await expect(world.extract(answer)).rejects.toThrow(code("BUSY"));
    await world.clock.advance(bounds.runMsMax);
    const next = [record("a", "2026-01-01T00:00:00Z"), record("c", "2026-01-03T00:00:00Z")];
    expect((await world.extract(onePage(() => next))).counts).toMatchObject({
      boundarySkipped: 1,
      landed: 1,
    });
    expect((await world.head())?.manifest).toMatchObject({ generation: { number: 0, state: "visible" } });
  });
});

describe("I10 accounting", () => {
  test("I10 every record received is in one of the counts, and parts hold what was landed", async () => {
    const world = openWorld();
    const records = [record("a", "2026-01-01T00:00:00Z"), "7", '{"id":"a"', '{"id":"b","id":"c"}'].filter(
      (text) => !text.endsWith('"a"'),
    );
    await world.extract(onePage(() => records));
    await world.extract(onePage(() => [...records, record("b", "2026-01-02T00:00:00Z")]));
    const manifests = await world.manifests();
    expect(manifests.every(addsUp)).toBe(true);
    for (const manifest of manifests) {
      expect(await world.landedOf(manifest)).toHaveLength(manifest.counts.landed);
    }
  });

  test("I10 too large a share of broken records fails the run, and nothing is committed", async () => {
    const spec = streamOf({ bounds: { ...bounds, quarantineShareMax: 0.4 } });
    const world = openWorld({ spec });
    await expect(world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z"), "7"]))).rejects.toThrow(
      code("QUARANTINE_SHARE_EXCEEDED"),
    );
    expect(await world.head()).toBeUndefined();
  });
});

describe("I2 a run that dies", () => {
  test("I2 leaves files that nobody names, and the next run begins where it did", async () => {
    const spec: StreamSpec = streamOf();
    let refuses = true;
    const world = openWorld({
      spec,
      interpose: async (operation, effect) => {
        if (refuses && operation.kind === "create" && operation.key.startsWith("log/")) {
          throw new Error("killed");
        }
        return effect();
      },
    });
    const answer = onePage(() => [record("a", "2026-01-01T00:00:00Z")]);
    await expect(world.extract(answer)).rejects.toThrow();
    expect([...world.objects.keys()].every((key) => key.startsWith("landing/"))).toBe(true);
    refuses = false;
    await world.extract(answer);
    expect(await world.landed()).toEqual([record("a", "2026-01-01T00:00:00Z")]);
    expect((await world.head())?.manifest.seq).toBe(1);
  });

  test("a selector that finds nothing is an error, not an empty page", async () => {
    const world = openWorld();
    await expect(world.extract(() => [{ records: [], body: '{"error":"moved"}' }])).rejects.toThrow(
      code("SOURCE_SHAPE_CHANGED"),
    );
  });
});
