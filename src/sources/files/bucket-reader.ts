/** Files under a prefix of an object store. */
import { LeatError } from "../../errors/leat-error.ts";
import type { ObjectInfo, ObjectStore } from "../../ports/object-store.ts";
import type { FetchedFile, FileLimits, FileReader, FoundFile, KnownFile } from "../../ports/source.ts";
import { chooseFile, type FileChoice } from "./file-choice.ts";
import { freshMs, isLockFile, type ReaderWorld, tellSkipped } from "./folder-reader.ts";

export class BucketReader implements FileReader {
  readonly limits: FileLimits;
  readonly #openStore: () => Promise<ObjectStore>;
  readonly #choice: FileChoice;
  readonly #world: ReaderWorld;
  readonly #objects = new Map<string, ObjectInfo>();
  #store: ObjectStore | undefined;
  #requestCount = 0;

  constructor(
    openStore: () => Promise<ObjectStore>,
    choice: FileChoice,
    limits: FileLimits,
    world: ReaderWorld,
  ) {
    this.#openStore = openStore;
    this.#choice = choice;
    this.limits = limits;
    this.#world = world;
  }

  get requestCount(): number {
    return this.#requestCount;
  }

  async close(): Promise<void> {}

  async *find(signal: AbortSignal): AsyncGenerator<FoundFile> {
    this.#store ??= await this.#openStore();
    const skipped: string[] = [];
    let objectCount = 0;
    this.#requestCount++;
    for await (const object of ofSource(this.#store.list(""), "SOURCE_UNREACHABLE")) {
      signal.throwIfAborted();
      const { key } = object;
      if (key.split("/").some((name) => name === "" || name.startsWith("."))) continue; // Hidden, or a "folder".
      objectCount++;
      const fields = chooseFile(this.#choice, { paths: [key], address: key });
      if (fields === undefined) continue;
      const name = key.slice(key.lastIndexOf("/") + 1);
      if (isLockFile(name)) {
        skipped.push(key);
        continue;
      }
      this.#objects.set(key, object);
      yield { id: key, name, fields };
    }
    if (skipped.length > 0) this.#world.warn(tellSkipped(skipped));
    if (this.#objects.size > 0) return;
    const { url } = this.#store;
    this.#world.warn(
      objectCount === 0
        ? `${url} has no objects`
        : `none of the ${objectCount} objects in ${url} fits ${this.#choice.shown}`,
    );
  }

  async fetch(file: FoundFile, known: KnownFile | undefined): Promise<FetchedFile> {
    const store = this.#store;
    const object = this.#objects.get(file.id);
    if (store === undefined || object === undefined) throw gone(file.id);
    const lastModified = `${object.createdAtMs} ms`;
    if (known?.lastModified === lastModified && known.bytes === object.bytes) return { status: "unchanged" };
    this.#requestCount++;
    const body = await store.readStream(object.key).catch((error: unknown) => {
      throw toSourceError(error, "SOURCE_FAILED");
    });
    if (body === undefined) throw gone(file.id);
    const isFresh = this.#world.clock.nowMs() - object.createdAtMs < freshMs;
    return {
      status: "fetched",
      body: ofSource(body, "SOURCE_FAILED"),
      discard: () => {},
      name: undefined,
      address: `${store.url}/${object.key}`,
      bytes: object.bytes,
      contentType: undefined,
      etag: undefined,
      lastModified: isFresh ? undefined : lastModified,
      modifiedMs: object.createdAtMs,
    };
  }
}

type SourceCode = "SOURCE_UNREACHABLE" | "SOURCE_FAILED";

/** A store that is read from fails as a source, not as the landing. */
function toSourceError(error: unknown, code: SourceCode): unknown {
  if (!(error instanceof LeatError)) return error;
  const { message, retryable, details, cause, hint } = error;
  // These say themselves what is to be granted or made.
  if (error.code === "STORE_DENIED")
    return new LeatError("SOURCE_AUTH_FAILED", { message, hint, details, cause });
  if (error.code === "STORE_MISSING") {
    return new LeatError("SOURCE_UNREACHABLE", { message, hint, retryable, details, cause });
  }
  if (error.code !== "STORE_UNREADABLE") return error;
  return new LeatError(code, {
    message,
    hint: "Check the permissions of the place named.",
    retryable,
    details,
    cause,
  });
}

async function* ofSource<T>(items: AsyncIterable<T>, code: SourceCode): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    throw toSourceError(error, code);
  }
}

const gone = (key: string): LeatError =>
  new LeatError("SOURCE_FAILED", {
    message: `The object ${key} was listed and is not there.`,
    hint: "Run again: it was deleted meanwhile.",
    retryable: true,
    details: { key },
  });
