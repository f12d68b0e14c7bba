import { describe, expect, test } from "vitest";
import {
  at,
  type GivenPage,
  onePage,
  openRange,
  openWorld,
  record,
  type SyncWorld,
  streamOf,
  timeCursor,
} from "../../test/properties/sync-world.ts";
import type { CursorSpec } from "../model/stream.ts";
import type { RangeRequest } from "../ports/source.ts";
import { visibleGeneration } from "./extract-progress.ts";
import { ExtractRun } from "./extract-run.ts";
import { freshPartition } from "./run-state.ts";

/** What a broken order leaves (I7): a partition is back at its beginning, and the boundary is complete from `since` only. */
async function goBack(world: SyncWorld, partition: string): Promise<void> {
  const [head, state] = [await world.head(), await world.state()];
  const partitions = new Map(
    [...state.partitions].map(([value, { number, state: found }]) => {
      const lowered = { ...freshPartition, since: found.since };
      return [value, { number, state: value === partition ? lowered : found }];
    }),
  );
  const job = { spec: world.spec, tenant: world.tenant, tenantColumn: "tenant_id" };
  await ExtractRun.forEdit(world.ports, job, head, state).commit({
    kind: "empty",
    generation: visibleGeneration(head),
    isFinal: false,
    state: { ...state, partitions },
    isOrdered: false,
  });
}

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

  test("I5 a key that comes again within the first run is known: the same bytes are landed once, others as its newest", async () => {
    const a = record("a", "2026-01-01T00:00:00Z");
    const changed = record("a", "2026-01-01T00:00:00Z", "changed");
    const other = record("b", "2026-01-01T00:00:00Z");
    const pages = [
      [[a, other, a, changed, changed, a]],
      [
        [a, other],
        [a, changed],
        [changed, a],
      ],
    ];
    for (const records of pages) {
      const world = openWorld();
      const first = await world.extract(() => records.map((page) => ({ records: page })));
      expect(first.counts).toMatchObject({ landed: 4, repeated: 2, restated: 2 });
      expect(await world.landed()).toEqual([a, other, changed, a]);
      const second = await world.extract(onePage(() => [other, a]));
      expect(second).toMatchObject({ status: "unchanged", counts: { boundarySkipped: 2, landed: 0 } });
    }
  });

  test("I5 the boundary holds what the next start will show, however many pages lie below it", async () => {
    const world = openWorld();
    const minute = (n: number) => record(`r${n}`, `2026-01-01T00:${String(n).padStart(2, "0")}:00Z`);
    const pages = [[minute(0), minute(1)], [minute(20), minute(21)], [minute(40)]];
    await world.extract(() => pages.map((records) => ({ records })));
    expect([...(await world.state()).boundary].map(([, entry]) => entry.cursor)).toEqual([
      at("2026-01-01T00:40:00Z"),
    ]);
    const again = await world.extract(onePage(() => [minute(40), minute(41)]));
    expect(again.counts).toMatchObject({ boundarySkipped: 1, landed: 1 });
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

  test("I5 a back-fill over a state that went back does not hide what its boundary has forgotten", async () => {
    const world = openWorld();
    const shown = ["1", "5"].map((n) => record(n, `2026-01-0${n}T00:00:00Z`));
    await world.extract(onePage(() => shown));
    await goBack(world, "");
    const mode = { kind: "backfill", from: at("2026-01-08"), to: at("2026-01-09") } as const;
    await world.extract(
      onePage(() => []),
      { mode, idempotencyKey: "fill" },
    );
    const again = await world.extract(onePage(() => shown));
    expect(again.counts).toMatchObject({ boundarySkipped: 2, landed: 0 });
  });

  test("I5 a run that does not read a partition does not hide what its boundary has forgotten", async () => {
    const spec = streamOf({ partitions: { from: "tenant", field: "places", column: undefined } });
    const world = openWorld({ spec });
    const fields = { places: ["north", "south"] };
    const shown = ["1", "5"].map((n) => record(n, `2026-01-0${n}T00:00:00Z`));
    await world.extract(
      onePage(() => shown),
      { fields },
    );
    await goBack(world, "south");
    const later = onePage(() => [...shown.slice(1), record("9", "2026-01-09T00:00:00Z")]);
    await world.extract(later, { fields: { places: ["north"] } });
    const again = await world.extract(
      ({ partition }) => (partition === "north" ? [] : [{ records: shown }]),
      {
        fields,
      },
    );
    expect(again.counts).toMatchObject({ boundarySkipped: 2, landed: 0 });
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
