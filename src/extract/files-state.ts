/** What a run over files starts from and hands on: the newest landed version of each file, with its validators. */
import { LeatError } from "../errors/leat-error.ts";
import type { Head } from "../landing/log.ts";
import { readFileEntry } from "../landing/part-reader.ts";
import { compressFrame, decompressFrames } from "../landing/zstd-frames.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../model/json-value.ts";
import type { LandedFile } from "../model/landed-file.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/** The newest version of a file; `tenant` is the log's own. */
export type FileState = Omit<LandedFile, "tenant"> &
  Readonly<{
    /** As the source gave them, to be sent back. */
    validators: Readonly<{ etag: string | undefined; lastModified: string | undefined }>;
    /** Whether it is landed once more even if its bytes are the same (I19 `again`). */
    isForgotten: boolean;
  }>;

/** State of a stream of files, by file id, in the order in which the files came first. */
export type FilesState = Readonly<{ files: ReadonlyMap<string, FileState> }>;

/** The state before the first run. */
export const freshFilesState = (): FilesState => ({ files: new Map() });

const formatVersion = 1;

/**
 * Bytes of a state: a line of JSON (format, number of files), then Zstandard frames of a line of JSON for each file.
 * Addresses and names repeat themselves, and a state is written with every commit.
 */
export async function encodeFilesState(state: FilesState): Promise<Buffer> {
  const header = `${JSON.stringify({ format: formatVersion, files: state.files.size })}\n`;
  const lines = [...state.files.values()].map((file) => `${JSON.stringify(file)}\n`).join("");
  return Buffer.concat([Buffer.from(header, "utf8"), await compressFrame(Buffer.from(lines, "utf8"))]);
}

/**
 * The reverse of {@link encodeFilesState}. The state of a log whose stream has not been one of files is fresh.
 *
 * @throws {@link LeatError} `MANIFEST_INVALID` when the bytes are of another format.
 */
export async function decodeFilesState(bytes: Buffer, where: string): Promise<FilesState> {
  try {
    const headerEnd = bytes.indexOf(10);
    const header: unknown = JSON.parse(bytes.toString("utf8", 0, headerEnd));
    if (!isJsonObject(header) || header["files"] === undefined) return freshFilesState();
    if (header["format"] !== formatVersion) {
      throw new Error(`its format is ${JSON.stringify(header["format"])}, this leat reads ${formatVersion}`);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of decompressFrames(oneChunk(bytes.subarray(headerEnd + 1)))) chunks.push(chunk);
    const lines = Buffer.concat(chunks).toString("utf8").split("\n").filter(Boolean);
    if (lines.length !== header["files"]) throw new Error(`${lines.length} of its files are there`);
    const files = lines.map((line) => toFileState(JSON.parse(line) as JsonValue)); // JSON.parse gives nothing else.
    return { files: new Map(files.map((file) => [file.id, file])) };
  } catch (cause) {
    throw new LeatError("MANIFEST_INVALID", {
      message: `The state in ${where} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      cause,
    });
  }
}

/** Reads the state after a manifest, from the manifest itself or the landed file that it names. */
export async function readFilesState(store: ObjectStore, head: Head | undefined): Promise<FilesState> {
  if (head === undefined) return freshFilesState();
  const { inline, file } = head.manifest.state;
  if (inline !== undefined)
    return decodeFilesState(Buffer.from(inline, "base64"), `manifest ${head.manifest.seq}`);
  if (file === undefined) return freshFilesState();
  return decodeFilesState(await readFileEntry(store, file), file.key);
}

/** Whether the newest manifest of a log is one of a stream of files. */
export const isOfFiles = (head: Head | undefined): boolean => head?.manifest.state.fileCount !== undefined;

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function toFileState(line: JsonValue): FileState {
  const file = object(line, "a file");
  const validators = object(file["validators"], "validators");
  return {
    id: text(file, "id"),
    name: text(file, "name"),
    address: text(file, "address"),
    fields: textFields(object(file["fields"], "fields")),
    sha256: text(file, "sha256"),
    bytes: count(file, "bytes"),
    crc32c: text(file, "crc32c"),
    objectKey: text(file, "objectKey"),
    seq: count(file, "seq"),
    row: count(file, "row"),
    version: count(file, "version"),
    fetchedAt: text(file, "fetchedAt"),
    lastModified: optionalText(file, "lastModified"),
    contentType: optionalText(file, "contentType"),
    validators: {
      etag: optionalText(validators, "etag"),
      lastModified: optionalText(validators, "lastModified"),
    },
    isForgotten: file["isForgotten"] === true,
  };
}

function object(value: JsonValue | undefined, what: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw new Error(`${what} is not an object`);
}

function text(file: JsonObject, name: string): string {
  const value = file[name];
  if (typeof value === "string") return value;
  throw new Error(`${name} of a file is not text`);
}

const optionalText = (file: JsonObject, name: string): string | undefined =>
  file[name] === undefined ? undefined : text(file, name);

function count(file: JsonObject, name: string): number {
  const value = file[name];
  if (Number.isSafeInteger(value)) return value as number; // Only numbers are safe integers.
  throw new Error(`${name} of a file is not a whole number`);
}

/** Fields by name; those of a record of a stream of files too. */
export function textFields(fields: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, text(fields, name)]));
}
