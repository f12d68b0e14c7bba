import { describe, expect, test } from "vitest";
import {
  at,
  onePage,
  openWorld,
  record,
  type SyncWorld,
  streamOf,
} from "../../test/properties/sync-world.ts";
import type { RangeRequest } from "../ports/source.ts";
import { editState, type StateChange } from "./edit-state.ts";

const edit = (world: SyncWorld, change: Partial<StateChange>) =>
  editState(
    world.ports,
    { spec: world.spec, tenant: world.tenant, tenantColumn: "tenant_id" },
    { to: undefined, who: "ann", why: "a test", landedBefore: "missing", ...change },
  );

const records = ["1", "2", "3", "4"].map((n) => record(n, `2026-01-0${n}T00:00:00Z`));
const answer = ({ start = 0n }: RangeRequest) => [
  { records: records.filter((text) => at((JSON.parse(text) as { at: string }).at) >= start) },
];

describe("I19 an edit", () => {
  test("I19 sets cursor, scannedTo and next together, and says who, when and why", async () => {
    const world = openWorld();
    await world.extract(answer);
    const manifest = await edit(world, { to: at("2026-01-02") });
    expect((await world.state()).partitions.get("")?.state).toEqual({
      cursor: at("2026-01-02"),
      scannedTo: at("2026-01-02"),
      next: at("2026-01-02"),
      since: at("2026-01-02"),
    });
    expect(manifest).toMatchObject({
      kind: "state-edit",
      seq: 2,
      edit: { who: "ann", why: "a test", at: "2026-01-10T00:00:00.000Z", landedBefore: "missing" },
    });
  });

  test("I19 that lands what is missing drops what was landed, byte for byte", async () => {
    const world = openWorld();
    await world.extract(answer);
    for (const to of [at("2026-01-02"), undefined]) {
      await edit(world, { to });
      const outcome = await world.extract(answer);
      expect(outcome.counts.landed).toBe(0);
      expect(outcome.counts.received).toBe(to === undefined ? 4 : 3);
    }
  });

  test("I19 that lands again lands all of it once more, and only once", async () => {
    const world = openWorld();
    await world.extract(answer);
    await edit(world, { to: at("2026-01-03"), landedBefore: "again" });
    expect((await world.extract(answer)).counts.landed).toBe(2);
    expect((await world.extract(answer)).counts.landed).toBe(0);
    await edit(world, { landedBefore: "again" });
    expect((await world.extract(answer)).counts.landed).toBe(4);
  });

  test("I19 forward goes on from there, and what is later set back is not landed twice", async () => {
    const world = openWorld();
    await edit(world, { to: at("2026-01-03") });
    await world.extract(answer);
    await edit(world, { to: at("2026-01-01") });
    await world.extract(answer);
    expect((await world.landed()).toSorted()).toEqual(records);
  });

  test("I5 keeps what it knows of quarantined records", async () => {
    const world = openWorld();
    const broken = onePage(() => ["7", ...records]);
    await world.extract(broken);
    await edit(world, {});
    expect((await world.extract(broken)).counts).toMatchObject({
      quarantined: 0,
      landed: 0,
      boundarySkipped: 5,
    });
  });

  test("I9 is made again on the head of a run that came first", async () => {
    const world = openWorld();
    await world.extract(answer);
    const rival = openWorld({ objects: world.objects, clock: world.clock, seed: 2 });
    let hasRun = false;
    const racing = {
      ...world.ports,
      store: {
        ...world.store,
        create: async (key: string, body: Uint8Array) => {
          if (!hasRun) {
            hasRun = true;
            await rival.extract(onePage(() => [record("5", "2026-01-05T00:00:00Z")]));
          }
          return world.store.create(key, body);
        },
      },
    };
    const manifest = await edit({ ...world, ports: racing }, { to: at("2026-01-02") });
    expect(manifest.seq).toBe(3);
    expect((await world.state()).boundary.size).toBe(4);
  });

  test("I7 may trust the order again", async () => {
    const world = openWorld({ spec: streamOf({ isSorted: true }) });
    const broken = [...records].reverse();
    await expect(world.extract(() => [{ records: broken, isSorted: true }])).rejects.toThrow(
      expect.objectContaining({ code: "ORDER_BROKEN" }),
    );
    await edit(world, {});
    expect((await world.head())?.manifest.isOrdered).toBe(false);
    await edit(world, { restoresOrder: true });
    expect((await world.head())?.manifest.isOrdered).toBe(true);
  });

  test("of a stream without a cursor, or of partitions that nobody has seen, is refused", async () => {
    const whole = openWorld({ spec: streamOf({ cursor: undefined }) });
    const parted = openWorld({
      spec: streamOf({ partitions: { from: "tenant", field: "places", column: undefined } }),
    });
    for (const world of [whole, parted]) {
      await expect(edit(world, { to: at("2026-01-01") })).rejects.toThrow(
        expect.objectContaining({ code: "CURSOR_INVALID" }),
      );
      expect(await world.head()).toBeUndefined();
      expect((await edit(world, {})).seq).toBe(1);
    }
    expect((await parted.state()).partitions.size).toBe(0);
  });

  test("I1 a tenant that is closed goes on where it was when it comes back", async () => {
    const world = openWorld();
    await world.extract(answer);
    const { next } = (await world.state()).partitions.get("")!.state;
    expect((await edit(world, { kind: "closed", to: next })).kind).toBe("closed");
    const outcome = await world.extract(answer, { idempotencyKey: "back" });
    expect(outcome).toMatchObject({ seqs: [3], counts: { landed: 0, boundarySkipped: 1 } });
  });
});
