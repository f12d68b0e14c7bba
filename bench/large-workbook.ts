/** A large .xlsx, written as it is made: `writeLargeWorkbook(path, rows)`. Equal arguments give equal bytes. */
import { once } from "node:events";
import { closeSync, openSync, writeSync } from "node:fs";
import { crc32, createDeflateRaw } from "node:zlib";

/** Columns of a row: three texts, a date, five whole numbers with separators of thousands, three decimals. */
export const largeColumns = 12;
const texts = 400;
/** Text handed to the packer at once. */
const pieceLength = 64 * 1024;

const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const packaging = "http://schemas.openxmlformats.org/package/2006";
const contentType = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/** Writes the file. @returns the bytes of the sheet before they were packed. */
export async function writeLargeWorkbook(path: string, rows: number): Promise<number> {
  const zip = new ZipWriter(path);
  const relation = (id: number, type: string, target: string) =>
    `<Relationship Id="rId${id}" Type="${office}/${type}" Target="${target}"/>`;
  const relations = (inner: string) => [
    `<Relationships xmlns="${packaging}/relationships">${inner}</Relationships>`,
  ];
  const part = (name: string, type: string) =>
    `<Override PartName="${name}" ContentType="${contentType}.${type}+xml"/>`;
  await zip.add("[Content_Types].xml", [
    `<Types xmlns="${packaging}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
      part("/xl/workbook.xml", "sheet.main") +
      part("/xl/worksheets/sheet1.xml", "worksheet") +
      part("/xl/styles.xml", "styles") +
      part("/xl/sharedStrings.xml", "sharedStrings") +
      "</Types>",
  ]);
  await zip.add("_rels/.rels", relations(relation(1, "officeDocument", "xl/workbook.xml")));
  await zip.add("xl/workbook.xml", [
    `<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  ]);
  await zip.add(
    "xl/_rels/workbook.xml.rels",
    relations(
      relation(1, "worksheet", "worksheets/sheet1.xml") +
        relation(2, "styles", "styles.xml") +
        relation(3, "sharedStrings", "sharedStrings.xml"),
    ),
  );
  await zip.add("xl/styles.xml", [
    `<styleSheet xmlns="${main}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/></numFmts>` +
      '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>' +
      '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="3"/><xf numFmtId="164"/></cellXfs></styleSheet>',
  ]);
  const items = Array.from({ length: texts }, (_, index) => `<si><t>Local authority ${index}</t></si>`);
  await zip.add("xl/sharedStrings.xml", [
    `<sst xmlns="${main}" count="${rows * 3}" uniqueCount="${texts}">${items.join("")}</sst>`,
  ]);
  const bytes = await zip.add("xl/worksheets/sheet1.xml", sheetPieces(rows));
  zip.finish();
  return bytes;
}

function* sheetPieces(rows: number): Generator<string> {
  let seed = 1;
  const draw = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((seed / 0x80000000) * below);
  };
  let text = `<worksheet xmlns="${main}"><dimension ref="A1:L${rows}"/><sheetData>`;
  for (let row = 1; row <= rows; row++) {
    text += `<row r="${row}" spans="1:12">`;
    for (const letter of "ABC") text += `<c r="${letter}${row}" t="s"><v>${draw(texts)}</v></c>`;
    text += `<c r="D${row}" s="2"><v>${36_526 + draw(9000)}</v></c>`;
    for (const letter of "EFGHI") text += `<c r="${letter}${row}" s="1"><v>${draw(5000)}</v></c>`;
    for (const letter of "JKL") text += `<c r="${letter}${row}"><v>${draw(1_000_000) / 10_000}</v></c>`;
    text += "</row>";
    if (text.length < pieceLength) continue;
    yield text;
    text = "";
  }
  yield `${text}</sheetData></worksheet>`;
}

class ZipWriter {
  readonly #fd: number;
  readonly #list: Buffer[] = [];
  #position = 0;

  constructor(path: string) {
    this.#fd = openSync(path, "w");
  }

  async add(name: string, pieces: Iterable<string>): Promise<number> {
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(20, 4);
    header.writeUInt16LE(8, 8);
    header.writeUInt16LE(Buffer.byteLength(name), 26);
    const start = this.#position;
    this.#write(header);
    this.#write(Buffer.from(name));
    const [checksum, packed, bytes] = await this.#pack(pieces);
    header.writeUInt32LE(checksum, 14);
    header.writeUInt32LE(packed, 18);
    header.writeUInt32LE(bytes, 22);
    writeSync(this.#fd, header, 0, header.length, start);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    header.copy(entry, 6, 4, 30);
    entry.writeUInt32LE(start, 42);
    this.#list.push(entry, Buffer.from(name));
    return bytes;
  }

  finish(): void {
    const list = Buffer.concat(this.#list);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(this.#list.length / 2, 8);
    end.writeUInt16LE(this.#list.length / 2, 10);
    end.writeUInt32LE(list.length, 12);
    end.writeUInt32LE(this.#position, 16);
    this.#write(list);
    this.#write(end);
    closeSync(this.#fd);
  }

  async #pack(pieces: Iterable<string>): Promise<[number, number, number]> {
    const packer = createDeflateRaw();
    let [checksum, packed, bytes] = [0, 0, 0];
    packer.on("data", (chunk: Buffer) => {
      this.#write(chunk);
      packed += chunk.length;
    });
    const ended = once(packer, "end");
    for (const piece of pieces) {
      const chunk = Buffer.from(piece);
      checksum = crc32(chunk, checksum);
      bytes += chunk.length;
      if (!packer.write(chunk)) await once(packer, "drain");
    }
    packer.end();
    await ended;
    return [checksum, packed, bytes];
  }

  #write(bytes: Buffer): void {
    writeSync(this.#fd, bytes, 0, bytes.length, this.#position);
    this.#position += bytes.length;
  }
}
