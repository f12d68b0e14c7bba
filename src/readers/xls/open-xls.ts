/**
 * Opens .xls of Excel 5 to 2003: a stream of records in a compound file, read whole.
 *
 * @see [MS-XLS], the published description of the format.
 */
import { readFileSync, statSync } from "node:fs";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { Sheet, SheetCell, SheetRow, Workbook } from "../../workbook/sheet.ts";
import { makeTextCell } from "../cells/make-cells.ts";
import { builtInCode, type NumberFormat, parseNumberFormat } from "../cells/number-format.ts";
import { BiffRecords, RecordPieces, recordTypes } from "./biff-records.ts";
import { type BiffContext, type BiffSheet, readBiffSheet } from "./biff-sheet.ts";
import { CodePageError, type DecodePage, openCodePage, readUnicode } from "./biff-text.ts";
import { CompoundError, CompoundFile } from "./compound-file.ts";

/** Largest .xls, which is read whole. Its format has 65,536 rows of 256 columns a sheet; 20 MB are rare. */
const fileBytesMax = 256 * 2 ** 20;
/** Rows handed over at once. */
const batchRows = 2048;

const versionBiff8 = 0x0600;
const versionBiff5 = 0x0500;

type ListedSheet = Readonly<{ name: string; offset: number; isHidden: boolean; hasCells: boolean }>;
type Globals = Readonly<{ context: BiffContext; sheets: readonly ListedSheet[] }>;

/**
 * Opens a workbook of the old binary format.
 *
 * @param file - what people call it, for messages.
 * @throws LeatError `WORKBOOK_DAMAGED`, `WORKBOOK_ENCRYPTED`, `FILE_NOT_WHAT_IT_SAYS`, `FILE_TOO_LARGE`,
 *   `FILE_ENCODING`; reading its sheets may throw the first.
 */
export async function openXls(path: string, file: string): Promise<Workbook> {
  const { size } = statSync(path);
  if (size > fileBytesMax) {
    throw new LeatError("FILE_TOO_LARGE", {
      message: `${file}: It has ${size} bytes; an .xls of at most ${fileBytesMax} is read.`,
      hint: "Save it as .xlsx, which is read in a stream.",
      details: { file, size, fileBytesMax },
    });
  }
  const { context, sheets } = guard(file, undefined, () =>
    readGlobals(readStream(readFileSync(path), file), file),
  );
  return {
    sheets: sheets.map((sheet, index) => new XlsSheet(file, sheet, index, context)),
    close: async () => {},
  };
}

class XlsSheet implements Sheet {
  readonly name: string;
  readonly index: number;
  readonly isHidden: boolean;
  readonly hasCells: boolean;
  readonly #read: () => BiffSheet;
  #content: BiffSheet | undefined;

  constructor(file: string, listed: ListedSheet, index: number, context: BiffContext) {
    this.name = listed.name;
    this.index = index;
    this.isHidden = listed.isHidden;
    this.hasCells = listed.hasCells;
    this.#read = () => guard(file, listed.name, () => readBiffSheet(context, listed.offset));
    if (!listed.hasCells) this.#content = { rows: [], merges: [], hiddenColumns: new Set() };
  }

  get merges(): BiffSheet["merges"] {
    return this.#open().merges;
  }

  get hiddenColumns(): ReadonlySet<number> {
    return this.#open().hiddenColumns;
  }

  async *rows(): AsyncGenerator<readonly SheetRow[], void, undefined> {
    const { rows } = this.#open();
    for (let at = 0; at < rows.length; at += batchRows) yield rows.slice(at, at + batchRows);
  }

  #open(): BiffSheet {
    this.#content ??= this.#read();
    return this.#content;
  }
}

/** The stream of the workbook, out of its compound file; before Excel 5 there was none around it. */
function readStream(bytes: Buffer, file: string): Buffer {
  if (bytes[0] === 0x09) return bytes;
  const compound = new CompoundFile(bytes);
  const has = (name: string): boolean => compound.entries.get(name)?.isStream === true;
  if (has("encryptedpackage")) throw encrypted(file);
  // Excel 97 could save both forms in one file, for those who still had Excel 95: the newer one is the truer.
  for (const name of ["workbook", "book"]) if (has(name)) return compound.read(name);
  const kind = has("worddocument") ? "a text document (.doc)" : "an office file of another kind";
  throw new LeatError("FILE_NOT_WHAT_IT_SAYS", {
    message: `${file}: It is ${kind}; there is no workbook in it.`,
    details: { file, streams: [...compound.entries.keys()].slice(0, 20) },
  });
}

function readGlobals(bytes: Buffer, file: string): Globals {
  const records = new BiffRecords(bytes, 0);
  if (!records.next()) throw new RangeError("it is empty");
  const version = records.type === recordTypes.beginning ? bytes.readUInt16LE(records.from) : 0;
  if (version !== versionBiff8 && version !== versionBiff5) {
    throw new LeatError("FILE_NOT_WHAT_IT_SAYS", {
      message: `${file}: It is a workbook of Excel 4 or older, which is not read.`,
      hint: "Save it as .xlsx with a spreadsheet program.",
      details: { file },
    });
  }
  const isUnicode = version === versionBiff8;
  const sheets: Parameters<typeof readBoundSheet>[0][] = [];
  const codes = new Map<number, string>();
  const styles: number[] = [];
  const rawCodes: { id: number; from: number; to: number }[] = [];
  let strings: readonly (SheetCell | undefined)[] = [];
  let [is1904, page] = [false, 1252];
  for (;;) {
    if (!records.next()) throw new RangeError("its beginning is cut off");
    const { type, from, to } = records;
    if (type === recordTypes.eof) break;
    if (type === recordTypes.filePass) throw encrypted(file);
    if (type === recordTypes.dateMode) is1904 = bytes.readUInt16LE(from) === 1;
    else if (type === recordTypes.codePage) page = bytes.readUInt16LE(from);
    else if (type === recordTypes.format) styles.push(bytes.readUInt16LE(from + 2));
    else if (type === recordTypes.sharedStrings) strings = readSharedStrings(records);
    else if (type === recordTypes.boundSheet) sheets.push({ bytes, from, to });
    else if (type === recordTypes.formatCode) {
      if (!isUnicode) rawCodes.push({ id: bytes.readUInt16LE(from), from: from + 3, to });
      else {
        const pieces = new RecordPieces(records, from + 4);
        codes.set(bytes.readUInt16LE(from), readUnicode(pieces, bytes.readUInt16LE(from + 2)));
      }
    }
  }
  const decodePage = isUnicode ? openCodePage(1252) : openCodePage(page);
  for (const { id, from, to } of rawCodes) codes.set(id, decodePage(bytes.subarray(from, to)));
  const formats = readFormats(styles, codes);
  return {
    context: { bytes, isUnicode, decodePage, is1904, strings, formats },
    sheets: sheets.map((sheet) => readBoundSheet(sheet, isUnicode, decodePage)),
  };
}

/** Each code is read once, however many styles have it. */
function readFormats(
  styles: readonly number[],
  codes: ReadonlyMap<number, string>,
): readonly (NumberFormat | undefined)[] {
  const formats = new Map<string, NumberFormat | undefined>([["General", undefined]]);
  return styles.map((id) => {
    const code = codes.get(id) ?? builtInCode(id);
    if (!formats.has(code)) formats.set(code, parseNumberFormat(code));
    return formats.get(code);
  });
}

function readBoundSheet(
  { bytes, from, to }: { bytes: Buffer; from: number; to: number },
  isUnicode: boolean,
  decodePage: DecodePage,
): ListedSheet {
  const length = bytes.readUInt8(from + 6);
  const isWide = isUnicode && (bytes.readUInt8(from + 7) & 1) !== 0;
  const nameFrom = from + (isUnicode ? 8 : 7);
  const raw = bytes.subarray(nameFrom, Math.min(to, nameFrom + length * (isWide ? 2 : 1)));
  const name = !isUnicode ? decodePage(raw) : raw.toString(isWide ? "utf16le" : "latin1");
  return {
    name,
    offset: bytes.readUInt32LE(from),
    isHidden: (bytes.readUInt8(from + 4) & 3) !== 0,
    hasCells: bytes.readUInt8(from + 5) === 0,
  };
}

function readSharedStrings(records: BiffRecords): readonly (SheetCell | undefined)[] {
  const count = records.bytes.readUInt32LE(records.from + 4);
  const pieces = new RecordPieces(records, records.from + 8);
  const strings: (SheetCell | undefined)[] = [];
  while (strings.length < count) strings.push(makeTextCell(readUnicode(pieces, pieces.readNumber(2))));
  return strings;
}

const encrypted = (file: string): LeatError =>
  new LeatError("WORKBOOK_ENCRYPTED", {
    message: `${file}: The workbook is protected by a password.`,
    details: { file },
  });

/** What a damaged file does to its reader is one error to people, and names the sheet. */
function guard<Result>(file: string, sheet: string | undefined, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (isLeatError(error)) throw error;
    const where = sheet === undefined ? file : `${file}, sheet "${sheet}"`;
    const details = { file, ...(sheet !== undefined && { sheet }) };
    if (error instanceof CodePageError) {
      throw new LeatError("FILE_ENCODING", {
        message: `${where}: ${error.message}, which is not read.`,
        hint: "Save it as .xlsx with a spreadsheet program.",
        details,
      });
    }
    if (!(error instanceof RangeError || error instanceof CompoundError)) throw error;
    throw new LeatError("WORKBOOK_DAMAGED", {
      message: `${where}: It is cut off or damaged.`,
      details,
      cause: error,
    });
  }
}
