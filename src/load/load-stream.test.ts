import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { onePage, openWorld, record, type SyncWorld, streamOf } from "../../test/properties/sync-world.ts";
import { LeatError } from "../errors/leat-error.ts";
import { extractStream } from "../extract/extract-stream.ts";
import { manifestKey } from "../landing/names.ts";
import { type TenantId, toTenantId } from "../model/ids.ts";
import type { Warehouse } from "../ports/warehouse.ts";
import {
  createMemoryWarehouse,
  type InterposeWarehouse,
  type MemoryTables,
  memoryPathPrefix,
  newMemoryTables,
} from "../testing/index.ts";
import { loadStream } from "./load-stream.ts";

const signal = new AbortController().signal;
const [north, south] = [toTenantId("north"), toTenantId("south")];

function openWarehouse(world: SyncWorld, contents: MemoryTables, interpose?: InterposeWarehouse) {
  return createMemoryWarehouse({
    contents,
    readPart: (path) => world.objects.get(path.slice(memoryPathPrefix.length))?.body,
    ...(interpose === undefined ? {} : { interpose }),
  });
}

const load = (world: SyncWorld, warehouse: Warehouse, tenants: readonly TenantId[] = [world.tenant]) =>
  loadStream(
    { store: world.store, warehouse, progress: () => {}, workFolder: join(tmpdir(), "leat-unused") },
    world.spec,
    tenants,
    signal,
  );

/** Lands records of another tenant in the same store. */
async function landFor(world: SyncWorld, tenant: TenantId, records: readonly string[]): Promise<void> {
  await extractStream(
    world.ports,
    {
      spec: world.spec,
      tenant: { id: tenant, fields: {} },
      reader: {
        requestCount: 0,
        async *read() {
          yield {
            body: (async function* () {
              yield Buffer.from(`[${records.join(",")}]`);
            })(),
            selector: { form: "json", steps: ["each"], isSingle: false },
            at: "GET /records",
            clock: { dateMs: world.clock.nowMs(), requestMs: 0 },
          };
        },
        close: async () => {},
      },
      mode: { kind: "incremental" },
      tenantColumn: "tenant_id",
      compression: "none",
      idempotencyKey: undefined,
      softDeadlineMs: undefined,
    },
    signal,
  );
}

const ids = (warehouse: ReturnType<typeof createMemoryWarehouse>, world: SyncWorld) =>
  warehouse.rows(world.spec).map((row) => `${row.tenant} ${String(row.fields["id"])}`);

describe("I11 a package", () => {
  test("I11 is loaded once, however often it is asked for", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z")]));
    await world.extract(onePage(() => [record("b", "2026-01-02T00:00:00Z")]));
    const warehouse = openWarehouse(world, newMemoryTables());
    const first = await load(world, warehouse);
    expect(first.tenants).toMatchObject([{ packages: 2, loaded: 2, rejected: 0, seq: 2, error: undefined }]);
    const again = await load(world, warehouse);
    expect(again.tenants).toMatchObject([{ packages: 0, loaded: 0, seq: 2 }]);
    expect(ids(warehouse, world)).toEqual(["414 a", "414 b"]);
  });

  test("I11 whose answer was lost is found loaded the next time", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z")]));
    const contents = newMemoryTables();
    const losing: InterposeWarehouse = async (operation, effect) => {
      const answer = effect();
      if (operation.kind === "load") throw new Error("the answer was lost");
      return answer;
    };
    const failed = await load(world, openWarehouse(world, contents, losing));
    expect(failed.tenants[0]?.error?.code).toBe("LOAD_FAILED");
    const warehouse = openWarehouse(world, contents);
    expect((await load(world, warehouse)).tenants).toMatchObject([{ packages: 0, seq: 1, error: undefined }]);
    expect(ids(warehouse, world)).toEqual(["414 a"]);
  });

  test("I2 without a manifest is not loaded", async () => {
    const world = openWorld();
    await world.store.create(
      "landing/partner/records/tenant=414/seq=000000000001/run=dead/part-00001.ndjson",
      Buffer.from('{"id":"x"}\n'),
    );
    const warehouse = openWarehouse(world, newMemoryTables());
    expect((await load(world, warehouse)).tenants).toMatchObject([{ packages: 0, seq: 0 }]);
  });

  test("I11 that another manifest took the place of is LOG_REWRITTEN, and nothing is written", async () => {
    const world = openWorld();
    await world.extract(onePage(() => [record("a", "2026-01-01T00:00:00Z")]));
    const warehouse = openWarehouse(world, newMemoryTables());
    await load(world, warehouse);
    const key = manifestKey(world.place, 1);
    const object = world.objects.get(key)!; // It was just committed.
    world.objects.set(key, { ...object, body: Buffer.concat([object.body, Buffer.from(" ")]) });
    await world.extract(onePage(() => [record("b", "2026-01-02T00:00:00Z")]));
    expect((await load(world, warehouse)).tenants[0]?.error?.code).toBe("LOG_REWRITTEN");
    world.objects.clear();
    expect((await load(world, warehouse)).tenants[0]?.error?.code).toBe("LOG_REWRITTEN");
    expect(ids(warehouse, world)).toEqual(["414 a"]);
  });
});

describe("I12 a generation", () => {
  test("I12 replaces the one before in one step, also by nothing at all", async () => {
    const world = openWorld({ spec: streamOf({ writeDisposition: "replace", cursor: undefined }) });
    const warehouse = openWarehouse(world, newMemoryTables());
    await world.extract(onePage(() => ['{"id":1}', '{"id":2}']));
    await load(world, warehouse);
    await world.extract(onePage(() => ['{"id":2}', '{"id":3}']));
    await load(world, warehouse);
    expect(ids(warehouse, world)).toEqual(["414 2", "414 3"]);
    await world.extract(
      onePage(() => []),
      { mode: { kind: "refresh", confirmShrink: true } },
    );
    await load(world, warehouse);
    expect(ids(warehouse, world)).toEqual([]);
  });
});

test("what a load that died has left undone is ended by the next one that finds nothing to load", async () => {
  const world = openWorld();
  await landFor(world, world.tenant, [record("a", "2026-01-01T00:00:00Z")]);
  const settled: string[] = [];
  const warehouse: Warehouse = {
    ...openWarehouse(world, newMemoryTables()),
    settle: async ({ source, name }) => void settled.push(`${source}.${name}`),
  };
  await load(world, warehouse);
  expect(settled).toEqual([]);
  await load(world, warehouse);
  expect(settled).toEqual([`${world.spec.source}.${world.spec.name}`]);
});

test("logs are looked at several at once, each by as many requests as its own head takes", async () => {
  let [requests, underWay, most] = [0, 0, 0];
  let isCounting = false;
  const world = openWorld({
    interpose: async (_operation, effect) => {
      if (!isCounting) return effect();
      requests += 1;
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise(setImmediate);
      underWay -= 1;
      return effect();
    },
  });
  const tenants = Array.from({ length: 40 }, (_, at) => toTenantId(`tenant-${String(at).padStart(2, "0")}`));
  for (const tenant of tenants) await landFor(world, tenant, [record("a", "2026-01-01T00:00:00Z")]);
  const warehouse = openWarehouse(world, newMemoryTables());
  const first = await load(world, warehouse, tenants);
  expect(first.tenants.map(({ tenant, loaded }) => [tenant, loaded])).toEqual(tenants.map((one) => [one, 1]));
  isCounting = true;
  const again = await load(world, warehouse, tenants);
  expect(again.tenants.map(({ tenant, seq }) => [tenant, seq])).toEqual(tenants.map((one) => [one, 1]));
  // Hint, manifest, probe. At a bucket each is paid for and waited for, at every load.
  expect(requests).toBe(40 * 3);
  expect(most).toBeGreaterThan(8);
  expect(most).toBeLessThanOrEqual(16);
});

describe("one tenant's trouble", () => {
  test("I11 a poison package blocks its own tenant only, and its earlier packages are loaded", async () => {
    const world = openWorld();
    await landFor(world, north, [record("a", "2026-01-01T00:00:00Z")]);
    await landFor(world, north, [record("poison", "2026-01-02T00:00:00Z")]);
    await landFor(world, north, [record("after", "2026-01-03T00:00:00Z")]);
    await landFor(world, south, [record("b", "2026-01-01T00:00:00Z")]);
    const memory = openWarehouse(world, newMemoryTables());
    const warehouse: Warehouse = {
      ...memory,
      load: async (spec, packages, reopen, stop) => {
        if (packages.some(({ tenant, seq }) => tenant === north && seq === 2)) {
          throw new LeatError("LOAD_FAILED", { message: "poison" });
        }
        return memory.load(spec, packages, reopen, stop);
      },
    };
    const outcome = await load(world, warehouse, [north, south]);
    expect(outcome.tenants).toMatchObject([
      { tenant: north, packages: 1, seq: 1, error: { code: "LOAD_FAILED" } },
      { tenant: south, packages: 1, seq: 1, error: undefined },
    ]);
    expect(ids(memory, world).toSorted()).toEqual(["north a", "south b"]);
  });

  test("a damaged part is not half loaded, and the others are served", async () => {
    const world = openWorld();
    await landFor(world, north, [record("a", "2026-01-01T00:00:00Z"), record("b", "2026-01-01T00:00:00Z")]);
    await landFor(world, south, [record("c", "2026-01-01T00:00:00Z")]);
    const key = [...world.objects.keys()].find((name) =>
      name.startsWith("landing/partner/records/tenant=north/"),
    )!;
    const object = world.objects.get(key)!; // The key is of the same map.
    const body = Buffer.from(object.body);
    body[body.length - 4] = 0x20;
    world.objects.set(key, { ...object, body });
    const warehouse = openWarehouse(world, newMemoryTables());
    const outcome = await load(world, warehouse, [north, south]);
    expect(outcome.tenants).toMatchObject([
      { error: { code: "PART_CORRUPT", details: { tenant: north, seq: 1, key } } },
      { loaded: 1, error: undefined },
    ]);
    expect(ids(warehouse, world)).toEqual(["south c"]);
  });

  test("a log that cannot be read is told for its tenant", async () => {
    const world = openWorld();
    await landFor(world, north, [record("a", "2026-01-01T00:00:00Z")]);
    await landFor(world, south, [record("b", "2026-01-01T00:00:00Z")]);
    world.objects.set(manifestKey({ ...world.place, tenant: north }, 1), {
      body: Buffer.from("{"),
      createdAtMs: 0,
    });
    const outcome = await load(world, openWarehouse(world, newMemoryTables()), [north, south]);
    expect(outcome.tenants.map(({ error, loaded }) => [error?.code, loaded])).toEqual([
      ["MANIFEST_INVALID", 0],
      [undefined, 1],
    ]);
  });

  test("a warehouse that is locked fails the whole load, since it is nobody's package", async () => {
    const world = openWorld();
    await landFor(world, north, [record("a", "2026-01-01T00:00:00Z")]);
    await landFor(world, south, [record("b", "2026-01-01T00:00:00Z")]);
    const locked: InterposeWarehouse = async (operation, effect) => {
      if (operation.kind === "load") throw new LeatError("WAREHOUSE_LOCKED", { message: "held by another" });
      return effect();
    };
    const run = load(world, openWarehouse(world, newMemoryTables(), locked), [north, south]);
    await expect(run).rejects.toThrow(expect.objectContaining({ code: "WAREHOUSE_LOCKED" }));
  });
});
