/** **landing** where raw files and their log are kept. Port: immutable objects by key; adapters are under `stores/`. */

/** What a listing tells of an object. */
export type ObjectInfo = Readonly<{ key: string; bytes: number; createdAtMs: number }>;

/** An object being written. Nothing is visible before `commit`; `abort` leaves nothing behind. */
export interface ObjectWriter {
  /** Resolves when another chunk may come (back-pressure). The chunk may be reused by the caller afterwards. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the object exist, durably and at once, unless one of that key exists: then nothing changes. */
  commit(): Promise<"created" | "exists">;
  abort(): Promise<void>;
}

/**
 * Objects by key. Keys are `/`-separated paths of `[a-z0-9_~=.-]` names.
 *
 * Assumed of every adapter (PROTOCOL): create-if-absent is atomic; a created object is readable at once and is never
 * changed; listing by prefix is consistent and in key order. Errors are `STORE_UNREADABLE`,
 * `STORE_UNWRITABLE`, `STORE_FULL`, `STORE_DENIED`, `STORE_MISSING`.
 */
export interface ObjectStore {
  /** For messages; no credentials. */
  readonly url: string;
  /** Creates a small object if none of that key exists. */
  create(key: string, body: Uint8Array): Promise<"created" | "exists">;
  /** Begins a large object, created on `commit` if none of that key exists. */
  openWriter(key: string): Promise<ObjectWriter>;
  /** Replaces an object; last writer wins. Only for hints. */
  put(key: string, body: Uint8Array): Promise<void>;
  /** A whole small object, or `undefined` when there is none. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** An object's bytes in order, or `undefined` when there is none. */
  readStream(key: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Objects whose key begins with `prefix` (which ends in `/`), in key order, after `startAfter`. */
  list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectInfo>;
  /**
   * Folders directly below `prefix` (which ends in `/`) that hold objects at any depth: their keys, ending in `/`, in key
   * order. A request tells of a thousand of them, whatever they hold. One whose last object was deleted may still be told.
   */
  listFolders(prefix: string): AsyncIterable<string>;
  /** Deletes; a missing object is fine. Only for gc. */
  delete(key: string): Promise<void>;
  /** The store's clock, ms since the epoch, for ages. */
  nowMs(): Promise<number>;
  /**
   * CRC32C of an object as the store itself keeps it, 8 hex digits; `null`: it keeps none of this one; `undefined`: there
   * is no such object. Reads nothing of it. Not every store can tell.
   */
  checksum?(key: string): Promise<string | null | undefined>;
  /** A path that engines on this machine can read directly, where there is one. */
  localPath(key: string): string | undefined;
}
