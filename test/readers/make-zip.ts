/** Archives made byte by byte, honest ones and others. */
import { crc32, deflateRawSync } from "node:zlib";

export type ZipPart = Readonly<{
  name: string;
  content: string | Uint8Array;
  /** What the list says instead of the truth. */
  declared?: Readonly<{ bytes?: number; crc?: number; flags?: number; method?: number }>;
}>;

/** A zip of some parts, deflated. */
export function makeZip(parts: readonly ZipPart[]): Buffer {
  const pieces: Buffer[] = [];
  const list: Buffer[] = [];
  let offset = 0;
  for (const { name, content, declared = {} } of parts) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(20, 4);
    header.writeUInt16LE(declared.flags ?? 0, 6);
    header.writeUInt16LE(declared.method ?? 8, 8);
    header.writeUInt32LE(declared.crc ?? crc32(bytes), 14);
    header.writeUInt32LE(packed.length, 18);
    header.writeUInt32LE(declared.bytes ?? bytes.length, 22);
    header.writeUInt16LE(Buffer.byteLength(name), 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    header.copy(entry, 6, 4, 30); // The list repeats what stands before each member.
    entry.writeUInt32LE(offset, 42);
    pieces.push(header, Buffer.from(name), packed);
    list.push(entry, Buffer.from(name));
    offset += 30 + Buffer.byteLength(name) + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(Buffer.concat(list).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, ...list, end]);
}

const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

/** Parts of a workbook of one sheet, "Data"; each may be replaced or left out. */
export type XlsxParts = Readonly<{
  /** Between `<sheetData>` and its end. */
  rows?: string;
  /** The sheet's whole part. */
  sheet?: string | Uint8Array;
  strings?: string;
  /** Formats of styles 1, 2 … */
  formats?: readonly string[];
  workbookProperties?: string;
  extra?: readonly ZipPart[];
  declared?: ZipPart["declared"];
}>;

export function makeXlsx(parts: XlsxParts): Buffer {
  return makeZip(xlsxParts(parts));
}

/** The parts themselves, to be bent before they are packed. */
export function xlsxParts(parts: XlsxParts): ZipPart[] {
  const { rows = "", strings, formats = [], workbookProperties = "", extra = [], declared } = parts;
  const sheet = parts.sheet ?? `<worksheet xmlns="${main}"><sheetData>${rows}</sheetData></worksheet>`;
  const codes = formats.map(
    (code, index) => `<numFmt numFmtId="${164 + index}" formatCode="${escapeXml(code)}"/>`,
  );
  const styles = formats.map((_code, index) => `<xf numFmtId="${164 + index}"/>`);
  const relation = (id: number, type: string, target: string): string =>
    `<Relationship Id="rId${id}" Type="${office}/${type}" Target="${target}"/>`;
  const relations = (inner: string): string =>
    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${inner}</Relationships>`;
  return [
    { name: "_rels/.rels", content: relations(relation(1, "officeDocument", "xl/workbook.xml")) },
    {
      name: "xl/workbook.xml",
      content: `<workbook xmlns="${main}" xmlns:r="${office}">${workbookProperties}<sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: relations(
        relation(1, "worksheet", "worksheets/sheet1.xml") +
          relation(2, "styles", "/xl/styles.xml") +
          (strings === undefined ? "" : relation(3, "sharedStrings", "sharedStrings.xml")),
      ),
    },
    {
      name: "xl/styles.xml",
      content: `<styleSheet xmlns="${main}"><numFmts>${codes.join("")}</numFmts><cellXfs><xf numFmtId="0"/>${styles.join("")}</cellXfs></styleSheet>`,
    },
    { name: "xl/worksheets/sheet1.xml", content: sheet, ...(declared !== undefined && { declared }) },
    ...(strings === undefined
      ? []
      : [{ name: "xl/sharedStrings.xml", content: `<sst xmlns="${main}">${strings}</sst>` }]),
    ...extra,
  ];
}

const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
