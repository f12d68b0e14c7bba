/** What both fakes keep: buckets of objects in memory, and what a test may do to them behind everybody's back. */
import { createHash } from "node:crypto";
import { crc32c } from "@node-rs/crc32";

/** An object and all that is told of it. Its bytes never change. */
export type FakeObject = Readonly<{
  key: string;
  body: Buffer;
  generation: number;
  createdAtMs: number;
  contentType: string;
  contentEncoding: string | undefined;
  metadata: Readonly<Record<string, string>>;
  md5: Buffer;
  /** Entity tag of S3; of an upload in parts it is no hash of the bytes. */
  etag: string;
  crc32c: string;
}>;

export type NewObject = Readonly<{
  key: string;
  body: Buffer;
  contentType?: string | undefined;
  contentEncoding?: string | undefined;
  metadata?: Readonly<Record<string, string>> | undefined;
  etag?: string | undefined;
}>;

export type FakeBucket = {
  readonly name: string;
  readonly location: string;
  readonly objects: SortedObjects;
};

/**
 * Objects by key, and their keys in the order of their bytes in UTF-8, as both vendors list.
 *
 * The order is kept and not made for each listing: a day of hourly syncs lists a hundred thousand objects half a
 * million times.
 */
export class SortedObjects {
  readonly #objects = new Map<string, FakeObject>();
  readonly #keys: string[] = [];

  get(key: string): FakeObject | undefined {
    return this.#objects.get(key);
  }

  set(key: string, object: FakeObject): void {
    if (!this.#objects.has(key)) this.#keys.splice(this.#placeOf(key), 0, key);
    this.#objects.set(key, object);
  }

  delete(key: string): boolean {
    if (this.#objects.delete(key)) return this.#keys.splice(this.#placeOf(key), 1).length > 0;
    return false;
  }

  /** Keys from the first that begins with the prefix and is not before `from`, in order. */
  *keysOf(prefix: string, from: string = ""): Generator<string> {
    for (
      let at = this.#placeOf(compareKeys(prefix, from) < 0 ? from : prefix);
      at < this.#keys.length;
      at += 1
    ) {
      const key = this.#keys[at]!;
      if (!key.startsWith(prefix)) return;
      yield key;
    }
  }

  /** Place of the first key that is not before this one. */
  #placeOf(key: string): number {
    let [low, high] = [0, this.#keys.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareKeys(this.#keys[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Only beyond U+FFFF does the order of JavaScript's strings differ from that of their bytes. */
export function compareKeys(a: string, b: string): number {
  if (surrogates.test(a) || surrogates.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

const surrogates = /[\ud800-\udfff]/;

/** Buckets of one server. */
export class FakeBuckets {
  readonly #buckets = new Map<string, FakeBucket>();
  #generation = 1_700_000_000_000_000;

  /** Others that hold the same now. */
  copy(): FakeBuckets {
    const copied = new FakeBuckets();
    copied.#generation = this.#generation;
    for (const { name, location, objects } of this.#buckets.values()) {
      const into = copied.make(name, location);
      for (const key of objects.keysOf("")) into.objects.set(key, objects.get(key)!);
    }
    return copied;
  }

  /** Makes a bucket; of one that exists nothing changes. */
  make(name: string, location: string = "EU"): FakeBucket {
    const found = this.#buckets.get(name) ?? { name, location, objects: new SortedObjects() };
    this.#buckets.set(name, found);
    return found;
  }

  get(name: string): FakeBucket | undefined {
    return this.#buckets.get(name);
  }

  /** Stores an object under its key, whatever was there. */
  store(bucket: FakeBucket, given: NewObject): FakeObject {
    const md5 = createHash("md5").update(given.body).digest();
    const object: FakeObject = {
      key: given.key,
      body: given.body,
      generation: ++this.#generation,
      createdAtMs: Date.now(),
      contentType: given.contentType ?? "application/octet-stream",
      contentEncoding: given.contentEncoding,
      metadata: given.metadata ?? {},
      md5,
      etag: given.etag ?? `"${md5.toString("hex")}"`,
      crc32c: printCrc32c(given.body),
    };
    bucket.objects.set(given.key, object);
    return object;
  }

  /** For tests: puts an object there as if it had always been. */
  seed(bucket: string, key: string, body: string | Uint8Array, rest: Partial<NewObject> = {}): void {
    this.store(this.make(bucket), { ...rest, key, body: Buffer.from(body) });
  }

  /** For tests: an object's bytes. */
  read(bucket: string, key: string): Buffer | undefined {
    return this.#buckets.get(bucket)?.objects.get(key)?.body;
  }

  /** For tests: keys in order. */
  keys(bucket: string, prefix: string = ""): readonly string[] {
    return [...this.make(bucket).objects.keysOf(prefix)];
  }

  /** For tests: takes an object away behind everybody's back. */
  remove(bucket: string, key: string): boolean {
    return this.make(bucket).objects.delete(key);
  }
}

export function printCrc32c(body: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32c(body));
  return bytes.toString("base64");
}

/** `bytes=a-b`, `bytes=a-`, `bytes=-n` over so many bytes; `undefined`: no such header; `"unsatisfiable"`. */
export function parseRange(
  header: string | undefined,
  bytes: number,
): Readonly<{ from: number; to: number }> | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (match === null) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  const from = first === "" ? Math.max(0, bytes - Number(last)) : Number(first);
  const to = first === "" || last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return from > to ? "unsatisfiable" : { from, to };
}
