/**
 * What every object store must keep: the assumptions of the protocol, as tests. Knows no test runner: hand it the `test`
 * of vitest, `node:test` or any other that takes a name and a function.
 */
import assert from "node:assert/strict";
import type { ObjectInfo, ObjectStore } from "../ports/object-store.ts";

/** A runner's way to define a test. */
export type DefineTest = (name: string, run: () => Promise<void>) => unknown;

/** An empty place, opened for one test. */
export type StoreUnderTest = Readonly<{
  store: ObjectStore;
  /** Opens the same place once more, as another process would. */
  reopen: () => Promise<ObjectStore>;
  /** Throws the place away. */
  dispose: () => Promise<void>;
}>;

/** Every character that a key may hold, in names as the landing makes them. */
const allowedKey = "landing/s-1/abcdefghijklmnopqrstuvwxyz_~41~~0123456789/tenant=4.1/part-00001.ndjson.zst";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Defines the contract's tests for one store.
 *
 * @param test - the runner's `test`.
 * @param open - opens a new, empty place for each test.
 */
export function objectStoreContract(test: DefineTest, open: () => Promise<StoreUnderTest>): void {
  const check = (name: string, run: (place: StoreUnderTest) => Promise<void>): void => {
    test(name, async () => {
      const place = await open();
      try {
        await run(place);
      } finally {
        await place.dispose();
      }
    });
  };

  check("a created object is readable at once, whole, by everybody", async ({ store, reopen }) => {
    assert.equal(await store.create(allowedKey, bytes("one")), "created");
    const other = await reopen();
    assert.equal(await readText(other, allowedKey), "one");
    assert.equal(await readStreamText(other, allowedKey), "one");
  });

  check("creating what exists changes nothing and says so", async ({ store, reopen }) => {
    await store.create("log/a/000000000001.json", bytes("first"));
    const other = await reopen();
    assert.equal(await other.create("log/a/000000000001.json", bytes("second")), "exists");
    const writer = await other.openWriter("log/a/000000000001.json");
    await writer.write(bytes("third"));
    assert.equal(await writer.commit(), "exists");
    assert.equal(await readText(store, "log/a/000000000001.json"), "first");
  });

  check("of 50 concurrent creators of one key exactly one wins, and its bytes are there", async (place) => {
    const stores = [place.store, await place.reopen()];
    for (let round = 0; round < 5; round++) {
      const key = `log/race/${round}.json`;
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, creator) => {
          const store = stores[creator % 2]!;
          if (creator % 3 > 0) return store.create(key, bytes(`creator ${creator}`));
          const writer = await store.openWriter(key);
          await writer.write(bytes(`creator `));
          await writer.write(bytes(`${creator}`));
          return writer.commit();
        }),
      );
      assert.equal(answers.filter((answer) => answer === "created").length, 1);
      assert.equal(await readText(place.store, key), `creator ${answers.indexOf("created")}`);
    }
  });

  check("a writer's object appears on commit and not before", async ({ store, reopen }) => {
    const other = await reopen();
    const writer = await store.openWriter("landing/a/part-1.ndjson");
    const chunk = bytes("line\n");
    await writer.write(chunk);
    chunk.fill(0x2e); // A chunk belongs to the caller again once `write` has resolved.
    assert.equal(await other.read("landing/a/part-1.ndjson"), undefined);
    assert.deepEqual(await keys(other, "landing/"), []);
    assert.equal(await writer.commit(), "created");
    assert.equal(await readText(other, "landing/a/part-1.ndjson"), "line\n");
  });

  check("an aborted writer leaves nothing, and its key can be created", async ({ store }) => {
    const writer = await store.openWriter("landing/a/part-1.ndjson");
    await writer.write(bytes("half"));
    await writer.abort();
    assert.equal(await store.read("landing/a/part-1.ndjson"), undefined);
    assert.deepEqual(await keys(store, "landing/"), []);
    assert.equal(await store.create("landing/a/part-1.ndjson", bytes("whole")), "created");
  });

  check("an empty object exists, also one that a writer never wrote to", async ({ store }) => {
    assert.equal(await store.create("a/empty", new Uint8Array()), "created");
    assert.equal(await (await store.openWriter("a/empty-too")).commit(), "created");
    assert.equal((await store.read("a/empty"))?.length, 0);
    assert.equal(await readStreamText(store, "a/empty-too"), "");
    const infos = await listed(store, "a/");
    assert.deepEqual(
      infos.map(({ key, bytes }) => [key, bytes]),
      [
        ["a/empty", 0],
        ["a/empty-too", 0],
      ],
    );
  });

  check("megabytes come back as they were written", async ({ store }) => {
    const chunk = Uint8Array.from({ length: 300_001 }, (_, index) => (index * 31) % 251);
    const writer = await store.openWriter("big/object");
    for (let count = 0; count < 30; count++) await writer.write(chunk);
    await writer.commit();
    const chunks: Uint8Array[] = [];
    for await (const part of (await store.readStream("big/object")) ?? []) chunks.push(part.slice());
    assert.ok(Buffer.concat(chunks).equals(Buffer.concat(Array.from({ length: 30 }, () => chunk))));
    assert.equal((await listed(store, "big/"))[0]?.bytes, 9_000_030);
  });

  check("of two writers of megabytes at once the first to commit wins", async ({ store, reopen }) => {
    const writers = [await store.openWriter("big/race"), await (await reopen()).openWriter("big/race")];
    for (let count = 0; count < 9; count++) {
      for (const [number, writer] of writers.entries())
        await writer.write(Buffer.alloc(1_000_000, `${number}`));
    }
    assert.equal(await writers[1]!.commit(), "created");
    assert.equal(await writers[0]!.commit(), "exists");
    assert.ok((await readText(store, "big/race")) === "1".repeat(9_000_000));
  });

  check("what is not there reads as undefined", async ({ store }) => {
    await store.create("a/b/c", bytes("there"));
    for (const key of ["a/b/d", "a/b", "a/b/c/d", "x"]) {
      assert.equal(await store.read(key), undefined, key);
      assert.equal(await store.readStream(key), undefined, key);
    }
  });

  check("put replaces, whole", async ({ store, reopen }) => {
    await store.put("log/head", bytes("a long first hint"));
    await (await reopen()).put("log/head", bytes("short"));
    assert.equal(await readText(store, "log/head"), "short");
  });

  check("readers of a hint that is replaced see one of its versions", async ({ store, reopen }) => {
    const other = await reopen();
    await store.put("log/head", bytes("0".repeat(5000)));
    const reads: Promise<string | undefined>[] = [];
    const writes: Promise<void>[] = [];
    for (let version = 1; version <= 9; version++) {
      writes.push(store.put("log/head", bytes(`${version}`.repeat(5000))));
      reads.push(readText(other, "log/head"));
    }
    await Promise.all(writes);
    for (const text of await Promise.all(reads)) assert.match(text ?? "", /^(\d)\1{4999}$/);
  });

  check("a listing has a prefix's objects in the order of their keys", async ({ store }) => {
    // `-` and `.` sort before `/`: the order of whole keys is not the order of a walk through folders.
    const all = ["a/1-x", "a/1.x", "a/1/z", "a/1/-", "a/10", "a/1=x", "a/2/y/z", "a/1~x", "a/1_x"];
    for (const key of [...all, "ab/1", "b"]) await store.create(key, bytes(key));
    assert.deepEqual(await keys(store, "a/"), all.toSorted());
  });

  check("a listing goes on after a key, whether or not that key exists", async ({ store }) => {
    for (const n of [1, 2, 3, 4]) await store.create(`log/00${n}.json`, bytes(""));
    assert.deepEqual(await keys(store, "log/", "log/002.json"), ["log/003.json", "log/004.json"]);
    assert.deepEqual(await keys(store, "log/", "log/0020"), ["log/003.json", "log/004.json"]);
    assert.deepEqual(await keys(store, "log/", "log/009.json"), []);
  });

  check("a listing of more than a page has each object once", async ({ store }) => {
    const all = Array.from({ length: 130 }, (_, number) => `many/${String(number).padStart(4, "0")}`);
    for (let at = 0; at < all.length; at += 10) {
      await Promise.all(all.slice(at, at + 10).map((key) => store.create(key, bytes(key))));
    }
    assert.deepEqual(await keys(store, "many/"), all);
    assert.deepEqual(await keys(store, "many/", "many/0009"), all.slice(10));
  });

  check(
    "folders are told once each, whatever they hold, and objects beside them are not",
    async ({ store }) => {
      const folders = Array.from(
        { length: 12 },
        (_, number) => `log/s/tenant=${String(number).padStart(2, "0")}/`,
      );
      await Promise.all(folders.map((folder) => store.create(`${folder}1/deep`, bytes(""))));
      for (const folder of folders.slice(0, 2)) await store.create(`${folder}2`, bytes(""));
      await store.create("log/s/tenant=0/1", bytes("")); // Sorts before `tenant=00/`, whose name it begins.
      await store.create("log/s/beside", bytes(""));
      await store.create("log/s2/tenant=1/1", bytes(""));
      assert.deepEqual(await folderKeys(store, "log/s/"), ["log/s/tenant=0/", ...folders]);
      assert.deepEqual(await folderKeys(store, "log/s/tenant=0/"), []);
      assert.deepEqual(await folderKeys(store, "log/"), ["log/s/", "log/s2/"]);
      assert.deepEqual(await folderKeys(store, "nothing/"), []);
    },
  );

  check("a tenant's prefix does not list a longer name", async ({ store }) => {
    await store.create("log/tenant=41/1", bytes(""));
    await store.create("log/tenant=414/1", bytes(""));
    assert.deepEqual(await keys(store, "log/tenant=41/"), ["log/tenant=41/1"]);
    assert.deepEqual(await keys(store, "log/tenant=4/"), []);
  });

  check("a deleted object is gone, and deleting nothing is fine", async ({ store }) => {
    await store.create("a/1", bytes("x"));
    await store.delete("a/1");
    await store.delete("a/1");
    await store.delete("nowhere/at/all");
    assert.equal(await store.read("a/1"), undefined);
    assert.deepEqual(await keys(store, "a/"), []);
    assert.equal(await store.create("a/1", bytes("again")), "created");
  });

  check("ages are by the store's clock", async ({ store }) => {
    const beforeMs = await store.nowMs();
    await store.create("a/1", bytes("x"));
    const createdAtMs = (await listed(store, "a/"))[0]?.createdAtMs ?? Number.NaN;
    // File systems round times, by up to two seconds.
    assert.ok(createdAtMs >= beforeMs - 2000 && createdAtMs <= (await store.nowMs()) + 2000);
  });
}

async function readText(store: ObjectStore, key: string): Promise<string | undefined> {
  const body = await store.read(key);
  return body === undefined ? undefined : new TextDecoder().decode(body);
}

async function readStreamText(store: ObjectStore, key: string): Promise<string> {
  const stream = await store.readStream(key);
  assert.ok(stream !== undefined);
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk.slice());
  return Buffer.concat(chunks).toString();
}

async function listed(store: ObjectStore, prefix: string, startAfter?: string): Promise<ObjectInfo[]> {
  const infos: ObjectInfo[] = [];
  for await (const info of store.list(prefix, startAfter === undefined ? {} : { startAfter }))
    infos.push(info);
  return infos;
}

async function keys(store: ObjectStore, prefix: string, startAfter?: string): Promise<string[]> {
  return (await listed(store, prefix, startAfter)).map((info) => info.key);
}

async function folderKeys(store: ObjectStore, prefix: string): Promise<string[]> {
  const folders: string[] = [];
  for await (const folder of store.listFolders(prefix)) folders.push(folder);
  return folders;
}
