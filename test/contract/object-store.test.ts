/** Every object store keeps the same contract; a local disk also keeps it among processes that die. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { createMemoryStore, type MemoryObjects } from "../../src/testing/memory-store.ts";
import { objectStoreContract } from "../../src/testing/object-store-contract.ts";

const childFile = join(import.meta.dirname, "fs-store-child.ts");

const startChild = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [childFile, ...args], { stdio: ["ignore", "pipe", "inherit"] });

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "leat-store-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe("memory store", () => {
  objectStoreContract(test, async () => {
    const objects: MemoryObjects = new Map();
    const open = () => createMemoryStore({ objects, chunkBytes: 1000, nowMs: Date.now });
    return { store: open(), reopen: async () => open(), dispose: async () => {} };
  });
});

describe("local disk", () => {
  objectStoreContract(test, async () => {
    const folder = await mkdtemp(join(tmpdir(), "leat-store-"));
    return {
      store: openFsStore(folder),
      reopen: async () => openFsStore(folder),
      dispose: () => rm(folder, { recursive: true, force: true }),
    };
  });

  test("three processes that create the same 100 keys at once share them, each key once", async () => {
    await withFolder(async (folder) => {
      const names = ["one", "two", "three"];
      const answers = await Promise.all(
        names.map(async (name) => {
          const child = startChild("race", folder, name);
          return JSON.parse(await text(child.stdout!)) as number[]; // The child prints rounds.
        }),
      );
      expect(answers.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, round) => round));
      const store = openFsStore(folder);
      for (const [index, won] of answers.entries()) {
        for (const round of won) {
          expect(Buffer.from((await store.read(`log/race/${round}.json`))!).toString()).toBe(names[index]);
        }
      }
    });
  });

  test("SIGKILL while an object is written leaves nothing that anybody sees, and its key free", async () => {
    await withFolder(async (folder) => {
      const child = startChild("write", folder);
      await once(child.stdout!, "data");
      child.kill("SIGKILL");
      await once(child, "close");
      const store = openFsStore(folder);
      for await (const info of store.list("landing/")) expect.fail(`${info.key} is visible`);
      expect(await store.read("landing/part-1.ndjson")).toBeUndefined();
      expect(await store.create("landing/part-1.ndjson", Buffer.from("whole"))).toBe("created");
    });
  });

  test("a folder that may not be written is STORE_UNWRITABLE, and trying again is not offered", async () => {
    await withFolder(async (folder) => {
      await chmod(folder, 0o555);
      const child = startChild("refuse", folder);
      const failures: unknown = JSON.parse(await text(child.stdout!));
      await chmod(folder, 0o755);
      expect(failures).toEqual([
        ["STORE_UNWRITABLE", false],
        ["STORE_UNWRITABLE", false],
        ["STORE_UNWRITABLE", false],
      ]);
    });
  });
});
