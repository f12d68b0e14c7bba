/**
 * Private copies of parts in which the numbers of some columns stand in quotes.
 *
 * The engine reads every JSON number through a double, also into DECIMAL, VARCHAR and JSON. Quoted, the landed text
 * itself arrives. The landed files stay as they are; a copy lives as long as one statement.
 */
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { StagedPart } from "../../ports/warehouse.ts";
import { toLeatError } from "./engine-errors.ts";

/** Quotes the numbers and nested values of top-level columns of NDJSON, byte for byte; other columns pass through. */
export type QuoteExact = (
  chunks: AsyncIterable<Uint8Array>,
  columns: ReadonlySet<string>,
) => AsyncIterable<Uint8Array>;

/** The plain bytes of a part. */
export type ReadPart = (part: StagedPart) => AsyncIterable<Uint8Array>;

/** What staging needs. */
export type StagingTools = Readonly<{ quoteExact: QuoteExact; readPart: ReadPart; workFolder: string }>;

/**
 * Makes the folder for one load's copies. While the caller holds the warehouse's file nobody else has one for it, so
 * what is found there was left by a load that was killed, and is removed.
 */
export async function makeWorkFolder(parent: string, warehouseFile: string): Promise<string> {
  const name = createHash("sha256").update(path.resolve(warehouseFile)).digest("hex").slice(0, 12);
  const prefix = `leat-load-${name}-`;
  try {
    for (const left of await readdir(parent))
      if (left.startsWith(prefix)) await rm(path.join(parent, left), { recursive: true, force: true });
    return await mkdtemp(path.join(parent, prefix));
  } catch (error) {
    throw toLeatError(error, { file: parent, doing: "work" });
  }
}

/** A staged copy; `remove` is safe to call twice. */
export type StagedCopy = Readonly<{ path: string; bytes: number; remove: () => Promise<void> }>;

/** Writes a part's copy with `columns` quoted. */
export async function stagePart(
  tools: StagingTools,
  part: StagedPart,
  columns: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<StagedCopy> {
  const file = path.join(tools.workFolder, `exact-${randomBytes(8).toString("hex")}.ndjson`);
  const target = createWriteStream(file);
  try {
    await pipeline(Readable.from(tools.quoteExact(tools.readPart(part), columns)), target, { signal });
  } catch (error) {
    await rm(file, { force: true });
    throw toLeatError(error, { file, doing: "work" });
  }
  return { path: file, bytes: target.bytesWritten, remove: () => rm(file, { force: true }) };
}
