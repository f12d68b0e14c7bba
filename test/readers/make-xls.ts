/** Streams of .xls, record by record. Without the compound file around them they are read as well. */

export type XlsRecord = Readonly<{ type: number; content: Buffer }>;

/** A record of numbers in two bytes each, or of bytes as they are. */
export function record(type: number, ...parts: readonly (number | Buffer)[]): XlsRecord {
  return { type, content: Buffer.concat(parts.map((part) => (typeof part === "number" ? u16(part) : part))) };
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function f64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** Text with its length in two bytes, in one byte a letter or in two. */
export function text(value: string, isWide = false): Buffer {
  const letters = Buffer.from(value, isWide ? "utf16le" : "latin1");
  return Buffer.concat([u16(value.length), Buffer.from([isWide ? 1 : 0]), letters]);
}

const print = ({ type, content }: XlsRecord): Buffer =>
  Buffer.concat([u16(type), u16(content.length), content]);

export type XlsSheet = Readonly<{
  name: string;
  kind?: number;
  hidden?: number;
  records: readonly XlsRecord[];
}>;

/** A workbook's stream: records of the whole, then each sheet. `version` 0x0600: Excel 97, 0x0500: Excel 5. */
export function makeXls(
  globals: readonly XlsRecord[],
  sheets: readonly XlsSheet[],
  version = 0x0600,
): Buffer {
  const begin = (kind: number): Buffer => print(record(0x809, version, kind, 0, 0));
  const end = print(record(0x0a));
  const bodies = sheets.map(({ records, kind = 0 }) =>
    Buffer.concat([begin(kind === 2 ? 0x20 : 0x10), ...records.map(print), end]),
  );
  const list = (offsets: readonly number[]): Buffer =>
    Buffer.concat(
      sheets.map(({ name, kind = 0, hidden = 0 }, index) => {
        const isUnicode = version === 0x0600;
        const letters = Buffer.from(name, isUnicode ? "utf16le" : "latin1");
        const head = Buffer.from(isUnicode ? [hidden, kind, name.length, 1] : [hidden, kind, name.length]);
        return print({ type: 0x85, content: Buffer.concat([u32(offsets[index]!), head, letters]) });
      }),
    );
  const head = Buffer.concat([begin(5), ...globals.map(print)]);
  let offset = head.length + list(sheets.map(() => 0)).length + end.length;
  const offsets = bodies.map((body) => {
    const at = offset;
    offset += body.length;
    return at;
  });
  return Buffer.concat([head, list(offsets), end, ...bodies]);
}
