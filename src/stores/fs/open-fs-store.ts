/**
 * An object store on a local disk. Create-if-absent is a temporary file, synced, and a hard link: the link either
 * makes the whole object or fails with EEXIST, whoever else tries at the same moment and whenever the machine stops.
 */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { LeatError } from "../../errors/leat-error.ts";
import type { ObjectInfo, ObjectStore, ObjectWriter } from "../../ports/object-store.ts";

/** Folder of files being written, on the same file system so that they can be linked; never listed. */
const pendingFolder = ".pending";

/** Files in it this old belong to nobody alive. */
const pendingMsMax = 7 * 24 * 3600 * 1000;

/** Bytes a read asks for at once. */
const readChunkBytes = 1024 * 1024;

/** Opens a folder as an object store; it is made with the first object. */
export function openFsStore(folder: string): ObjectStore {
  const root = resolve(folder);
  const pathOf = (key: string) => {
    const names = key.split("/");
    if (names.some((name) => name === "" || name === "." || name === ".." || name === pendingFolder)) {
      throw new LeatError("NAME_INVALID", { message: `"${key}" is not an object key.` });
    }
    return join(root, ...names);
  };
  return {
    url: `file:${root}`,
    async create(key, body) {
      const writer = await openWriter(root, pathOf(key), key);
      try {
        await writer.write(body);
        return await writer.commit();
      } catch (error) {
        await writer.abort();
        throw error;
      }
    },
    openWriter: (key) => openWriter(root, pathOf(key), key),
    async put(key, body) {
      const path = pathOf(key);
      await writing(key, async () => {
        const pending = await createPending(root);
        try {
          await pending.file.writeFile(body);
        } finally {
          await pending.file.close();
        }
        await mkdir(dirname(path), { recursive: true });
        await rename(pending.path, path);
      });
    },
    async read(key) {
      return reading(key, async () => readFile(pathOf(key)));
    },
    async readStream(key) {
      const path = pathOf(key);
      return reading(key, async () => {
        const info = await stat(path);
        return info.isFile() ? streamFile(path, key) : undefined;
      });
    },
    list: (prefix, options) => list(root, prefix, options?.startAfter ?? ""),
    listFolders: (prefix) => listFolders(root, prefix),
    async delete(key) {
      await writing(key, async () => rm(pathOf(key), { force: true }));
    },
    nowMs: async () => Date.now(),
    localPath: (key) => pathOf(key),
  };
}

async function* streamFile(path: string, key: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: readChunkBytes })) {
      yield chunk as Uint8Array; // Without an encoding a read stream yields Buffers.
    }
  } catch (cause) {
    throw readError(key, cause);
  }
}

async function createPending(root: string): Promise<{ path: string; file: FileHandle }> {
  const folder = join(root, pendingFolder);
  await mkdir(folder, { recursive: true });
  const path = join(folder, randomBytes(12).toString("hex"));
  return { path, file: await open(path, "wx") };
}

async function openWriter(root: string, path: string, key: string): Promise<ObjectWriter> {
  const pending = await writing(key, () => createPending(root));
  let isOpen = true;
  const close = async () => {
    if (isOpen) await pending.file.close();
    isOpen = false;
  };
  return {
    write: (chunk) => writing(key, () => writeWhole(pending.file, chunk)),
    commit: () =>
      writing(key, async () => {
        await pending.file.sync();
        await close();
        const folder = dirname(path);
        const firstMade = await mkdir(folder, { recursive: true });
        const outcome = await linkNew(pending.path, path);
        await syncFolders(folder, firstMade === undefined ? folder : dirname(firstMade));
        await rm(pending.path, { force: true });
        return outcome;
      }),
    abort: async () => {
      await close().catch(() => {});
      await rm(pending.path, { force: true }).catch(() => {});
    },
  };
}

/** Not `writeFile`, which writes half a megabyte at a time and comes back to the event loop between. */
async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, at);
    at += bytesWritten;
  }
}

async function linkNew(from: string, to: string): Promise<"created" | "exists"> {
  try {
    await link(from, to);
    return "created";
  } catch (error) {
    if (codeOf(error) === "EEXIST") return "exists";
    throw error;
  }
}

/** A new name is durable when its folder is synced, a new folder when its parent is. */
async function syncFolders(folder: string, last: string): Promise<void> {
  for (let at = folder; at.length >= last.length; at = dirname(at)) {
    const handle = await open(at, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (at === dirname(at)) break;
  }
}

async function* list(root: string, prefix: string, startAfter: string): AsyncGenerator<ObjectInfo> {
  const at = prefix.lastIndexOf("/") + 1;
  yield* listFolder(root, prefix.slice(0, at), prefix, startAfter);
}

async function* listFolders(root: string, prefix: string): AsyncGenerator<string> {
  const entries = await reading(prefix, async () => readdir(join(root, prefix), { withFileTypes: true }));
  const folders = (entries ?? []).filter((entry) => entry.isDirectory() && entry.name !== pendingFolder);
  yield* folders.map(({ name }) => `${prefix}${name}/`).sort();
}

/** Depth first in the order of keys: a folder sorts as its name with the `/` behind it. */
async function* listFolder(
  root: string,
  folder: string,
  prefix: string,
  startAfter: string,
): AsyncGenerator<ObjectInfo> {
  const entries = await reading(folder, async () => readdir(join(root, folder), { withFileTypes: true }));
  const names = (entries ?? [])
    .filter((entry) => entry.name !== pendingFolder)
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  for (const name of names) {
    const key = folder + name;
    if (name.endsWith("/")) {
      const isAfter = key > startAfter || startAfter.startsWith(key);
      if (isAfter && (key.startsWith(prefix) || prefix.startsWith(key))) {
        yield* listFolder(root, key, prefix, startAfter);
      }
    } else if (key > startAfter && key.startsWith(prefix)) {
      const info = await reading(key, async () => stat(join(root, key)));
      if (info !== undefined) yield { key, bytes: info.size, createdAtMs: info.mtimeMs };
    }
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error ? String(error.code) : undefined;

async function reading<T>(key: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (cause) {
    const code = codeOf(cause);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw readError(key, cause);
  }
}

const readError = (key: string, cause: unknown) =>
  cause instanceof LeatError
    ? cause
    : new LeatError("STORE_UNREADABLE", {
        message: `The landing object ${key} cannot be read: ${codeOf(cause) ?? String(cause)}.`,
        details: { key },
        cause,
      });

/** What the system says when there is no room, and what that means. */
const fullCodes: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "The disk is full"],
  ["EDQUOT", "The disk's quota is used up"],
  ["EFBIG", "The limit of file sizes (`ulimit -f`) is reached"],
]);

async function writing<T>(key: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof LeatError) throw cause;
    const code = codeOf(cause);
    const full = code === undefined ? undefined : fullCodes.get(code);
    throw new LeatError(full === undefined ? "STORE_UNWRITABLE" : "STORE_FULL", {
      message:
        full === undefined
          ? `The landing object ${key} cannot be written: ${code ?? String(cause)}.`
          : `${full}: the landing object ${key} was not written.`,
      // A permission does not come back by trying again; what a disk or network did may.
      retryable: !["EACCES", "EPERM", "EROFS"].includes(code ?? ""),
      details: { key },
      cause,
    });
  }
}

/** Removes files that a killed process was writing long ago. Called by gc. */
export async function sweepPending(folder: string): Promise<number> {
  const pending = join(resolve(folder), pendingFolder);
  let swept = 0;
  for (const name of (await reading(pending, () => readdir(pending))) ?? []) {
    const path = join(pending, name);
    const info = await reading(path, () => stat(path));
    if (info === undefined || Date.now() - info.mtimeMs < pendingMsMax) continue;
    await rm(path, { force: true });
    swept++;
  }
  return swept;
}
