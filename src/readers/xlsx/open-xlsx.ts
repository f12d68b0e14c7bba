/** Opens .xlsx and .xlsm: a zip of XML parts, read in a stream by code of our own (see docs/decisions/010). */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { Sheet, SheetCell, Workbook } from "../../workbook/sheet.ts";
import { ZipArchive } from "../zip/zip-archive.ts";
import { type ListedSheet, type PackageParts, readPackage } from "./read-package.ts";
import { readStyles } from "./read-styles.ts";
import { readSharedStrings } from "./shared-strings.ts";
import { readStreamedFrame } from "./sheet-frame.ts";
import { toDamaged, XlsxSheet } from "./xlsx-sheet.ts";

/** Sheets up to this size are unpacked at once: quicker by half than a stream, and read again for nothing. */
const keptBytesMax = 16 * 2 ** 20;
/** Largest part that is read whole: list of sheets, relations, styles. Real ones have some hundred KiB. */
const partBytesMax = 64 * 2 ** 20;

/**
 * Opens a workbook of Office Open XML.
 *
 * @param file - what people call it, for messages.
 * @throws LeatError `WORKBOOK_DAMAGED`, `WORKBOOK_ENCRYPTED`, `WORKBOOK_BOMB`, `FILE_NOT_WHAT_IT_SAYS`,
 *   `FILE_TOO_LARGE`; reading its sheets may throw them too.
 */
export async function openXlsx(path: string, file: string): Promise<Workbook> {
  const archive = await ZipArchive.open(path, file);
  try {
    return await new XlsxOpener(archive, file).open();
  } catch (error) {
    archive[Symbol.dispose]();
    throw isLeatError(error) ? error : toDamaged(error, file, undefined);
  }
}

class XlsxOpener {
  readonly #archive: ZipArchive;
  readonly #file: string;
  /** Names of parts are told apart without regard to capitals; some programs write backslashes. */
  readonly #members: ReadonlyMap<string, string>;
  /** The sheet last unpacked: rules of layout go over one several times before they go to the next. */
  #kept: { member: string; bytes: Buffer } | undefined;

  constructor(archive: ZipArchive, file: string) {
    this.#archive = archive;
    this.#file = file;
    this.#members = new Map([...archive.members.keys()].map((name) => [normalize(name), name]));
  }

  async open(): Promise<Workbook> {
    this.#refuseOtherZips();
    const parts = readPackage({
      find: (part) => this.#members.get(normalize(part)),
      read: (member) => this.#readPart(member),
      damaged: (problem) =>
        new LeatError("WORKBOOK_DAMAGED", {
          message: `${this.#file}: ${problem}.`,
          details: { file: this.#file },
        }),
    });
    const formats = parts.styles === undefined ? [] : readStyles(this.#readPart(parts.styles));
    const strings = await this.#readStrings(parts);
    const context = { strings, formats, is1904: parts.is1904 };
    const sheets: Sheet[] = [];
    for (const [index, listed] of parts.sheets.entries())
      sheets.push(await this.#openSheet(listed, index, context));
    return { sheets, close: async () => this.#archive[Symbol.dispose]() };
  }

  async #openSheet(
    { name, isHidden, part }: ListedSheet,
    index: number,
    context: ConstructorParameters<typeof XlsxSheet>[0]["context"],
  ): Promise<Sheet> {
    if (part === undefined) {
      return { name, index, isHidden, hasCells: false, merges: [], hiddenColumns: new Set(), rows: noRows };
    }
    const shared = { file: this.#file, name, index, isHidden, context };
    if (this.#archive.members.get(part)!.bytes <= keptBytesMax) {
      return new XlsxSheet({ ...shared, content: { kind: "kept", read: () => this.#readKept(part) } });
    }
    const open = () => this.#archive.stream(part);
    try {
      const frame = await readStreamedFrame(open());
      return new XlsxSheet({ ...shared, content: { kind: "streamed", frame, open } });
    } catch (error) {
      throw toDamaged(error, this.#file, name);
    }
  }

  #readKept(member: string): Buffer {
    if (this.#kept?.member !== member) this.#kept = { member, bytes: this.#archive.read(member) };
    return this.#kept.bytes;
  }

  #readPart(member: string): Buffer {
    const { bytes } = this.#archive.members.get(member)!;
    if (bytes > partBytesMax) throw this.#tooLarge(`its part "${member}" has ${bytes} bytes`, partBytesMax);
    return this.#archive.read(member);
  }

  async #readStrings({ sharedStrings }: PackageParts): Promise<readonly (SheetCell | undefined)[]> {
    if (sharedStrings === undefined) return [];
    const { bytes } = this.#archive.members.get(sharedStrings)!;
    const chunks =
      bytes <= keptBytesMax ? [this.#archive.read(sharedStrings)] : this.#archive.stream(sharedStrings);
    return readSharedStrings(chunks, (count) => this.#tooLarge("it has too many shared texts", count));
  }

  #tooLarge(problem: string, max: number): LeatError {
    return new LeatError("FILE_TOO_LARGE", {
      message: `${this.#file}: ${problem}; at most ${max} are read.`,
      hint: "Save it as .csv, or split it.",
      details: { file: this.#file, max },
    });
  }

  /** Says what another kind of zip is, where its members tell. */
  #refuseOtherZips(): void {
    if (this.#members.has("xl/workbook.xml") || this.#members.has("_rels/.rels")) {
      if (this.#members.has("xl/workbook.bin")) throw this.#notXlsx("a binary workbook (.xlsb)");
      if (this.#members.has("word/document.xml")) throw this.#notXlsx("a text document (.docx)");
      return;
    }
    const mimetype = this.#members.get("mimetype");
    const isOpenDocument = mimetype !== undefined && this.#members.has("content.xml");
    throw this.#notXlsx(isOpenDocument ? "an OpenDocument file (.ods)" : "a .zip of other files");
  }

  #notXlsx(kind: string): LeatError {
    const members = [...this.#archive.members.keys()].slice(0, 20);
    return new LeatError("FILE_NOT_WHAT_IT_SAYS", {
      message: `${this.#file}: It is ${kind}, no .xlsx.`,
      hint: "Save it as .xlsx; files inside of a .zip are read by `members` of the declaration.",
      details: { file: this.#file, members },
    });
  }
}

const normalize = (name: string): string => name.replaceAll("\\", "/").replace(/^\/+/, "").toLowerCase();

async function* noRows(): AsyncGenerator<never, void, undefined> {}
