/**
 * A file as the log of a dataset: each state of it that was read is a version.
 *
 * | state of the file | what is served |
 * |---|---|
 * | as it was read | its version |
 * | another, seen for the first time | the old version: it may still be being written |
 * | the same other one at two looks | it is copied and read; if that fails, or it changes meanwhile, the old version stays |
 * | gone | the old version |
 */
import { type BigIntStats, promises } from "node:fs";
import { basename } from "node:path";
import { LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { PublishedDatasets, VersionEntry } from "../ports/dataset-query.ts";

/** What is done with a state of the file. */
export type FileTools = Readonly<{
  /** Copies the file as it is now; where the copy is. */
  copy: () => Promise<string>;
  /** Reads a copy, deletes it, and publishes it under a number. */
  publish: (seq: number, copy: string) => Promise<DatasetManifest>;
  /** Deletes what was published under a number. */
  forget: (seq: number) => Promise<void>;
}>;

/** Versions whose files are kept: the newest, and the one before it for those who page through it. */
const versionsKept = 2;
/** Versions that are listed. */
const versionsListed = 100;

export class WatchedFile implements PublishedDatasets {
  readonly #path: string;
  readonly #tools: FileTools;
  /** By number, oldest first. */
  readonly #entries = new Map<number, DatasetManifest>();
  #seq = 1;
  /** State of the file that belongs to the number, and another one that was seen once. */
  #taken: string;
  #seen: string | undefined;

  private constructor(path: string, tools: FileTools, state: string) {
    this.#path = path;
    this.#tools = tools;
    this.#taken = state;
  }

  /** Reads the file for the first time. @throws what reading throws, `FILE_UNREADABLE`. */
  static async open(path: string, tools: FileTools): Promise<WatchedFile> {
    const file = new WatchedFile(path, tools, (await stateOf(path)) ?? "");
    await file.readEntry("", 1);
    return file;
  }

  async newestSeq(): Promise<number> {
    const state = await stateOf(this.#path);
    if (state === undefined || state === this.#taken) this.#seen = undefined;
    else if (state !== this.#seen) this.#seen = state;
    else {
      this.#seen = undefined;
      this.#taken = state;
      this.#seq++;
    }
    return this.#seq;
  }

  async readEntry(_dataset: string, seq: number): Promise<DatasetManifest> {
    const known = this.#entries.get(seq);
    if (known !== undefined) return known;
    const state = this.#taken;
    const copy = await this.#tools.copy();
    // Only the copying must see one state: reading may take longer than the file stays as it is.
    if ((await stateOf(this.#path)) !== state)
      throw new LeatError("FILE_UNREADABLE", {
        message: `${basename(this.#path)}: It changed while it was read.`,
        hint: "Write to another file beside it, and give that its name when it is complete.",
        details: { file: this.#path },
      });
    const manifest = await this.#tools.publish(seq, copy);
    this.#entries.set(seq, manifest);
    await this.#forgetOld();
    return manifest;
  }

  async #forgetOld(): Promise<void> {
    const seqs = [...this.#entries.keys()];
    for (const seq of seqs.slice(-versionsKept - 1, -versionsKept)) await this.#tools.forget(seq);
    for (const seq of seqs.slice(0, -versionsListed)) this.#entries.delete(seq);
  }

  async listVersions(): Promise<readonly VersionEntry[]> {
    const newestFirst = [...this.#entries].reverse();
    return newestFirst.map(([seq, { version, rowCount, builtAt }], at) => ({
      version,
      seq,
      rowCount,
      builtAt,
      isKept: at < versionsKept,
    }));
  }
}

/** What tells one state of a file from another; `undefined`: it is not there. */
async function stateOf(path: string): Promise<string | undefined> {
  const found: BigIntStats | undefined = await promises.stat(path, { bigint: true }).catch(() => undefined);
  return found?.isFile() === true ? `${found.ino} ${found.size} ${found.mtimeNs}` : undefined;
}
