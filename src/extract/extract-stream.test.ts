import { describe, expect, test } from "vitest";
import { manifestOf } from "../../test/properties/manifest-of.ts";
import {
  at,
  bounds,
  type GivenPage,
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
import type { PageSummary, RangeRequest } from "../ports/source.ts";

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

describe("I5 the boundary", () => {
  test("I5 drops what was landed last for a key, lands another version, and reports it when the cursor is the same", async () => {
    const world = openWorld();
    const a = record("a", "2026-01-01T00:00:00Z");
    const changed = record("a", "2026-01-01T00:00:00Z", "changed");
    await world.extract(onePage(() => [a]));
    const second = await world.extract(onePage(() => [a, changed, changed, a]));
    expect(second.counts).toMatchObject({ boundarySkipped: 1, landed: 2, repeated: 1, restated: 2 });
    expect(await world.landed()).toEqual([a, changed, a]);
    const third = await world.extract(onePage(() => [a]));
    expect(third).toMatchObject({ status: "unchanged", counts: { boundarySkipped: 1, landed: 0 } });
  });

  test("I5 genuine twins without a key survive, on one page, on two, and in a later run", async () => {
    const world = openWorld({ spec: streamOf({ primaryKey: [] }) });
    const twin = '{"at":"2026-01-01T00:00:00Z"}';
    await world.extract(() => [{ records: [twin] }, { records: [twin] }]);
    await world.extract(() => [{ records: [twin, twin] }, { records: [twin] }]);
    await world.extract(() => [{ records: [twin, twin, twin] }]);
    expect(await world.landed()).toEqual([twin, twin, twin]);
  });

  test("I5 a record landed above T0 leaves the boundary once it lies below the next start", async () => {
    for (const primaryKey of [["id"], []]) {
      const world = openWorld({ spec: streamOf({ primaryKey }) });
      let shown = [record("early", "2026-01-10T00:00:30Z")];
      const answer = onePage(() => shown);
      await world.extract(answer);
      expect((await world.state()).boundary.size).toBe(1);
      await world.clock.advance(60_000);
      await world.extract(answer);
      shown = [...shown, record("later", "2026-01-10T00:01:30Z")];
      await world.clock.advance(60_000);
      await world.extract(answer);
      expect([...(await world.state()).boundary].map(([, entry]) => entry.cursor)).toEqual([
        at("2026-01-10T00:01:30Z"),
      ]);
      expect(await world.landed()).toHaveLength(2);
    }
  });

  test("I5 volatile fields do not make a version", async () => {
    const world = openWorld({ spec: streamOf({ volatileFields: ["fetched"] }) });
    const shown = (time: string) => `{"fetched":"${time}","id":"a","at":"2026-01-01T00:00:00Z"}`;
    await world.extract(onePage(() => [shown("10:00")]));
    await world.extract(onePage(() => [shown("11:30:00")]));
    expect(await world.landed()).toEqual([shown("10:00")]);
  });

  test("I5 quarantined records are known too, also after an edit", async () => {
    const world = openWorld();
    const broken = '{"at":"2026-01-01T00:00:00Z"}';
    const answer = onePage(() => [record("a", "2026-01-01T00:00:00Z"), broken, broken]);
    const first = await world.extract(answer);
    expect(first.counts).toMatchObject({ quarantined: 1, repeated: 1 });
    expect((await world.extract(answer)).counts).toMatchObject({ quarantined: 0, boundarySkipped: 3 });
  });

  test("I5 a record that was in quarantine is landed once its reason is gone, with a key and without", async () => {
    for (const primaryKey of [["id"], []]) {
      const world = openWorld({ spec: streamOf({ primaryKey }) });
      const shadowing = '{"id":"a","tenant_id":"9","at":"2026-01-01T00:00:00Z"}';
      const answer = onePage(() => [shadowing]);
      expect((await world.extract(answer)).counts).toMatchObject({ quarantined: 1, landed: 0 });
      const renamed = await world.extract(answer, { tenantColumn: "account" });
      expect(renamed.counts).toMatchObject({ landed: 1 });
    }
  });

  test("I5 a cursor of more than 64 bits is extracted, and known again", async () => {
    const cursor: CursorSpec = {
      ...timeCursor,
      format: "integer",
      minimum: 0n,
      range: { ...openRange, startFormat: "integer", endFormat: "integer" },
    };
    const world = openWorld({ spec: streamOf({ cursor }) });
    const answer = onePage(() => ['{"id":1,"at":340282366920938463463374607431768211456}']);
    const first = await world.extract(answer);
    expect(first.after.cursor).toBe(2n ** 128n);
    expect((await world.extract(answer)).status).toBe("unchanged");
  });

  test("I5 a start before since makes the boundary again from parts, for each partition from its own start", async () => {
    const spec = streamOf({ partitions: { from: "tenant", field: "places", column: undefined } });
    const world = openWorld({ spec });
    const fields = { places: ["north", "south"] };
    const shown: Record<string, string[]> = {
      north: [record("1", "2026-01-01T00:00:00Z"), record("2", "2026-01-08T00:00:00Z")],
      south: [record("1", "2026-01-01T00:00:00Z"), record("2", "2026-01-02T00:00:00Z")],
    };
    const answer = ({ partition = "", start = 0n }: RangeRequest): GivenPage[] => [
      { records: (shown[partition] ?? []).filter((text) => at(JSON.parse(text).at) >= start) },
    ];
    await world.extract(answer, { fields });
    // `south` stands at the 2nd; the back-fill needs what `north` landed after the 5th.
    const mode = { kind: "backfill", from: at("2026-01-05"), to: at("2026-01-09") } as const;
    await world.extract(() => [], { fields, mode, idempotencyKey: "fill" });
    await world.extract(answer, { fields });
    expect(await world.landed()).toHaveLength(4);
  });

  test("I5 a rebuilt boundary knows every record byte for byte, twins and empty ones too", async () => {
    const records = [
      "{}",
      "{ }",
      '{  "at" : "2026-01-01T00:00:00Z" }',
      '{"x":[ 1.10 ]}',
      '{"x":[ 1.10 ]}',
      '{"x":1}',
    ];
    const spec = streamOf({ primaryKey: [], volatileFields: ["seen"] });
    const world = openWorld({ spec });
    const volatile = (seen: number) => `{"at":"2026-01-01T00:00:00Z","seen":${seen},"v":1}`;
    await world.extract(onePage(() => [...records, '{\n"a"\t:\r\n2}', volatile(1)]));
    await world.extract(onePage(() => [...records, record("late", "2026-01-08T00:00:00Z")]));
    const mode = { kind: "backfill", from: at("2025-01-01"), to: at("2026-02-01") } as const;
    const again = await world.extract(
      onePage(() => [...records, '{\n"a"\t:\r\n2}', volatile(22)]),
      { mode },
    );
    expect(again.counts).toMatchObject({ landed: 0, boundarySkipped: 8 });
  });
});

describe("I16 pages of data that change", () => {
  const overlapping = streamOf({ stability: "overlap", isSorted: true });
  const [a, b, c, d] = ["1", "2", "3", "4"].map((n) => record(n, `2026-01-0${n}T00:00:00Z`)) as [
    string,
    string,
    string,
    string,
  ];

  test("I16 a page that begins with its predecessor's last record goes on from there", async () => {
    const world = openWorld({ spec: overlapping });
    const outcome = await world.extract(() => [
      { records: [a, b], isSorted: true },
      { records: [b, c], isSorted: true, overlap: 1 },
    ]);
    expect(outcome.counts).toMatchObject({ received: 4, landed: 3, repeated: 1 });
    expect(await world.landed()).toEqual([a, b, c]);
  });

  test("I16 a page that does not is not landed: the source is told to step back", async () => {
    const world = openWorld({ spec: overlapping });
    const summaries: (PageSummary | undefined)[] = [];
    const outcome = await world.extract(function* (): Generator<GivenPage, void, PageSummary> {
      summaries.push(yield { records: [a, b], isSorted: true });
      summaries.push(yield { records: [d], isSorted: true, overlap: 1 }); // `a` was deleted.
      summaries.push(yield { records: [b, c, d], isSorted: true, overlap: 2 });
    });
    expect(summaries.map((summary) => summary?.isMismatch)).toEqual([false, true, false]);
    expect(outcome.counts).toMatchObject({ received: 5, landed: 4, repeated: 1 });
    expect(await world.landed()).toEqual([a, b, c, d]);
  });

  test("I7 stepping back to the very beginning breaks no order", async () => {
    const world = openWorld({ spec: overlapping });
    const outcome = await world.extract(function* (): Generator<GivenPage, void, PageSummary> {
      yield { records: [a, b], isSorted: true };
      yield { records: [], isSorted: true, overlap: 1 };
      yield { records: [a, c], isSorted: true };
    });
    expect(outcome.counts).toMatchObject({ landed: 3, repeated: 1 });
    expect((await world.head())?.manifest.isOrdered).toBe(true);
  });

  test("I16 of passes only one that was confirmed by the next is landed", async () => {
    const world = openWorld({ spec: streamOf({ stability: "passes" }) });
    const passes = [
      [[a], [b]],
      [[a], [c]],
      [[c], [a]],
    ];
    let pass = 0;
    await world.extract(() => passes[pass++]!.map((records) => ({ records }))); // There are three.
    expect(pass).toBe(3);
    expect(await world.landed()).toEqual([c, a]);
  });

  test("I16 one page is complete", async () => {
    const world = openWorld({ spec: streamOf({ stability: "passes" }) });
    await world.extract(onePage(() => [a]));
    expect(world.requests).toHaveLength(1);
  });

  test("I16 without two equal passes nothing is committed", async () => {
    const world = openWorld({ spec: streamOf({ stability: "passes" }) });
    let pass = 0;
    const run = world.extract(() => [{ records: [a] }, { records: [record(`${pass++}`, "2026-01-01")] }]);
    await expect(run).rejects.toThrow(code("SOURCE_UNSTABLE"));
    expect(pass).toBe(bounds.passesMax);
    expect(await world.head()).toBeUndefined();
  });

  test("I16 a settled range ends at or below T0 - lag, although our clock is ahead", async () => {
    const cursor = { ...windowed, lag: hour, range: { ...openRange, hasEnd: true, spanMax: undefined } };
    const world = openWorld({ spec: streamOf({ stability: "settled", cursor }) });
    const dateMs = world.clock.nowMs() - 200_000;
    await world.extract(() => [{ records: [a], dateMs }]);
    expect(world.requests.at(-1)?.end).toBe(BigInt(dateMs) * 1000n - hour);
    expect((await world.state()).partitions.get("")?.state.scannedTo).toBe(BigInt(dateMs) * 1000n - hour);
    expect(await world.landed()).toEqual([a]);
  });
});

describe("I6 checkpoints", () => {
  const small = { ...bounds, checkpointBytes: 1 };
  const page = (...numbers: number[]): GivenPage => ({
    records: numbers.map((n) => record(`${n}`, `2026-01-0${n}T00:00:00Z`)),
    isSorted: true,
  });
  const dying = (...pages: GivenPage[]) =>
    function* () {
      yield* pages;
      throw new Error("killed");
    };

  test("I6 completed windows are kept when a later one breaks", async () => {
    const world = openWorld({ spec: streamOf({ cursor: windowed }) });
    await expect(
      world.extract(function* ({ start }) {
        if (start === at("2026-01-03")) throw new Error("killed");
        yield { records: [record(`${start}`, "2026-01-01T12:00:00Z")] };
      }),
    ).rejects.toThrow("killed");
    const [manifest] = await world.manifests();
    expect(manifest).toMatchObject({ counts: { landed: 2 }, isFinal: false });
    expect((await world.state()).partitions.get("")?.state.next).toBe(at("2026-01-03"));
  });

  test("I6 within a sorted range data are committed and next stays; the next run drops them", async () => {
    const world = openWorld({ spec: streamOf({ isSorted: true, bounds: small }) });
    await expect(world.extract(dying(page(1, 2), page(3)))).rejects.toThrow("killed");
    expect((await world.manifests()).map(({ counts }) => counts.landed)).toEqual([2, 1]);
    expect((await world.state()).partitions.get("")?.state).toMatchObject({
      cursor: at("2026-01-03"),
      next: undefined,
    });
    const again = await world.extract(() => [page(1, 2), page(3, 4)]);
    expect(again.counts).toMatchObject({ boundarySkipped: 3, landed: 1 });
  });

  test("I6 twins of a range that was committed in its middle are counted from its start", async () => {
    const spec = streamOf({ isSorted: true, primaryKey: [], bounds: small });
    const world = openWorld({ spec });
    const twin = { records: ['{"at":"2026-01-01T00:00:00Z"}'], isSorted: true };
    await expect(world.extract(dying(twin, twin))).rejects.toThrow("killed");
    await world.extract(() => [twin, twin, twin]);
    await world.extract(() => [twin, twin, twin]);
    expect(await world.landed()).toHaveLength(3);
  });

  test("I6 next moves within a range only where the stream trusts the order", async () => {
    const spec = streamOf({ isSorted: true, trustOrder: true, bounds: small });
    const world = openWorld({ spec });
    await expect(world.extract(dying(page(1, 2), page(3)))).rejects.toThrow("killed");
    expect((await world.state()).partitions.get("")?.state.next).toBe(at("2026-01-03"));
  });

  test("I6 nothing is committed within a range whose pages were not asked for in order", async () => {
    for (const given of [{ isSorted: true }, { isSorted: false }]) {
      const spec = streamOf({ ...given, trustOrder: given.isSorted, bounds: small });
      const world = openWorld({ spec });
      const unsorted = { ...page(2, 1), isSorted: false };
      await expect(world.extract(dying(unsorted, page(3)))).rejects.toThrow("killed");
      expect(await world.head()).toBeUndefined();
    }
  });

  test("I7 a broken order takes the state back, says so, and what was landed is not landed again", async () => {
    const spec = streamOf({ isSorted: true, trustOrder: true, bounds: small });
    const world = openWorld({ spec });
    await expect(world.extract(() => [page(1, 3), page(2)])).rejects.toThrow(code("ORDER_BROKEN"));
    const head = (await world.head())?.manifest;
    expect(head).toMatchObject({ kind: "empty", isOrdered: false });
    expect((await world.state()).partitions.get("")?.state.next).toBeUndefined();
    const again = await world.extract(() => [page(1, 3), page(2)]);
    expect(again.counts).toMatchObject({ boundarySkipped: 2, landed: 1 });
    expect((await world.head())?.manifest.isOrdered).toBe(false);
    const manifests = await world.manifests();
    expect(manifests.every(addsUp)).toBe(true);
    expect(manifests).toHaveLength(3); // No more checkpoints within a range.
  });

  test("I7 the distrust is written on the new head when another run committed meanwhile", async () => {
    const spec = streamOf({ isSorted: true });
    const world = openWorld({ spec });
    const rival = openWorld({ spec, objects: world.objects, clock: world.clock, seed: 2 });
    let hasRun = false;
    const run = world.extract(async function* () {
      yield page(1, 3);
      if (!hasRun) await rival.extract(() => [page(1)]);
      hasRun = true;
      yield page(2);
    });
    await expect(run).rejects.toThrow(code("ORDER_BROKEN"));
    expect((await world.manifests()).map(({ kind, isOrdered }) => [kind, isOrdered])).toEqual([
      ["data", true],
      ["empty", false],
    ]);
  });
});

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
