import { describe, expect, test } from "vitest";
import { onePage, openWorld, record, type SyncWorld, streamOf } from "../../test/properties/sync-world.ts";
import { commitEmpty } from "../extract/commit-empty.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { verifyLog } from "./verify-log.ts";

const hourMs = 3_600_000;

const collect = (world: SyncWorld, given: Partial<Parameters<typeof collectGarbage>[2]> = {}) =>
  collectGarbage(world.store, world.place, {
    runMsMax: hourMs,
    isDryRun: false,
    commitEmpty: () =>
      commitEmpty(world.ports, { spec: world.spec, tenant: world.tenant, tenantColumn: "tenant_id" }),
    ...given,
  });

const files = (world: SyncWorld) => [...world.objects.keys()].filter((key) => !key.startsWith("log/"));

/** Leaves a file of a run that died before it could commit. */
async function leaveOrphan(world: SyncWorld): Promise<void> {
  const run = world.extract(async function* () {
    yield { records: [record("a", "2026-01-01T00:00:00Z"), `{"id":"big","v":"${"x".repeat(3_000_000)}"}`] };
    throw new Error("killed");
  });
  await expect(run).rejects.toThrow("killed");
}

describe("I15 garbage", () => {
  test("is what a committed seq does not name; what it names stays, quarantine and state too", async () => {
    const world = openWorld({ spec: streamOf({ primaryKey: [], cursor: undefined }) });
    await world.store.create(
      "landing/partner/records/tenant=414/seq=000000000001/run=dead/part-00001.ndjson",
      Buffer.from("orphan"),
    );
    // So many records without a cursor that their boundary is a file of its own.
    await world.extract(onePage(() => ["7", ...Array.from({ length: 800 }, (_, i) => `{"n":${i}}`)]));
    expect((await world.head())?.manifest.state.file).toBeDefined();
    const named = files(world).filter((key) => !key.includes("run=dead"));
    expect(named).toHaveLength(3);
    expect(await collect(world)).toMatchObject({ deleted: 1, deletedBytes: 6, waiting: 0 });
    expect(files(world)).toEqual(named);
    expect((await verifyLog(world.store, world.place, { readsParts: true })).faults).toEqual([]);
  });

  test("of the seq that comes next waits while its run may live", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z")]));
    await world.store.create(
      "landing/partner/records/tenant=414/seq=000000000002/run=slow/part-00001.ndjson",
      Buffer.from("soon"),
    );
    expect(await collect(world)).toMatchObject({ deleted: 0, waiting: 1 });
    await world.clock.advance(hourMs + 1);
    expect(await collect(world, { isDryRun: true })).toMatchObject({ deleted: 0, waiting: 1 });
    expect((await world.head())?.manifest.seq).toBe(1);
  });

  test("on a quiet stream is taken with an empty manifest, after which its paused writer conflicts", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z")]));
    const before = await world.state();
    const paused = world.extract(async function* () {
      yield { records: [record("b", "2026-01-02T00:00:00Z"), `{"id":"big","v":"${"x".repeat(3_000_000)}"}`] };
      await world.store.create(
        "landing/partner/records/tenant=414/seq=000000000002/run=dead/part-00001.ndjson",
        Buffer.from("old"),
      );
      world.objects.set("landing/partner/records/tenant=414/seq=000000000002/run=dead/part-00001.ndjson", {
        body: Buffer.from("old"),
        createdAtMs: world.clock.nowMs() - 2 * hourMs,
      });
      expect(await collect(world)).toMatchObject({ deleted: 1 });
    });
    await expect(paused).rejects.toThrow(expect.objectContaining({ code: "STATE_CONFLICT" }));
    expect((await world.head())?.manifest).toMatchObject({ seq: 2, kind: "empty", counts: { received: 0 } });
    expect((await world.state()).partitions).toEqual(before.partitions);
    expect(await world.landed()).toEqual([record("a", "2026-01-01T00:00:00Z")]);
    expect((await verifyLog(world.store, world.place, { readsParts: true })).faults).toEqual([]);
  });

  test("is collected all the same when another run took the seq first", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z")]));
    await leaveOrphan(world);
    await world.store.create(
      "landing/partner/records/tenant=414/seq=000000000002/run=dead/part-00009.ndjson",
      Buffer.from("old"),
    );
    await world.clock.advance(2 * hourMs);
    const rival = openWorld({ objects: world.objects, clock: world.clock, seed: 2 });
    const collected = await collect(world, {
      commitEmpty: async () => {
        const stale = await world.head();
        await rival.extract(onePage(() => [record("b", "2026-01-03T00:00:00Z")]));
        expect(stale?.manifest.seq).toBe(1);
        throw Object.assign(new Error("first"), { name: "LeatError", code: "STATE_CONFLICT", hint: "" });
      },
    });
    expect(collected.deleted).toBeGreaterThan(0);
    expect(await world.landed()).toHaveLength(2);
  });
});

describe("a log is verified", () => {
  test("and what is damaged or missing is told, each with its file", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z"), "7"]));
    await world.extract(
      onePage(() => [record("b", "2026-01-02T00:00:00Z")]),
      { compression: "gzip" },
    );
    await world.extract(onePage(() => [record("c", "2026-01-03T00:00:00Z")]));
    const [first, second, third] = files(world)
      .filter((key) => key.startsWith("landing/"))
      .map((key) => ({ key, object: world.objects.get(key)! })) as [Named, Named, Named]; // Three runs landed.
    world.objects.delete(first.key);
    world.objects.set(second.key, { ...second.object, body: second.object.body.subarray(0, 20) });
    const changed = Buffer.from(third.object.body);
    changed[3] = 0x21;
    world.objects.set(third.key, { ...third.object, body: changed });
    const verified = await verifyLog(world.store, world.place, { readsParts: true });
    expect(verified.faults.map((fault) => [fault.code, fault.details["key"]])).toEqual([
      ["PART_MISSING", first.key],
      ["PART_CORRUPT", second.key],
      ["PART_CORRUPT", third.key],
    ]);
    expect(verified).toMatchObject({ manifests: 3, packages: 3, parts: 3, records: 3 });
  });
});

type Named = { key: string; object: { body: Uint8Array; createdAtMs: number } };
