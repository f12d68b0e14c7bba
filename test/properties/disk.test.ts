import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { commitEmpty } from "../../src/extract/commit-empty.ts";
import { collectGarbage } from "../../src/landing/collect-garbage.ts";
import { listTenants } from "../../src/landing/log.ts";
import { verifyLog } from "../../src/landing/verify-log.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import { bounds, openWorld, record, streamOf } from "./sync-world.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "leat-disk-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const openOnDisk = (seed: number) =>
  openWorld({
    store: openFsStore(folder),
    // The disk's clock is the machine's own.
    clock: createFakeClock(Date.UTC(2026, 0, 10), "instant"),
    seed,
    spec: streamOf({ isSorted: true, bounds: { ...bounds, checkpointBytes: 1 } }),
  });
const page = (...numbers: number[]) => ({
  records: numbers.map((n) => record(`${n}`, `2026-01-0${n}T00:00:00Z`, "x".repeat(2000))),
  isSorted: true,
});

describe("on a local disk", () => {
  test.each([
    "none",
    "gzip",
    "zstd",
  ] as const)("I6 a run that died is gone on with, byte for byte (%s)", async (compression) => {
    const first = openOnDisk(1);
    const dying = first.extract(
      function* () {
        yield page(1, 2);
        yield page(3);
        throw new Error("killed");
      },
      { compression },
    );
    await expect(dying).rejects.toThrow("killed");
    const second = openOnDisk(2);
    const outcome = await second.extract(() => [page(1, 2), page(3, 4)], { compression });
    expect(outcome.counts).toMatchObject({ landed: 1, boundarySkipped: 3 });
    expect(await second.landed()).toEqual([...page(1, 2, 3, 4).records]);
    expect((await verifyLog(second.store, second.place, { readsParts: true })).faults).toEqual([]);
    expect(await listTenants(second.store, "partner", "records")).toEqual(["414"]);
  });

  test("I9 of many runs at once one commits each seq, and every record is landed once", async () => {
    const worlds = Array.from({ length: 6 }, (_, i) => openOnDisk(i + 1));
    const ends = await Promise.allSettled(worlds.map((world) => world.extract(() => [page(1, 2, 3)])));
    const refused = ends
      .filter((end) => end.status === "rejected")
      .map((end) => end.reason as { code: string });
    expect(refused.every(({ code }) => code === "STATE_CONFLICT")).toBe(true);
    expect(refused.length).toBeLessThan(worlds.length);
    const [world] = worlds as [ReturnType<typeof openOnDisk>];
    expect(await world.landed()).toEqual([...page(1, 2, 3).records]);
    const job = { spec: world.spec, tenant: world.tenant, tenantColumn: "tenant_id" };
    await commitEmpty(world.ports, job);
    const collected = await collectGarbage(world.store, world.place, {
      runMsMax: 1_000_000,
      isDryRun: false,
      commitEmpty: () => commitEmpty(world.ports, job),
    });
    expect(collected).toMatchObject({ waiting: 0 });
    expect((await verifyLog(world.store, world.place, { readsParts: true })).faults).toEqual([]);
  });
});
