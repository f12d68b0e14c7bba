/** I13: a share of one tenant receives that tenant's rows, and can receive no others. */
import { describe, expect, test } from "vitest";
import { landingPrefix, logPrefix } from "../../src/landing/names.ts";
import { toTenantId } from "../../src/model/ids.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { Warehouse } from "../../src/ports/warehouse.ts";
import { openTenantStore } from "../../src/share/open-tenant-store.ts";
import { createMemoryStore } from "../../src/testing/memory-store.ts";
import { hostileIds } from "./hostile-ids.ts";
import { landRecords } from "./land-records.ts";
import { openDuckDbPlace } from "./open-duckdb-place.ts";
import { openStand } from "./share-stand.ts";

/** A store that writes down which keys it is asked for. */
function spyOn(store: ObjectStore): ObjectStore & Readonly<{ keys: string[] }> {
  const keys: string[] = [];
  const note = (key: string): string => {
    keys.push(key);
    return key;
  };
  return {
    ...store,
    keys,
    read: (key) => store.read(note(key)),
    readStream: (key) => store.readStream(note(key)),
    list: (prefix, options) => store.list(note(prefix), options),
    listFolders: (prefix) => store.listFolders(note(prefix)),
    localPath: (key) => {
      note(key);
      return undefined; // The bytes are in memory: they are copied.
    },
  };
}

const placeOf = (tenant: string) => ({ source: "farm", stream: "plants", tenant: toTenantId(tenant) });

describe("I13 a share among a thousand tenants with hostile ids", () => {
  test("receives its tenant's rows only, and asks for no other key", async () => {
    const ids = hostileIds(1000);
    const memory = createMemoryStore();
    for (const [index, id] of ids.entries()) {
      // Each record says of itself that it is another tenant's.
      const claimed = JSON.stringify(ids[(index + 1) % ids.length]);
      const record = `{"id":${index},"modified":"2026-01-01T00:00:00Z","tenant":${claimed},"TENANT_ID":${claimed}}`;
      await landRecords(memory, placeOf(id), [record], { compression: "none" });
    }
    // Postgres keeps no U+0000; DuckDB does, so all of these can be delivered to a file.
    const chosen = ["41", " 414", "a\u0301", "' OR '1'='1", ".."];
    for (const id of chosen) {
      const store = spyOn(memory);
      await using stand = await openStand(openDuckDbPlace);
      expect(await stand.table({ tenant: id, store })).toMatchObject({
        status: "moved",
        packages: 1,
        rows: 1,
      });
      const rows = await stand.rows("SELECT id, tenant_id FROM main.replica_plants_versions");
      expect(rows.map(([row, tenant]) => [Number(row), tenant])).toEqual([[ids.indexOf(id), id]]);
      const own = [logPrefix(placeOf(id)), landingPrefix(placeOf(id))];
      expect(store.keys.length).toBeGreaterThan(0);
      expect(store.keys.filter((key) => !own.some((prefix) => key.startsWith(prefix)))).toEqual([]);
    }
  }, 60_000);
});

describe("I13 the landing as a share is given it", () => {
  const store = openTenantStore(createMemoryStore(), [placeOf("41")]);

  test("refuses every key that is not below the tenant's own places", async () => {
    const own = logPrefix(placeOf("41"));
    for (const key of [
      logPrefix(placeOf("414")),
      "log/farm/plants/",
      "log/farm/plants/tenant=41",
      `${own}../tenant=414/head`,
      `${own}./../x`,
      `${own}/head`,
      `${own}HEAD`,
      `${own}a\\..\\b`,
      `/${own}head`,
      "landing/farm/rooms/tenant=41/x",
      "quarantine/farm/plants/tenant=41/x",
      "",
    ]) {
      await expect(store.read(key), key).rejects.toMatchObject({ code: "SHARE_OUT_OF_SCOPE" });
      await expect(store.readStream(key), key).rejects.toMatchObject({ code: "SHARE_OUT_OF_SCOPE" });
      expect(() => store.list(key), key).toThrow("not below its own places");
      expect(() => store.listFolders(key), key).toThrow("not below its own places");
      expect(() => store.localPath(key), key).toThrow("not below its own places");
    }
    expect(await store.read(`${own}head`)).toBeUndefined();
  });

  test("cannot be written", async () => {
    const key = `${logPrefix(placeOf("41"))}000000000001.json`;
    await expect(store.create(key, Buffer.of(1))).rejects.toThrow("reads the landing");
    await expect(store.put(key, Buffer.of(1))).rejects.toThrow("reads the landing");
    await expect(store.openWriter(key)).rejects.toThrow("reads the landing");
    await expect(store.delete(key)).rejects.toThrow("reads the landing");
    expect(await store.read(key)).toBeUndefined();
  });

  test("is not left by a manifest that names somebody else's part", async () => {
    await using stand = await openStand(openDuckDbPlace);
    await stand.land(['{"id":7,"modified":"2026-01-01T00:00:00Z"}'], { tenant: "414" });
    const theirs: string[] = [];
    for await (const { key } of stand.store.list(landingPrefix(placeOf("414")))) theirs.push(key);
    const part = { bytes: 1, plainBytes: 1, records: 1, crc32c: "00000000", exactColumns: [] };
    await stand.land(['{"id":1,"modified":"2026-01-01T00:00:00Z"}'], {
      tenant: "41",
      manifest: { parts: [{ ...part, key: theirs[0]! }] },
    });
    const { tables } = await stand.deliver({ tenant: "41" });
    expect(tables[0]?.error).toMatchObject({ code: "SHARE_OUT_OF_SCOPE" });
    expect(await stand.place.relations()).not.toContain("replica.plants");
  });
});

describe("credentials", () => {
  test("of one share are looked up when its turn comes, and its warehouse is closed before the next is opened", async () => {
    await using stand = await openStand(openDuckDbPlace);
    const events: string[] = [];
    for (const tenant of ["414", "41"]) {
      await stand.land(['{"id":1,"modified":"2026-01-01T00:00:00Z"}'], { tenant });
      await stand.deliver({
        tenant,
        share: { name: `to_${tenant}`, to: ({ id }) => `env:WAREHOUSE_${id}` },
        resolve: async (reference) => {
          events.push(`look up ${reference}`);
          return stand.place.address;
        },
        open: async (address, workFolder): Promise<Warehouse> => {
          events.push(`open ${tenant}`);
          const warehouse = await stand.place.open(address, workFolder);
          const close = warehouse.close.bind(warehouse);
          warehouse.close = async () => {
            events.push(`close ${tenant}`);
            await close();
          };
          return warehouse;
        },
      });
    }
    expect(events).toEqual(
      ["414", "41"].flatMap((id) => [`look up env:WAREHOUSE_${id}`, `open ${id}`, `close ${id}`]),
    );
  });

  test("are not looked up for a salt that nothing is masked with", async () => {
    await using stand = await openStand(openDuckDbPlace);
    await stand.land(['{"id":1,"modified":"2026-01-01T00:00:00Z"}']);
    const asked: string[] = [];
    await stand.deliver({
      share: { salt: "env:SALT" },
      resolve: async (reference) => {
        asked.push(reference);
        return stand.place.address;
      },
    });
    expect(asked).toEqual(["env:WAREHOUSE"]);
  });

  test("that are missing, and salts that are too short, fail before a warehouse is touched", async () => {
    await using stand = await openStand(openDuckDbPlace);
    await stand.land(['{"id":1,"modified":"2026-01-01T00:00:00Z"}']);
    expect((await stand.deliver({ share: { to: "env:NOWHERE" } })).error).toMatchObject({
      code: "SECRET_MISSING",
    });
    const columns = { id: { mask: false }, modified: true, label: { mask: true } } as const;
    const masked = { salt: "env:SALT", streams: [{ stream: "farm.plants", columns }] };
    const weak = await stand.deliver({
      share: masked,
      resolve: async (reference) => (reference === "env:SALT" ? "short" : stand.place.address),
    });
    expect(weak.error).toMatchObject({ code: "SHARE_SALT_WEAK" });
    expect(weak.error?.message).not.toContain('short"');
    expect(await stand.place.relations()).toEqual([]);
  });
});
