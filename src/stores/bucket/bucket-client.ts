/**
 * What a bucket of some vendor can do, one request at a time: `openBucketStore` makes an object store of it.
 *
 * A client tries once and throws a `BucketFailure`. Trying again, telling an own lost success from a stranger's object
 * and checking checksums are done in one place for all vendors, since there they are hard to get right.
 */

/** What a change depends on: that there is no object, or that it is still the one of this version. */
export type Condition = Readonly<{ kind: "absent" }> | Readonly<{ kind: "version"; version: string }>;

/** An object as the bucket tells of it. */
export type StoredObject = Readonly<{
  /** Names these very bytes: a generation or an entity tag. */
  version: string;
  /** What the write that made it was marked with; `undefined`: not made by leat. */
  mark: string | undefined;
  /** CRC32C of the whole object, where the bucket knows it. */
  crc32c: number | undefined;
}>;

/** What a write sends along. */
export type WriteOptions = Readonly<{
  condition: Condition;
  /** Kept with the object, so that a writer whose answer was lost knows its own object again. */
  mark: string;
  crc32c: number;
}>;

/** An object whose bytes are coming. */
export type OpenedObject = Readonly<{
  version: string;
  /** Bytes of the whole object, whatever the offset is. */
  bytes: number;
  crc32c: number | undefined;
  body: AsyncIterable<Uint8Array>;
  /** Lets go of the connection; safe to call at any time. */
  cancel: () => void;
}>;

/** One entry of a listing. */
export type ListedObject = Readonly<{ key: string; version: string; bytes: number; createdAtMs: number }>;

/** Which objects are asked for: those after a key, or with a token the rest of the same question. */
export type ListRange = Readonly<{
  prefix: string;
  startAfter: string;
  countMax: number;
  token: string | undefined;
}>;

/** @property token - there are more; a page may be empty and yet not the last. */
export type ListedPage = Readonly<{ objects: readonly ListedObject[]; token: string | undefined }>;

/** As {@link ListedPage}, of folders: keys that end in `/`. */
export type FolderPage = Readonly<{ folders: readonly string[]; token: string | undefined }>;

/** A large object on its way in pieces of `pieceBytes`. A call that failed is repeated with the same piece. */
export interface BucketUpload {
  send(piece: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Sends the last piece (of at least a byte) and makes the object exist if none of that key does. */
  finish(piece: Uint8Array, crc32c: number, signal: AbortSignal): Promise<StoredObject>;
  /** Has the bucket forget what was sent. */
  abort(signal: AbortSignal): Promise<void>;
}

/** A bucket and prefix. Keys are whole names of objects. */
export interface BucketClient {
  /** For messages: no credentials, no options. */
  readonly url: string;
  /** Size of every piece of an upload but the last; smaller objects are written by one request. */
  readonly pieceBytes: number;
  /** Whether the other end may be software that takes conditions and does not keep them. */
  readonly mustProveConditions: boolean;
  /** Who must be allowed what, for hints. */
  readonly hints: Readonly<{ credentials: string; reading: string; writing: string; bucket: string }>;
  write(key: string, body: Uint8Array, options: WriteOptions, signal: AbortSignal): Promise<StoredObject>;
  beginUpload(key: string, mark: string, signal: AbortSignal): Promise<BucketUpload>;
  stat(key: string, signal: AbortSignal): Promise<StoredObject | undefined>;
  open(
    key: string,
    from: Readonly<{ offset: number; version: string | undefined }>,
    signal: AbortSignal,
  ): Promise<OpenedObject | undefined>;
  /** At most `range.countMax` objects in key order. */
  listPage(range: ListRange, signal: AbortSignal): Promise<ListedPage>;
  /** At most `range.countMax` folders directly below the prefix, in key order; objects there are passed over. */
  listFolderPage(range: ListRange, signal: AbortSignal): Promise<FolderPage>;
  /** Deletes this very version; that there is no object is fine. */
  delete(key: string, version: string, signal: AbortSignal): Promise<void>;
  /** The bucket's clock, ms since the epoch. */
  nowMs(signal: AbortSignal): Promise<number>;
}
