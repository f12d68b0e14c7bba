/** One sheet of an .xlsx: a small one is unpacked whole when it is looked at, a large one streamed each time. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { MergedRange, Sheet, SheetRow } from "../../workbook/sheet.ts";
import { readWindows } from "../xml/read-windows.ts";
import { isXmlError } from "../xml/xml-cursor.ts";
import { readFrame, type SheetFrame } from "./sheet-frame.ts";
import { type SheetContext, SheetRows } from "./sheet-rows.ts";

/** What a sheet needs of its workbook. */
export type SheetParts = Readonly<{
  file: string;
  name: string;
  index: number;
  isHidden: boolean;
  content:
    | Readonly<{ kind: "kept"; read: () => Buffer }>
    | Readonly<{ kind: "streamed"; frame: SheetFrame; open: () => AsyncIterable<Buffer> }>;
  context: Omit<SheetContext, "damaged">;
}>;

export class XlsxSheet implements Sheet {
  readonly name: string;
  readonly index: number;
  readonly isHidden: boolean;
  readonly hasCells = true;
  readonly #parts: SheetParts;
  #frame: SheetFrame | undefined;

  constructor(parts: SheetParts) {
    this.name = parts.name;
    this.index = parts.index;
    this.isHidden = parts.isHidden;
    this.#parts = parts;
    if (parts.content.kind === "streamed") this.#frame = parts.content.frame;
  }

  get merges(): readonly MergedRange[] {
    return this.#openFrame().merges;
  }

  get hiddenColumns(): ReadonlySet<number> {
    return this.#openFrame().hiddenColumns;
  }

  async *rows(): AsyncGenerator<readonly SheetRow[], void, undefined> {
    const { prefix, rowsAt } = this.#openFrame();
    const { content, context, file } = this.#parts;
    const damaged = (place: string, problem: string): LeatError =>
      damagedSheet(file, this.name, `${place} ${problem}`);
    const reader = new SheetRows({ ...context, damaged });
    try {
      if (content.kind === "kept") {
        yield* reader.read(content.read().subarray(rowsAt));
        return;
      }
      const elements = { name: "row", parent: "sheetData", prefix };
      for await (const window of readWindows(behind(content.open(), rowsAt), elements)) {
        yield* reader.read(window);
      }
    } catch (error) {
      throw toDamaged(error, file, this.name);
    }
  }

  #openFrame(): SheetFrame {
    if (this.#frame !== undefined) return this.#frame;
    const { content, file } = this.#parts;
    try {
      if (content.kind === "kept") this.#frame = readFrame(content.read());
    } catch (error) {
      throw toDamaged(error, file, this.name);
    }
    return this.#frame!;
  }
}

/** A failure of the XML as what it is to people; others as they are. */
export function toDamaged(error: unknown, file: string, sheet: string | undefined): unknown {
  if (isLeatError(error) || !isXmlError(error)) return error;
  return damagedSheet(file, sheet, error.message, error);
}

function damagedSheet(file: string, sheet: string | undefined, problem: string, cause?: unknown): LeatError {
  const where = sheet === undefined ? file : `${file}, sheet "${sheet}"`;
  return new LeatError("WORKBOOK_DAMAGED", {
    message: `${where}: ${problem}.`,
    details: { file, ...(sheet !== undefined && { sheet }) },
    cause,
  });
}

/** The stream without its first bytes. */
async function* behind(
  chunks: AsyncIterable<Buffer>,
  count: number,
): AsyncGenerator<Buffer, void, undefined> {
  let left = count;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
