/** Every object store keeps the same contract. */
import { describe, test } from "vitest";
import { createMemoryStore, type MemoryObjects } from "../../src/testing/memory-store.ts";
import { objectStoreContract } from "../../src/testing/object-store-contract.ts";

describe("memory store", () => {
  objectStoreContract(test, async () => {
    const objects: MemoryObjects = new Map();
    const open = () => createMemoryStore({ objects, chunkBytes: 1000, nowMs: Date.now });
    return { store: open(), reopen: async () => open(), dispose: async () => {} };
  });
});
