/**
 * Tidy rows by content: a file that is unchanged is not read again.
 *
 * Named by what decides the rows: the file's bytes, its name and fields (periods may stand there), the declaration and
 * the reader's version. The report is created last and names the rows, so that what a death leaves is no entry. Rows
 * that are gone or damaged are no loss: the file is read again.
 */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { pipeline as pipe } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";
import { z } from "zod";
import { LeatError } from "../errors/leat-error.ts";
import type { JsonObject } from "../model/json-value.ts";
import type { LandedFile } from "../model/landed-file.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { LayoutReport, TidyDeclaration, TidyReader } from "../ports/tidy.ts";
import { tidyPrefix, tidyReportKey, tidyRowsKey } from "./dataset-names.ts";
import { hashJson } from "./hash-declaration.ts";

/** A file's tidy rows, wherever they are. */
export type TidyRows = Readonly<{
  rowCount: number;
  report: LayoutReport;
  isCached: boolean;
  /** The rows as NDJSON; once. */
  open: () => Promise<AsyncIterable<Uint8Array>>;
  /** Throws away what is on this machine's disk. */
  dispose: () => Promise<void>;
}>;

/** A landed file, as far as its rows are concerned. */
export type FileToTidy = Pick<LandedFile, "name" | "fields" | "sha256" | "objectKey">;

export type TidyPorts = Readonly<{ store: ObjectStore; reader: TidyReader; workFolder: string }>;

/** Largest report, bytes: text about one file, read whole. */
const reportBytesMax = 64 * 1024 * 1024;

const reportSchema = z.object({
  rows: z.string().startsWith(tidyPrefix),
  /** Of the bytes as they are stored. */
  sha256: z.string(),
  rowCount: z.int().min(0),
  report: z.record(z.string(), z.unknown()),
});

/** The tidy rows of a landed file, read now unless they are known. */
export async function readTidy(
  ports: TidyPorts,
  file: FileToTidy,
  declaration: TidyDeclaration,
  signal: AbortSignal,
): Promise<TidyRows> {
  const id = nameTidy({ file, declaration, readerVersion: ports.reader.version });
  const known = await readKnown(ports.store, id);
  if (known !== undefined) return known;
  const rowsPath = join(ports.workFolder, `tidy-${randomBytes(6).toString("hex")}.ndjson`);
  const dispose = () => rm(rowsPath, { force: true });
  const local = await bringHere(ports, file, signal);
  try {
    const job = { path: local.path, name: file.name, fields: file.fields, declaration, rowsPath };
    const { rowCount, report } = await ports.reader.read(job, signal);
    await keep(ports.store, id, { rowsPath, rowCount, report });
    const open = async () => createReadStream(rowsPath) as AsyncIterable<Uint8Array>; // Without an encoding: Buffers.
    return { rowCount, report, isCached: false, open, dispose };
  } catch (error) {
    await dispose();
    throw error;
  } finally {
    await local.dispose();
  }
}

/** What decides a file's tidy rows. */
type TidyNaming = Readonly<{ file: FileToTidy; declaration: TidyDeclaration; readerVersion: string }>;

const nameTidy = ({ file, declaration, readerVersion }: TidyNaming): string =>
  hashJson({
    sha256: file.sha256,
    name: file.name,
    fields: file.fields,
    declaration: JSON.stringify(declaration), // The order of its members may mean something.
    reader: readerVersion,
  });

/** Whether a file's rows are kept, without a look at them. */
export async function isTidied(store: ObjectStore, naming: TidyNaming): Promise<boolean> {
  return (await store.read(tidyReportKey(nameTidy(naming)))) !== undefined;
}

async function readKnown(store: ObjectStore, id: string): Promise<TidyRows | undefined> {
  const bytes = await store.read(tidyReportKey(id));
  if (bytes === undefined) return undefined;
  const parsed = reportSchema.safeParse(parseJson(bytes));
  const isWhole = parsed.success && (await hasChecksum(store, parsed.data.rows, parsed.data.sha256));
  if (!isWhole) {
    // In the way of those that will be kept instead.
    if (parsed.success) await store.delete(parsed.data.rows);
    await store.delete(tidyReportKey(id));
    return undefined;
  }
  const { rows, rowCount, report } = parsed.data;
  const open = async () => {
    const stream = await store.readStream(rows);
    if (stream !== undefined)
      return pipeline(Readable.from(stream), createZstdDecompress(), () => {}) as AsyncIterable<Uint8Array>; // Buffers.
    throw new LeatError("PART_MISSING", {
      message: `The rows ${rows} were deleted while they were to be read.`,
      hint: "Run again: the file is then read anew.",
      retryable: true,
    });
  };
  return { rowCount, report: report as JsonObject, isCached: true, open, dispose: async () => {} }; // Parsed JSON.
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

async function hasChecksum(store: ObjectStore, key: string, sha256: string): Promise<boolean> {
  const chunks = await store.readStream(key);
  if (chunks === undefined) return false;
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex") === sha256;
}

/** Keeps rows for the next build. Two builds that keep the same at once leave one report, and rows that nobody names. */
async function keep(
  store: ObjectStore,
  id: string,
  rows: Readonly<{ rowsPath: string; rowCount: number; report: LayoutReport }>,
): Promise<void> {
  const packedPath = `${rows.rowsPath}.zst`;
  try {
    await pipe(createReadStream(rows.rowsPath), createZstdCompress(), createWriteStream(packedPath));
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(packedPath)) hash.update(chunk as Uint8Array); // Without an encoding.
    const sha256 = hash.digest("hex");
    const key = tidyRowsKey(id, sha256.slice(0, 16));
    await upload(store, packedPath, key);
    const body = Buffer.from(
      JSON.stringify({ rows: key, sha256, rowCount: rows.rowCount, report: rows.report }),
    );
    if (body.byteLength <= reportBytesMax) await store.create(tidyReportKey(id), body);
  } finally {
    await rm(packedPath, { force: true });
  }
}

/** Copies a file of this machine into the store; what exists under the key is the same by its name. */
export async function upload(store: ObjectStore, path: string, key: string): Promise<void> {
  const writer = await store.openWriter(key);
  try {
    for await (const chunk of createReadStream(path)) await writer.write(chunk as Uint8Array); // Without an encoding.
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** A landed file on this machine's disk: where it is, or a copy whose checksum is that of its manifest. */
async function bringHere(
  ports: TidyPorts,
  file: FileToTidy,
  signal: AbortSignal,
): Promise<Readonly<{ path: string; dispose: () => Promise<void> }>> {
  const path = join(ports.workFolder, `file-${randomBytes(6).toString("hex")}`);
  const chunks = await ports.store.readStream(file.objectKey);
  if (chunks === undefined) {
    throw new LeatError("PART_MISSING", {
      message: `The landed file ${file.objectKey} (${file.name}) is not in ${ports.store.url}.`,
      details: { key: file.objectKey },
    });
  }
  const hash = createHash("sha256");
  const dispose = () => rm(path, { force: true });
  try {
    const hashed = async function* () {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    };
    await pipe(Readable.from(hashed()), createWriteStream(path), { signal });
    const sha256 = hash.digest("hex");
    if (sha256 !== file.sha256) {
      throw new LeatError("PART_CORRUPT", {
        message: `The landed file ${file.objectKey} (${file.name}) has SHA-256 ${sha256}; its record says ${file.sha256}.`,
        details: { key: file.objectKey },
      });
    }
    return { path, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
