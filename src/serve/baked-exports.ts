/**
 * Full exports of a version as files, made once in the background while it is served already: they have a length, and
 * parts of them can be asked for. What is not made yet, or would be too large, is printed on the way.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { DatasetQueryEngine } from "../ports/dataset-query.ts";
import type { AnswerFormat } from "./answer-format.ts";
import { type ContentCoding, fileCodings, openCompressor } from "./content-coding.ts";
import type { RenderThread } from "./render-thread.ts";

/** In the order of being asked for. */
const bakedFormats = ["csv", "json", "ndjson", "parquet", "arrow"] as const satisfies readonly AnswerFormat[];

/** A file of an export; `plain` without a coding. */
type BakedFile = Readonly<{ path: string; coding: ContentCoding | undefined }>;

/** What exports are made of. */
export type BakeJob = Readonly<{
  engine: DatasetQueryEngine;
  renderer: RenderThread;
  /** The version, as engine and renderer call it, and its columns. */
  id: string;
  columns: readonly string[];
  packBytes: number;
  /** Largest file; larger exports are printed when they are asked for. */
  bytesMax: number;
}>;

export class BakedExports {
  readonly #folder: string;
  readonly #files = new Map<string, BakedFile>();

  constructor(folder: string, partPaths: readonly string[]) {
    this.#folder = folder;
    // A version of one part is its own export.
    const [only] = partPaths;
    if (only !== undefined && partPaths.length === 1) this.#keep("parquet", undefined, only);
  }

  /** The file of an export, if it is there. */
  find(format: AnswerFormat, coding: ContentCoding | undefined): BakedFile | undefined {
    return this.#files.get(`${format} ${coding ?? ""}`);
  }

  #keep(format: AnswerFormat, coding: ContentCoding | undefined, path: string): void {
    this.#files.set(`${format} ${coding ?? ""}`, { path, coding });
  }

  /** Makes the files, one after another. */
  async bake(job: BakeJob, signal: AbortSignal): Promise<void> {
    for (const format of bakedFormats) {
      if (signal.aborted) return;
      if (this.find(format, undefined) !== undefined) continue;
      const path = join(this.#folder, `export.${format}`);
      const bytes = await makeExport(job, format, path, signal);
      if (signal.aborted) return;
      if (bytes === undefined) await rm(path, { force: true });
      else this.#keep(format, undefined, path);
    }
    for (const format of ["csv", "json", "ndjson"] as const)
      for (const coding of fileCodings) {
        const plain = this.find(format, undefined);
        if (plain === undefined || signal.aborted) continue;
        const path = `${plain.path}.${coding}`;
        await pipeline(createReadStream(plain.path), openCompressor(coding), createWriteStream(path), {
          signal,
        });
        this.#keep(format, coding, path);
      }
  }
}

/** The size of a file that was made; `undefined`: it would be too large. */
async function makeExport(
  { engine, renderer, id, columns, packBytes, bytesMax }: BakeJob,
  format: AnswerFormat,
  path: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (format !== "parquet" && format !== "arrow")
    return await renderer.write({ id, format, columns, source: "all" }, path, bytesMax, signal);
  // How large these become cannot be said beforehand; a pack is larger.
  if (packBytes > bytesMax) return undefined;
  const selection = { filters: [], sort: [] };
  await engine.writeFile(id, { format, select: "rows", selection, columns, page: undefined }, path, signal);
  return (await stat(path)).size;
}
