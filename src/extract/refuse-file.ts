/**
 * Whether bytes can be what a file's name promises. Publishers answer with a page for people, an error in JSON, or
 * nothing at all, and a status of 200; landed as good, such an answer would hide the file it stands for.
 *
 * Only what is surely wrong is refused: what a workbook holds, the reader of workbooks finds out.
 */

/** How many bytes of a file's beginning {@link refuseBeginning} wants, where there are as many. */
export const beginningBytes = 2048;
/** How many of its end {@link refuseEnd} wants: the directory of a zip archive ends with a comment of up to 64 KiB. */
export const endBytes: number = 66 * 1024;

/** What the first bytes say. */
type Content =
  | "zip"
  | "ole2"
  | "biff"
  | "pdf"
  | "parquet"
  | "gzip"
  | "zstd"
  | "html"
  | "xml"
  | "json"
  | "other";

const contentNames: Readonly<Record<Exclude<Content, "other">, string>> = {
  zip: "a zip archive, as .xlsx files are",
  ole2: "an OLE2 document, as .xls files are",
  biff: "an old Excel sheet",
  pdf: "a PDF document",
  parquet: "a Parquet file",
  gzip: "a gzip file",
  zstd: "a Zstandard file",
  html: "a web page",
  xml: "XML",
  json: "JSON",
};

const workbooks: readonly Content[] = ["zip", "ole2", "biff"];

/** What a file of an ending may hold. Excel opens a workbook whatever its ending, so publishers mix them up. */
const contentsOf: ReadonlyMap<string, readonly Content[]> = new Map([
  ...["xls", "xlsx", "xlsm", "xlsb", "xlt", "xltx", "xltm", "ods"].map(
    (ending): [string, readonly Content[]] => [ending, workbooks],
  ),
  ["zip", ["zip"]],
  ["parquet", ["parquet"]],
  ["pdf", ["pdf"]],
  ["gz", ["gzip"]],
  ["zst", ["zstd"]],
  ...["csv", "tsv", "tab"].map((ending): [string, readonly Content[]] => [ending, ["other"]]),
  ["txt", ["xml", "json", "other"]],
  ...["json", "ndjson", "jsonl", "geojson"].map((ending): [string, readonly Content[]] => [
    ending,
    ["json", "other"],
  ]),
  ["xml", ["xml"]],
  ...["html", "htm", "xhtml"].map((ending): [string, readonly Content[]] => [
    ending,
    ["html", "xml", "other"],
  ]),
]);

/** `.xls` files of Excel 2003 may be XML of their own; it is told apart from an error in XML by its namespace. */
const spreadsheetXml = /urn:schemas-microsoft-com:office:spreadsheet|progid\s*=\s*"Excel\.Sheet"/i;

/** The ending of a name, in lower case, without the dot; `""`: none. */
export function endingOf(name: string): string {
  const match = /[^.]\.([A-Za-z0-9]{1,10})$/.exec(name);
  return match?.[1]?.toLowerCase() ?? "";
}

/** Why a file is refused by its name alone. */
export function refuseName(name: string): string | undefined {
  return name.startsWith("~$") ? "it is the lock file of somebody's open document" : undefined;
}

/**
 * Why a file is refused by its beginning; `undefined`: it is not.
 *
 * @param beginning - its first {@link beginningBytes}, or all of it.
 */
export function refuseBeginning(
  name: string,
  contentType: string | undefined,
  beginning: Uint8Array,
): string | undefined {
  if (beginning.length === 0) return "it is empty";
  const ending = endingOf(name);
  const text = decodeBeginning(beginning);
  const content = contentOf(beginning, text, contentType);
  const allowed = contentsOf.get(ending);
  const isAllowed = allowed === undefined ? content !== "html" : allowed.includes(content);
  if (isAllowed) return undefined;
  if (ending === "xls" && content === "xml" && spreadsheetXml.test(text)) return undefined;
  if (content === "other") return `it does not begin as a .${ending} file does: ${shorten(text)}`;
  const isTextual = content === "html" || content === "xml" || content === "json";
  const shown = `${contentNames[content]}${isTextual ? `: ${shorten(text)}` : ""}`;
  return allowed === undefined ? `it is ${shown}` : `its name says .${ending}, and it is ${shown}`;
}

/**
 * Why a file is refused by its end: formats that have one say whether it is there. Connections without a length end
 * like this when they break.
 *
 * @param end - its last {@link endBytes}, or all of it.
 */
export function refuseEnd(beginning: Uint8Array, end: Uint8Array): string | undefined {
  const tail = Buffer.from(end.buffer, end.byteOffset, end.byteLength);
  const isCut =
    (startsWith(beginning, zipMagic) && tail.lastIndexOf(zipEndMagic) < 0) ||
    (startsWith(beginning, parquetMagic) && !tail.subarray(-4).equals(parquetMagic));
  return isCut ? "it ends in the middle" : undefined;
}

/** Whether a file that begins so has an end that is looked for. */
export const hasEnd = (beginning: Uint8Array): boolean =>
  startsWith(beginning, zipMagic) || startsWith(beginning, parquetMagic);

const zipMagic = Buffer.from("PK\x03\x04", "latin1");
const zipEndMagic = Buffer.from("PK\x05\x06", "latin1");
const parquetMagic = Buffer.from("PAR1", "latin1");

/** @see source: [MS-CFB] §2.2 and [MS-XLS] §2.4.21 (BOF of BIFF 2 to 8), read 2026-11. */
const magics: readonly (readonly [Content, Buffer])[] = [
  ["zip", zipMagic],
  ["zip", zipEndMagic], // An archive without members.
  ["ole2", Buffer.from("d0cf11e0a1b11ae1", "hex")],
  ["biff", Buffer.from("0908", "hex")],
  ["biff", Buffer.from("0904", "hex")],
  ["biff", Buffer.from("0902", "hex")],
  ["biff", Buffer.from("0900", "hex")],
  ["pdf", Buffer.from("%PDF", "latin1")],
  ["parquet", parquetMagic],
  ["gzip", Buffer.from("1f8b", "hex")],
  ["zstd", Buffer.from("28b52ffd", "hex")],
];

const startsWith = (bytes: Uint8Array, magic: Buffer): boolean =>
  magic.every((byte, index) => bytes[index] === byte);

function contentOf(bytes: Uint8Array, text: string, contentType: string | undefined): Content {
  const binary = magics.find(([, magic]) => startsWith(bytes, magic));
  if (binary !== undefined) return binary[0];
  // Comments and an XML declaration may come before the page itself.
  const body = text.replace(/^(?:\s+|<!--[\s\S]*?-->|<\?xml[^>]*>)+/, "");
  if (/^<(?:!doctype\s+html|html|head|body|script|title|meta|table|div|p|h1)\b/i.test(body)) return "html";
  if (/^<(?:!doctype|[a-z?!])/i.test(text.trimStart())) return "xml";
  if (/^\s*(?:\{\s*["}]|\[\s*[{["])/.test(text)) return "json";
  if (/^\s*(?:application|text)\/(?:[\w.-]+\+)?json\b/i.test(contentType ?? "") && /^\s*[{["]/.test(text)) {
    return "json";
  }
  return "other";
}

/** The beginning as text, whatever it is; marks at its front are taken off. */
function decodeBeginning(bytes: Uint8Array): string {
  const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  const label = !isUtf16 ? "utf-8" : bytes[0] === 0xff ? "utf-16le" : "utf-16be";
  return new TextDecoder(label).decode(bytes.subarray(0, beginningBytes));
}

/** Enough of a text to recognise it. */
const shownChars = 120;

const shorten = (text: string): string =>
  JSON.stringify(
    text
      .replaceAll(/[\p{Cc}\s]+/gu, " ")
      .trim()
      .slice(0, shownChars)
      .toWellFormed(),
  );
