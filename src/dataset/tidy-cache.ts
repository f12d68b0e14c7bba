/**
 * Tidy rows by content: a file that is unchanged is not read again.
 *
 * Named by what decides the rows: the file's bytes, its name and fields (periods may stand there), the declaration and
 * the reader's version. The report is created last and names the rows, so that what a death leaves is no entry.
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
import { tidyReportKey, tidyRowsKey } from "./dataset-names.ts";
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

export type TidyPorts = Readonly<{ store: ObjectStore; reader: TidyReader; workFolder: string }>;

/** Largest report, bytes: text about one file, read whole. */
const reportBytesMax = 64 * 1024 * 1024;

const reportSchema = z.object({
  rows: z.string(),
  sha256: z.string(),
  rowCount: z.int().min(0),
  report: z.record(z.string(), z.unknown()),
});

/** The tidy rows of a landed file, read now unless they are known. */
export async function readTidy(
  ports: TidyPorts,
  file: LandedFile,
  declaration: TidyDeclaration,
  signal: AbortSignal,
): Promise<TidyRows> {
  const id = hashJson({
    sha256: file.sha256,
    name: file.name,
    fields: file.fields,
    declaration: JSON.stringify(declaration), // The order of its members may mean something.
    reader: ports.reader.version,
  });
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

async function readKnown(store: ObjectStore, id: string): Promise<TidyRows | undefined> {
  const bytes = await store.read(tidyReportKey(id));
  if (bytes === undefined) return undefined;
  const parsed = reportSchema.safeParse(parseJson(bytes));
  if (!parsed.success) return undefined; // Of another version of leat: read the file anew.
  const { rows, sha256, rowCount, report } = parsed.data;
  const chunks = await store.readStream(rows);
  if (chunks === undefined) return undefined; // Deleted, as anybody may.
  const open = async () => {
    const stream = await store.readStream(rows);
    if (stream !== undefined) return unpack(stream, { key: rows, sha256 });
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

/** Plain rows, whose checksum is compared when the last one has been read. */
async function* unpack(
  packed: AsyncIterable<Uint8Array>,
  entry: Readonly<{ key: string; sha256: string }>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  const refuse = (cause?: unknown) =>
    new LeatError("PART_CORRUPT", {
      message: `The rows ${entry.key} are not what was written.`,
      hint: "Delete the object: the file is then read anew.",
      cause,
    });
  const plain = pipeline(Readable.from(packed), createZstdDecompress(), () => {});
  try {
    for await (const chunk of plain) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (cause) {
    throw refuse(cause);
  }
  if (hash.digest("hex") !== entry.sha256) throw refuse();
}

/** Keeps rows for the next build. Two builds that keep the same at once leave one report, and rows that nobody names. */
async function keep(
  store: ObjectStore,
  id: string,
  rows: Readonly<{ rowsPath: string; rowCount: number; report: LayoutReport }>,
): Promise<void> {
  const hash = createHash("sha256");
  const packedPath = `${rows.rowsPath}.zst`;
  try {
    const plain = createReadStream(rows.rowsPath);
    plain.on("data", (chunk) => hash.update(chunk));
    await pipe(plain, createZstdCompress(), createWriteStream(packedPath));
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
  file: LandedFile,
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
