/** The beginning of a landed file, for people: read no further than it is shown. */
import { LeatError } from "../../errors/leat-error.ts";
import { decodePart } from "../../landing/part-reader.ts";
import type { FileEntry } from "../../model/manifest.ts";
import type { ObjectStore } from "../../ports/object-store.ts";

/** Bytes of text that are shown of a file, and of one record. */
const shownBytesMax = 256 * 1024;
const recordLengthMax = 16 * 1024;

/** Bytes of a file that is no text which are shown, as hexadecimal. */
const binaryBytesMax = 512;

/** What is shown. */
export type Preview = Readonly<{
  form: "records" | "text" | "binary";
  records: readonly string[];
  text: string | null;
  is_cut: boolean;
}>;

/**
 * Reads the beginning.
 *
 * @throws LeatError `PART_MISSING`, `PREVIEW_IMPOSSIBLE` where it cannot be decompressed.
 */
export async function previewFile(
  store: ObjectStore,
  { kind, entry }: Readonly<{ kind: "part" | "raw" | "quarantine"; entry: FileEntry }>,
  recordsMax: number,
): Promise<Preview> {
  const stored = await store.readStream(entry.key);
  if (stored === undefined)
    throw new LeatError("PART_MISSING", { message: `The landed file ${entry.key} is not in ${store.url}.` });
  if (kind === "raw") return previewRaw(await readStart(stored));
  const { bytes, isCut } = await readStart(decoded(stored, entry.key));
  const lines = new TextDecoder().decode(bytes).split("\n");
  const last = lines.pop(); // Empty after a whole line, else the beginning of one that is not shown.
  const records = lines.slice(0, recordsMax).map((line) => line.slice(0, recordLengthMax));
  const isOnlyPart = records.length === 0 && last !== undefined && last !== "";
  return {
    form: "records",
    records: isOnlyPart ? [last.slice(0, recordLengthMax)] : records,
    text: null,
    is_cut: isCut || lines.length > recordsMax,
  };
}

async function* decoded(stored: AsyncIterable<Uint8Array>, key: string): AsyncGenerator<Uint8Array> {
  try {
    yield* decodePart(stored, key);
  } catch (cause) {
    throw new LeatError("PREVIEW_IMPOSSIBLE", {
      message: `The landed file ${key} cannot be decompressed.`,
      hint: "Check it: its checksum tells whether it is damaged.",
      cause,
    });
  }
}

async function readStart(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Readonly<{ bytes: Buffer; isCut: boolean }>> {
  const read: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    read.push(Buffer.from(chunk)); // The store may use the chunk again.
    length += chunk.byteLength;
    if (length > shownBytesMax) break;
  }
  return { bytes: Buffer.concat(read).subarray(0, shownBytesMax), isCut: length > shownBytesMax };
}

/** A file as its publisher had it: text where it is some, in UTF-8. */
function previewRaw({ bytes, isCut }: Readonly<{ bytes: Buffer; isCut: boolean }>): Preview {
  const textual = toText(bytes, isCut);
  if (textual !== undefined) return { form: "text", records: [], text: textual, is_cut: isCut };
  const shown = bytes.subarray(0, binaryBytesMax);
  return {
    form: "binary",
    records: [],
    text: shown.toString("hex"),
    is_cut: isCut || bytes.length > binaryBytesMax,
  };
}

function toText(bytes: Buffer, isCut: boolean): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    // `stream`: a character that the cut has halved is left out and no fault.
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut });
  } catch {
    return undefined;
  }
}
