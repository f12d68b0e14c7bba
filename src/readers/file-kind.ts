/** What a file is by its bytes: names lie, and an error page saved as .xls is the commonest lie. */
import { closeSync, openSync, readSync } from "node:fs";
import { posix } from "node:path";
import { LeatError } from "../errors/leat-error.ts";

export type FileKind =
  | "zip"
  /** Compound file of OLE 2: .xls since Excel 5, and every encrypted office file. */
  | "compound"
  /** The stream of an .xls with nothing around it: Excel 4 and older, and some programs. */
  | "biff"
  | "html"
  | "xml"
  | "pdf"
  | "rtf"
  | "gzip"
  | "7z"
  | "parquet"
  /** A picture, a program: bytes that no text has. */
  | "binary"
  | "text"
  | "empty";

/** Bytes looked at. HTML may begin with comments and blank lines. */
const headBytes = 4096;

const magics: readonly (readonly [FileKind, string])[] = [
  ["zip", "PK\x03\x04"],
  ["zip", "PK\x05\x06"], // An empty archive.
  ["compound", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
  ["biff", "\x09\x00\x04\x00"],
  ["biff", "\x09\x02\x06\x00"],
  ["biff", "\x09\x04\x06\x00"],
  ["biff", "\x09\x08"],
  ["pdf", "%PDF-"],
  ["rtf", "{\\rtf"],
  ["gzip", "\x1f\x8b"],
  ["7z", "7z\xbc\xaf\x27\x1c"],
  ["parquet", "PAR1"],
];

/** The first bytes of a file. */
export function readHead(path: string, name: string): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    const head = Buffer.alloc(headBytes);
    return head.subarray(0, readSync(fd, head, 0, headBytes, 0));
  } catch (error) {
    throw new LeatError("FILE_UNREADABLE", {
      message: `${name}: The file cannot be read.`,
      details: { file: name },
      cause: error,
    });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Tells a file's kind by its first bytes. */
export function fileKindOf(head: Buffer): FileKind {
  if (head.length === 0) return "empty";
  const latin1 = head.toString("latin1");
  const known = magics.find(([, magic]) => latin1.startsWith(magic));
  if (known !== undefined) return known[0];
  const isWide = /^(\xff\xfe|\xfe\xff)/.test(latin1);
  const text = isWide ? latin1.replaceAll("\0", "") : latin1;
  const beginning = text.replace(/^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)/, "").trimStart();
  if (/^(<!--[\s\S]*?-->\s*)*<(!doctype\s+html|html|head|body|table|div|meta|script)\b/i.test(beginning))
    return "html";
  if (/^<\?xml/i.test(beginning)) return /<html\b/i.test(beginning) ? "html" : "xml";
  // UTF-16 without a mark has a zero in every second byte of what is ASCII; other binaries have them anywhere.
  return !isWide && text.includes("\0") && !looksWide(head) ? "binary" : "text";
}

/** Whether the bytes may be UTF-16 without a byte order mark; its reader asks for the encoding to be declared. */
function looksWide(head: Buffer): boolean {
  let [even, odd] = [0, 0];
  for (let at = 0; at < head.length; at++) if (head[at] === 0) at % 2 === 0 ? even++ : odd++;
  const half = head.length / 2;
  return Math.max(even, odd) > half * 0.4 && Math.min(even, odd) < half * 0.05;
}

const descriptions: Readonly<Record<FileKind, string>> = {
  zip: "a .zip archive",
  compound: "an .xls workbook or another file of the old office formats",
  biff: "an .xls workbook",
  html: "a web page",
  xml: "XML",
  pdf: "a PDF",
  rtf: "a text document (RTF)",
  gzip: "packed by gzip",
  "7z": "a 7z archive",
  parquet: "a Parquet file",
  binary: "of no kind that is known here",
  text: "plain text",
  empty: "empty",
};

/** The error for a file that is something else than what its reader reads. */
export function notWhatItSays(name: string, kind: FileKind, expected: string, head: Buffer): LeatError {
  if (posix.basename(name).startsWith("~$")) {
    return new LeatError("FILE_NOT_WHAT_IT_SAYS", {
      message: `${name}: It is the lock file that a spreadsheet program leaves beside an open workbook.`,
      hint: "Leave out names that begin with ~$.",
      details: { file: name },
    });
  }
  const hints: Partial<Record<FileKind, string>> = {
    html: "Open it in a browser: it may be an error page, or a table that the publisher saved as HTML; fetch the real file.",
    xml: "If it is an XML spreadsheet (2003), save it as .xlsx.",
    gzip: "Unpack it first.",
    empty: "Fetch it again.",
  };
  return new LeatError("FILE_NOT_WHAT_IT_SAYS", {
    message: `${name}: It is ${descriptions[kind]}, not ${expected}.`,
    hint: hints[kind],
    details: { file: name, kind, beginsWith: head.toString("latin1", 0, 80).replace(/[^\x20-\x7e]+/g, " ") },
  });
}
