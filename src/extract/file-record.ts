/** The record of a landed file: what a stream of files has a row of. */
import { isJsonObject, type JsonValue } from "../model/json-value.ts";
import type { LandedFile } from "../model/landed-file.ts";
import type { RawFileEntry } from "../model/manifest.ts";
import { leatColumns } from "../model/stream.ts";
import { type FileState, textFields } from "./files-state.ts";

/** Columns of a stream of files. */
export const fileColumns = [
  "file",
  "name",
  "url",
  "fields",
  "version",
  "fetched_at",
  "last_modified",
  "etag",
  "content_type",
  "bytes",
  "sha256",
  "object_key",
] as const;

/** The record of a file version. Fields stand in an object of their own, so that no name of theirs meets another. */
export function toFileRecord(file: FileState): Readonly<Record<(typeof fileColumns)[number], JsonValue>> {
  return {
    file: file.id,
    name: file.name,
    url: file.address,
    fields: file.fields,
    version: file.version,
    fetched_at: file.fetchedAt,
    last_modified: file.lastModified ?? null,
    etag: file.validators.etag ?? null,
    content_type: file.contentType ?? null,
    bytes: file.bytes,
    sha256: file.sha256,
    object_key: file.objectKey,
  };
}

/**
 * The reverse, from a landed row.
 *
 * @param entryOf - the package's raw files by key.
 * @throws Error saying what the row lacks; rows are leat's own.
 */
export function fromFileRow(
  line: string,
  tenant: LandedFile["tenant"],
  entryOf: ReadonlyMap<string, RawFileEntry>,
): LandedFile {
  const row = JSON.parse(line) as JsonValue; // JSON.parse gives nothing else.
  if (!isJsonObject(row)) throw new Error("a row is not an object");
  const text = (name: string): string => {
    const value = row[name];
    if (typeof value === "string") return value;
    throw new Error(`${name} of a row is not text`);
  };
  const optional = (name: string): string | undefined => (row[name] === null ? undefined : text(name));
  const count = (name: string): number => {
    const value = row[name];
    if (typeof value === "number") return value;
    throw new Error(`${name} of a row is not a number`);
  };
  const fields = row["fields"];
  const objectKey = text("object_key");
  const entry = entryOf.get(objectKey);
  if (!isJsonObject(fields) || entry === undefined)
    throw new Error(`the row of ${objectKey} has no raw file`);
  return {
    id: text("file"),
    tenant,
    name: text("name"),
    address: text("url"),
    fields: textFields(fields),
    sha256: entry.sha256,
    bytes: entry.bytes,
    crc32c: entry.crc32c,
    objectKey,
    seq: count(leatColumns.package),
    row: count(leatColumns.row),
    version: count("version"),
    fetchedAt: text("fetched_at"),
    lastModified: optional("last_modified"),
    contentType: optional("content_type"),
  };
}
