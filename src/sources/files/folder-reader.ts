/** Files in a folder of this machine. */
import { createReadStream, type Dirent } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { LeatError } from "../../errors/leat-error.ts";
import type { FetchedFile, FileLimits, FileReader, FoundFile, KnownFile } from "../../ports/source.ts";
import type { Clock } from "../../ports/world.ts";
import { chooseFile, type FileChoice } from "./file-choice.ts";

/** Folders within folders; a link that leads round ends before. */
const depthMax = 64;

/** A file changed this shortly before it was read may change once more at the same instant: clocks of disks are coarse. */
export const freshMs = 2_000;

/** What readers of folders and buckets need of the world. */
export type ReaderWorld = Readonly<{ clock: Clock; warn: (message: string) => void }>;

/** Bytes a read asks for at once. */
const chunkBytes = 256 * 1024;

/** Skipped files told by name. */
const skippedToldMax = 5;

export class FolderReader implements FileReader {
  readonly limits: FileLimits;
  readonly requestCount = 0;
  readonly #folder: string;
  readonly #choice: FileChoice;
  readonly #world: ReaderWorld;

  constructor(folder: string, choice: FileChoice, limits: FileLimits, world: ReaderWorld) {
    this.#folder = folder;
    this.#choice = choice;
    this.limits = limits;
    this.#world = world;
  }

  async close(): Promise<void> {}

  async *find(signal: AbortSignal): AsyncGenerator<FoundFile> {
    const skipped: string[] = [];
    let [fileCount, foundCount] = [0, 0];
    for await (const path of this.#walk("", signal)) {
      fileCount++;
      const fields = chooseFile(this.#choice, { paths: [path], address: path });
      if (fields === undefined) continue;
      const name = basename(path);
      if (isLockFile(name)) {
        skipped.push(path);
        continue;
      }
      foundCount++;
      yield { id: path, name, fields };
    }
    if (skipped.length > 0) this.#world.warn(tellSkipped(skipped));
    if (foundCount > 0) return;
    this.#world.warn(
      fileCount === 0
        ? `the folder ${this.#folder} has no files`
        : `none of the ${fileCount} files in ${this.#folder} fits ${this.#choice.shown}`,
    );
  }

  /** Paths of files below a folder, in the order of their names. Links are followed, each folder is entered once. */
  async *#walk(
    folder: string,
    signal: AbortSignal,
    entered = new Set<string>(),
    depth = 0,
  ): AsyncGenerator<string> {
    signal.throwIfAborted();
    const path = join(this.#folder, folder);
    const real = await this.#look(path, () => realpath(path));
    if (real === undefined || entered.has(real) || depth > depthMax) return;
    entered.add(real);
    const entries = (await this.#look(path, () => readdir(path, { withFileTypes: true }))) ?? [];
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".") || !entry.name.isWellFormed()) continue;
      const inner = folder === "" ? entry.name : `${folder}/${entry.name}`;
      const kind = await this.#kindOf(entry, join(this.#folder, inner));
      if (kind === "file") yield inner;
      else if (kind === "folder") yield* this.#walk(inner, signal, entered, depth + 1);
    }
  }

  async #kindOf(entry: Dirent, path: string): Promise<"file" | "folder" | undefined> {
    const info = entry.isSymbolicLink() ? await this.#look(path, () => stat(path)) : entry;
    if (info?.isFile()) return "file";
    return info?.isDirectory() ? "folder" : undefined;
  }

  /** `undefined`: it is gone meanwhile, or a link leads nowhere. A folder that was declared must be there. */
  async #look<T>(path: string, look: () => Promise<T>): Promise<T | undefined> {
    try {
      return await look();
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
      const isGone = code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
      const isRoot = path === join(this.#folder, "");
      if (isGone && !isRoot) return undefined;
      throw new LeatError("SOURCE_UNREACHABLE", {
        message: isGone ? `The folder ${this.#folder} does not exist.` : `${path} cannot be read: ${code}.`,
        hint: isGone
          ? "Compare `folder` of the stream with the disk; a relative path begins at the project's folder."
          : "Check the permissions of the place named.",
        retryable: false,
        details: { path },
        cause,
      });
    }
  }

  async fetch(found: FoundFile, known: KnownFile | undefined): Promise<FetchedFile> {
    const path = join(this.#folder, found.id);
    try {
      const before = await versionOf(path);
      if (known?.lastModified === before.mtime && known.bytes === before.bytes)
        return { status: "unchanged" };
      const isFresh = this.#world.clock.nowMs() - before.modifiedMs < freshMs;
      return {
        status: "fetched",
        body: readUnchanged(path, before),
        discard: () => {},
        name: undefined,
        address: pathToFileURL(path).href,
        bytes: before.bytes,
        contentType: undefined,
        etag: undefined,
        lastModified: isFresh ? undefined : before.mtime,
        modifiedMs: before.modifiedMs,
      };
    } catch (cause) {
      throw unreadable(path, cause);
    }
  }
}

/** `~$2018.xls`: what office programs put beside an open document. */
export const isLockFile = (name: string): boolean => name.startsWith("~$");

/** Which lock files were left out, for people. */
export function tellSkipped(paths: readonly string[]): string {
  const told = paths.slice(0, skippedToldMax).join(", ");
  const more = paths.length > skippedToldMax ? `, and ${paths.length - skippedToldMax} more` : "";
  return `left out, as lock files of open documents: ${told}${more}`;
}

type Version = Readonly<{ bytes: number; mtime: string; modifiedMs: number }>;

/** Size and time of change to the nanosecond: milliseconds would let two changes in one look like none. */
async function versionOf(path: string): Promise<Version> {
  const info = await stat(path, { bigint: true });
  if (!info.isFile()) throw new Error("it is no file any more");
  return {
    bytes: Number(info.size),
    mtime: `${info.mtimeNs} ns`,
    modifiedMs: Number(info.mtimeNs / 1_000_000n),
  };
}

/** Bytes of a file that nobody writes meanwhile. */
async function* readUnchanged(path: string, before: Version): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(path, "r");
    const highWaterMark = Math.min(chunkBytes, before.bytes + 1); // A buffer of this size is made for each file.
    for await (const chunk of createReadStream(path, { fd: file, autoClose: false, highWaterMark })) {
      yield chunk as Uint8Array; // Without an encoding a read stream yields Buffers.
    }
    const after = await versionOf(path);
    if (after.mtime === before.mtime && after.bytes === before.bytes) return;
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw new LeatError("SOURCE_TRUNCATED", {
    message: `${path} was changed while it was read.`,
    hint: "Move files into the folder when they are complete.",
    details: { path },
  });
}

function unreadable(path: string, cause: unknown): LeatError {
  const said =
    cause instanceof Error ? ("code" in cause ? String(cause.code) : cause.message) : String(cause);
  return new LeatError("SOURCE_FAILED", {
    message: `${path} cannot be read: ${said}.`,
    hint: "Check that it is there and may be read.",
    retryable: false,
    details: { path },
    cause,
  });
}
