/** An object store in a bucket of any vendor: the port over one-request clients. */
import { LeatError } from "../../errors/leat-error.ts";
import type { ObjectInfo, ObjectStore } from "../../ports/object-store.ts";
import { type AttemptWorld, tryRepeatedly } from "./attempts.ts";
import type { BucketClient, Condition, ListRange } from "./bucket-client.ts";
import { BucketFailure } from "./bucket-failure.ts";
import { addCrc32c } from "./crc32c.ts";
import { createObject, newMark } from "./create-object.ts";
import { openBucketWriter } from "./object-writer.ts";
import { openProof } from "./prove-conditions.ts";
import { openObject, readOpened, readWhole } from "./read-object.ts";
import { telling, toStoreError } from "./store-error.ts";

/** Of the first page of a listing: many want but the first entry. */
const firstPageCount = 100;
/** Of every other page: the most that buckets give. */
const pageCount = 1000;
/** Versions remembered, of a hundred bytes each: a page of a listing that gc deletes from. */
const versionsMax = 1000;

/**
 * Opens a prefix of a bucket as an object store.
 *
 * @param prefix - empty, or a path that ends in `/`.
 */
export function openBucketStore(client: BucketClient, world: AttemptWorld, prefix: string): ObjectStore {
  const nameOf = (key: string): string => {
    if (key.split("/").some((name) => name === "" || name === "." || name === "..")) {
      throw new LeatError("NAME_INVALID", { message: `"${key}" is not an object key.` });
    }
    return prefix + key;
  };
  const versions = new Map<string, Condition>();
  const remember = (name: string, version: string | undefined): void => {
    versions.delete(name);
    versions.set(name, version === undefined ? { kind: "absent" } : { kind: "version", version });
    const oldest = versions.keys().next().value;
    if (versions.size > versionsMax && oldest !== undefined) versions.delete(oldest);
  };
  const proven = openProof(client, world, prefix);
  const askVersion = async (name: string): Promise<Condition> => {
    const found = await tryRepeatedly(world, (signal) => client.stat(name, signal));
    return found === undefined ? { kind: "absent" } : { kind: "version", version: found.version };
  };

  return {
    url: client.url,
    create: async (key, body) => {
      const name = nameOf(key);
      return telling(client, { verb: "written", key }, async () => {
        await proven();
        return (await createObject(client, world, name, body)).outcome;
      });
    },
    openWriter: async (key) => {
      const name = nameOf(key);
      await telling(client, { verb: "written", key }, proven);
      return openBucketWriter(client, world, name, key);
    },
    put: async (key, body) => {
      const name = nameOf(key);
      await telling(client, { verb: "written", key }, async () => {
        await proven();
        const version = await replaceObject(client, world, name, body, {
          known: versions.get(name),
          ask: () => askVersion(name),
        });
        if (version === undefined) versions.delete(name);
        else remember(name, version);
      });
    },
    read: async (key) => {
      const name = nameOf(key);
      const found = await telling(client, { verb: "read", key }, () => readWhole(client, world, name));
      remember(name, found?.version);
      return found?.body;
    },
    readStream: async (key) => {
      const name = nameOf(key);
      const opened = await telling(client, { verb: "read", key }, () => openObject(client, world, name));
      if (opened === undefined) return undefined;
      const bytes = readOpened(client, world, name, opened);
      return tellingStream(bytes, (error) => toStoreError(client, { verb: "read", key }, error));
    },
    list: (within, options) =>
      listObjects(
        client,
        world,
        { prefix: prefix + within, startAfter: options?.startAfter, root: prefix },
        remember,
      ),
    listFolders: (within) => listFolders(client, world, { prefix: prefix + within, root: prefix }),
    delete: async (key) => {
      const name = nameOf(key);
      await telling(client, { verb: "deleted", key }, async () => {
        const known = versions.get(name);
        versions.delete(name);
        // That there was none once says nothing of now.
        const condition = known?.kind === "version" ? known : await askVersion(name);
        await deleteObject(client, world, name, condition, () => askVersion(name));
      });
    },
    nowMs: () =>
      telling(client, { verb: "read", key: "" }, () =>
        tryRepeatedly(world, (signal) => client.nowMs(signal)),
      ),
    checksum: async (key) => {
      const name = nameOf(key);
      const found = await telling(client, { verb: "read", key }, () =>
        tryRepeatedly(world, (signal) => client.stat(name, signal)),
      );
      return found === undefined ? undefined : printChecksum(found.crc32c);
    },
    localPath: () => undefined,
  };
}

const printChecksum = (crc32c: number | undefined): string | null =>
  crc32c === undefined ? null : (crc32c >>> 0).toString(16).padStart(8, "0");

/**
 * Replaces an object, the last writer winning, without a late copy of the request ever undoing a newer one: each try
 * replaces one version only.
 *
 * @returns the new version; `undefined` when another's came after ours.
 */
async function replaceObject(
  client: BucketClient,
  world: AttemptWorld,
  name: string,
  body: Uint8Array,
  before: Readonly<{ known: Condition | undefined; ask: () => Promise<Condition> }>,
): Promise<string | undefined> {
  const mark = newMark();
  const crc32c = addCrc32c(body, 0);
  const replace = async (condition: Condition): Promise<string | undefined> => {
    try {
      const options = { condition, mark, crc32c };
      return (await tryRepeatedly(world, (signal) => client.write(name, body, options, signal))).version;
    } catch (error) {
      // What was to be replaced is another object now, or none.
      const isOther =
        error instanceof BucketFailure && (error.kind === "changed" || error.kind === "missing");
      if (!isOther) throw error;
      const found = await tryRepeatedly(world, (signal) => client.stat(name, signal));
      return found?.mark === mark ? found.version : undefined;
    }
  };
  const first = before.known === undefined ? undefined : await replace(before.known);
  // What was remembered may be old. What is asked now is not: who changes it after that was later than we.
  return first ?? replace(await before.ask());
}

/** Deletes one version, so that a late copy of the request leaves alone what is created afterwards. */
async function deleteObject(
  client: BucketClient,
  world: AttemptWorld,
  name: string,
  known: Condition,
  ask: () => Promise<Condition>,
): Promise<void> {
  for (let condition = known, tries = 1; condition.kind === "version"; tries++) {
    const { version } = condition;
    try {
      await tryRepeatedly(world, (signal) => client.delete(name, version, signal));
      return;
    } catch (error) {
      const isReplaced = error instanceof BucketFailure && error.kind === "changed";
      if (!isReplaced || tries >= deletesMax) throw error;
      condition = await ask();
    }
  }
}

/** Nothing that is collected is ever replaced; a third version within moments is somebody else's affair. */
const deletesMax = 3;

async function* listObjects(
  client: BucketClient,
  world: AttemptWorld,
  range: Readonly<{ prefix: string; root: string; startAfter: string | undefined }>,
  remember: (name: string, version: string) => void,
): AsyncGenerator<ObjectInfo> {
  const { root, prefix } = range;
  const { startAfter = "" } = range;
  let from: ListRange | undefined = {
    prefix,
    startAfter: startAfter === "" ? "" : root + startAfter,
    countMax: firstPageCount,
    token: undefined,
  };
  while (from !== undefined) {
    const asked: ListRange = from;
    const action = { verb: "listed", key: prefix.slice(root.length) } as const;
    const { objects, token } = await telling(client, action, () =>
      tryRepeatedly(world, (signal) => client.listPage(asked, signal)),
    );
    for (const { key, version, bytes, createdAtMs } of objects) {
      remember(key, version);
      yield { key: key.slice(root.length), bytes, createdAtMs };
    }
    const last = objects.at(-1)?.key;
    if (token === undefined) from = undefined;
    // A question of its own from the last key on needs no token that may have expired while the page was worked on.
    else if (last === undefined) from = { ...asked, token };
    else from = { prefix, startAfter: last, countMax: pageCount, token: undefined };
  }
}

async function* listFolders(
  client: BucketClient,
  world: AttemptWorld,
  { prefix, root }: Readonly<{ prefix: string; root: string }>,
): AsyncGenerator<string> {
  let from: ListRange | undefined = { prefix, startAfter: "", countMax: pageCount, token: undefined };
  while (from !== undefined) {
    const asked: ListRange = from;
    const action = { verb: "listed", key: prefix.slice(root.length) } as const;
    const { folders, token } = await telling(client, action, () =>
      tryRepeatedly(world, (signal) => client.listFolderPage(asked, signal)),
    );
    yield* folders.map((folder) => folder.slice(root.length));
    const last = folders.at(-1);
    if (token === undefined) from = undefined;
    else if (last === undefined) from = { ...asked, token };
    // Behind every key of the last folder, as no name holds this character.
    else from = { ...asked, startAfter: `${last}\u007f`, token: undefined };
  }
}

async function* tellingStream(
  bytes: AsyncGenerator<Uint8Array>,
  toError: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw toError(error);
  }
}
