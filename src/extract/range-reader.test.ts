import { describe, expect, test } from "vitest";
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
import type { Manifest } from "../model/manifest.ts";
import type { CursorSpec } from "../model/stream.ts";
import type { PageSummary } from "../ports/source.ts";

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
