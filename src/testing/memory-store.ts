/** An object store in memory, with a place to put faults in. */
import type { ObjectInfo, ObjectStore, ObjectWriter } from "../ports/object-store.ts";

/** What an operation is about to do; for traces and for choosing faults. */
export type StoreOperation = Readonly<{
  kind:
    | "create"
    | "openWriter"
    | "write"
    | "commit"
    | "abort"
    | "put"
    | "read"
    | "readStream"
    | "list"
    | "delete"
    | "nowMs";
  key: string;
}>;

/**
 * Stands between a caller and an operation's effect. It may wait, fail without calling `effect`, call it and fail all
 * the same (the answer is lost), or call it and return what it returns.
 */
export type Interpose = <T>(operation: StoreOperation, effect: () => T) => Promise<T>;

/** The objects themselves; several stores over one of these are several processes at one bucket. */
export type MemoryObjects = Map<string, Readonly<{ body: Uint8Array; createdAtMs: number }>>;

/** How a memory store is made; everything may be left out. */
export type MemoryStoreOptions = Readonly<{
  objects?: MemoryObjects;
  interpose?: Interpose;
  /** The store's clock. Default: stands still at 0. */
  nowMs?: () => number;
  /** Bytes that a reader gets at a time; default 64 KiB. Small ones find code that counts on whole lines. */
  chunkBytes?: number;
}>;

/** `memory:<key>`: the virtual path of an object, which `createMemoryWarehouse` can read and engines cannot. */
export const memoryPathPrefix = "memory:";

/** Opens a store over objects in memory; it keeps the same promises as every other store. */
export function createMemoryStore(options: MemoryStoreOptions = {}): ObjectStore {
  const objects: MemoryObjects = options.objects ?? new Map();
  const interpose: Interpose = options.interpose ?? (async (_operation, effect) => effect());
  const nowMs = options.nowMs ?? (() => 0);
  const chunkBytes = options.chunkBytes ?? 65_536;
  const createAbsent = (key: string, body: Uint8Array): "created" | "exists" => {
    if (objects.has(key)) return "exists";
    objects.set(key, { body, createdAtMs: nowMs() });
    return "created";
  };

  async function* list(prefix: string, range?: { startAfter?: string }): AsyncIterable<ObjectInfo> {
    const after = range?.startAfter;
    const infos = await interpose({ kind: "list", key: prefix }, () =>
      [...objects]
        .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
        .map(([key, object]) => ({ key, bytes: object.body.length, createdAtMs: object.createdAtMs }))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    );
    yield* infos;
  }

  async function* listFolders(prefix: string): AsyncIterable<string> {
    const folders = await interpose({ kind: "list", key: prefix }, () =>
      [...objects.keys()]
        .filter((key) => key.startsWith(prefix) && key.includes("/", prefix.length))
        .map((key) => key.slice(0, key.indexOf("/", prefix.length) + 1))
        .sort(),
    );
    yield* new Set(folders);
  }

  return {
    url: "memory:",
    create: (key, body) => {
      const copy = body.slice();
      return interpose({ kind: "create", key }, () => createAbsent(key, copy));
    },
    openWriter: (key) =>
      interpose({ kind: "openWriter", key }, () => openMemoryWriter(key, interpose, createAbsent)),
    put: (key, body) => {
      const copy = body.slice();
      return interpose({ kind: "put", key }, () => {
        objects.set(key, { body: copy, createdAtMs: nowMs() });
      });
    },
    read: (key) => interpose({ kind: "read", key }, () => objects.get(key)?.body.slice()),
    readStream: (key) =>
      interpose({ kind: "readStream", key }, () => {
        const object = objects.get(key);
        return object === undefined ? undefined : chunksOf(object.body, chunkBytes);
      }),
    list,
    listFolders,
    delete: (key) => interpose({ kind: "delete", key }, () => void objects.delete(key)),
    nowMs: () => interpose({ kind: "nowMs", key: "" }, nowMs),
    localPath: (key) => memoryPathPrefix + key,
  };
}

function openMemoryWriter(
  key: string,
  interpose: Interpose,
  createAbsent: (key: string, body: Uint8Array) => "created" | "exists",
): ObjectWriter {
  const chunks: Uint8Array[] = [];
  return {
    write: (chunk) => {
      const copy = Buffer.from(chunk); // The caller may use its chunk again; `slice` of a Buffer copies nothing.
      return interpose({ kind: "write", key }, () => void chunks.push(copy));
    },
    commit: () => interpose({ kind: "commit", key }, () => createAbsent(key, Buffer.concat(chunks))),
    abort: () => interpose({ kind: "abort", key }, () => void chunks.splice(0)),
  };
}

async function* chunksOf(body: Uint8Array, chunkBytes: number): AsyncIterable<Uint8Array> {
  for (let at = 0; at < body.length; at += chunkBytes) yield body.slice(at, at + chunkBytes);
}
