/** What is refused by name: locked, cut off, swollen, absurd, and what is no workbook at all. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as library from "@e965/xlsx";
import { describe, expect, test } from "vitest";
import { BiffRecords, recordTypes } from "../../src/readers/xls/biff-records.ts";
import { CompoundFile } from "../../src/readers/xls/compound-file.ts";
import { makeXlsx, makeZip } from "./make-zip.ts";
import { dataFolder, readBytes, refusal } from "./read-cells.ts";

const ons = (): Buffer => readFileSync(join(dataFolder, "ons-monthly-deaths/2018.xls"));
const weekly = (): Buffer =>
  readFileSync(join(dataFolder, "uk-weekly-deaths-vintages/england_and_wales_2015.xlsx"));
const refused = (bytes: Uint8Array, name?: string): ReturnType<typeof refusal> =>
  refusal(readBytes(bytes, name));

describe("passwords", () => {
  test("an .xlsx that is encrypted lies in a compound file", async () => {
    const file = library.CFB.utils.cfb_new();
    for (const name of ["/EncryptionInfo", "/EncryptedPackage"]) {
      library.CFB.utils.cfb_add(file, name, Buffer.alloc(5000));
    }
    const bytes = library.CFB.write(file, { type: "buffer" }) as Buffer; // By `type`.
    expect(await refused(bytes, "2018.xlsx")).toMatchObject({
      code: "WORKBOOK_ENCRYPTED",
      message: "2018.xlsx: The workbook is protected by a password.",
      hint: "Save it without a password, or ask its publisher for such a copy.",
    });
  });

  test("an .xls that is encrypted says so in its second record", async () => {
    const bytes = ons();
    const stream = new CompoundFile(bytes).read("workbook");
    const records = new BiffRecords(stream, 0);
    records.next();
    records.next();
    const inFile = bytes.indexOf(stream.subarray(0, 64)) + records.from - 4;
    bytes.writeUInt16LE(recordTypes.filePass, inFile);
    expect((await refused(bytes, "2018.xls")).code).toBe("WORKBOOK_ENCRYPTED");
  });

  test("a .zip whose members are encrypted names one", async () => {
    const bytes = makeZip([{ name: "xl/workbook.xml", content: "x", declared: { flags: 1 } }]);
    const error = await refused(bytes);
    expect(error.code).toBe("WORKBOOK_ENCRYPTED");
    expect(error.message).toContain("xl/workbook.xml");
  });
});

describe("cut off or damaged", () => {
  test.each([0.2, 0.5, 0.9, 0.999])("a workbook after %d of its bytes", async (share) => {
    // What is cut off at the very end of this .xls is not the workbook.
    const older = share > 0.9 ? [] : [[ons(), "2018.xls"] as const];
    for (const [bytes, name] of [...older, [weekly(), "2015.xlsx"] as const]) {
      const error = await refused(bytes.subarray(0, Math.floor(bytes.length * share)), name);
      expect(error.code).toBe("WORKBOOK_DAMAGED");
      expect(error.message).toContain(name);
      expect(error.hint).toContain("Fetch it again");
    }
  });

  test("a part whose checksum is wrong", async () => {
    const error = await refused(makeXlsx({ rows: "", declared: { crc: 1 } }));
    expect(error.message).toContain('Its part "xl/worksheets/sheet1.xml" is cut off or damaged');
  });

  test("a part packed in an unknown way, and one that is there twice", async () => {
    expect((await refused(makeXlsx({ rows: "", declared: { method: 12 } }))).message).toContain(
      "packed by method 12",
    );
    const twice = makeXlsx({ extra: [{ name: "xl/workbook.xml", content: "<workbook/>" }] });
    expect((await refused(twice)).message).toContain('holds "xl/workbook.xml" twice');
  });
});

describe("bombs", () => {
  test("that say what they unpack to are not unpacked", async () => {
    const error = await refused(makeXlsx({ rows: "", declared: { bytes: 4_000_000_000 } }), "bomb.xlsx");
    expect(error.code).toBe("WORKBOOK_BOMB");
    expect(error.message).toMatch(/^bomb\.xlsx: \d+ bytes would unpack to 400000\d+; at most 300 times/);
  });

  test("that lie about it are unpacked as far as they said", async () => {
    const rows = " ".repeat(50_000_000);
    expect((await refused(makeXlsx({ rows, declared: { bytes: 1000 } }))).code).toBe("WORKBOOK_DAMAGED");
    expect((await refused(makeXlsx({ rows, declared: { bytes: 40_000_000 } }))).code).toBe(
      "WORKBOOK_DAMAGED",
    );
  });

  test("that are honest are told by their ratio", async () => {
    const sheet = Buffer.alloc(100_000_000, " ");
    expect((await refused(makeXlsx({ sheet }))).code).toBe("WORKBOOK_BOMB");
  });

  test("of members", async () => {
    const parts = Array.from({ length: 10_001 }, (_, index) => ({ name: `${index}`, content: "" }));
    const error = await refused(makeZip(parts));
    expect(error).toMatchObject({ code: "WORKBOOK_BOMB" });
    expect(error.message).toContain("10001 members; at most 10000");
  });

  test("in each other are no workbook", async () => {
    const inner = makeZip([{ name: "a.zip", content: makeZip([{ name: "b", content: "c" }]) }]);
    const error = await refused(makeZip([{ name: "inner.zip", content: inner }]));
    expect(error.code).toBe("FILE_NOT_WHAT_IT_SAYS");
    expect(error.message).toContain("a .zip of other files");
  });

  test("of cells in the last column are read a part at a time", async () => {
    let rows = "";
    for (let row = 1; row <= 5000; row++) rows += `<row r="${row}"><c r="XFD${row}"><v>1</v></c></row>`;
    const before = process.memoryUsage.rss();
    const [sheet] = await readBytes(makeXlsx({ rows }));
    expect(Object.keys(sheet!.cells)).toHaveLength(5000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 2 ** 20); // At once they would take 650 MB.
  });
});

describe("names of members", () => {
  test.each([
    "../../evil.xml",
    "/etc/passwd",
    "C:/evil.xml",
    "xl/../../evil.xml",
  ])("%s is refused", async (name) => {
    const error = await refused(makeXlsx({ extra: [{ name, content: "x" }] }));
    expect(error.code).toBe("WORKBOOK_DAMAGED");
    expect(error.message).toMatch(/invalid relative path|absolute path/);
  });
});

describe("what is no workbook", () => {
  const html = "<!-- saved -->\n<html><body><h1>Page not found</h1></body></html>";

  test.each([
    ["a web page", "2018.xls", Buffer.from(html), "a web page"],
    ["a web page in XHTML", "2018.xlsx", Buffer.from(`<?xml version="1.0"?>\n${html}`), "a web page"],
    ["an XML spreadsheet", "2018.xls", Buffer.from('<?xml version="1.0"?><Workbook/>'), "XML"],
    ["text", "2018.xls", Buffer.from("a\tb\n1\t2\n"), "plain text"],
    ["a PDF", "2018.xlsx", Buffer.from("%PDF-1.7"), "a PDF"],
    ["packed", "2018.xlsx", Buffer.from("1f8b0800", "hex"), "packed by gzip"],
    ["a picture", "2018.xlsx", Buffer.from("89504e470d0a1a0a0000000d", "hex"), "of no kind that is known"],
    ["empty", "2018.xlsx", Buffer.alloc(0), "empty"],
    [
      "a lock file",
      "2018/~$2018.xlsx",
      Buffer.from("\x05Maria\0\0\0"),
      "the lock file that a spreadsheet program leaves",
    ],
  ])("%s under the name %s is told as what it is", async (_kind, name, bytes, told) => {
    const error = await refused(bytes, name);
    expect(error.code).toBe("FILE_NOT_WHAT_IT_SAYS");
    expect(error.message).toContain(`${name}: It is ${told}`);
  });

  test.each([
    ["a binary workbook", ["_rels/.rels", "xl/workbook.bin"], "a binary workbook (.xlsb)"],
    ["an OpenDocument sheet", ["mimetype", "content.xml"], "an OpenDocument file (.ods)"],
    ["a text document", ["_rels/.rels", "word/document.xml"], "a text document (.docx)"],
  ])("%s", async (_kind, names, told) => {
    const error = await refused(makeZip(names.map((name) => ({ name, content: "x" }))));
    expect(error.message).toContain(`It is ${told}, no .xlsx`);
  });

  test("a compound file without a workbook", async () => {
    const file = library.CFB.utils.cfb_new();
    library.CFB.utils.cfb_add(file, "/WordDocument", Buffer.alloc(5000));
    const error = await refused(library.CFB.write(file, { type: "buffer" }) as Buffer, "a.xls"); // By `type`.
    expect(error.message).toBe("a.xls: It is a text document (.doc); there is no workbook in it.");
  });

  test("a workbook of Excel 4", async () => {
    const error = await refused(Buffer.from("0904060000001000000a000000", "hex"), "1992.xls");
    expect(error.message).toContain("Excel 4 or older");
  });

  test("a file that is not there", async () => {
    const { openWorkbook } = await import("../../src/readers/open-workbook.ts");
    expect((await refusal(openWorkbook("/nowhere/at/all", "2018.xls"))).code).toBe("FILE_UNREADABLE");
  });
});

test("a workbook under another workbook's name is read as what it is", async () => {
  expect((await readBytes(ons(), "2018.xlsx")).length).toBe(5);
  expect((await readBytes(weekly(), "2015.xls")).length).toBe(5);
});
