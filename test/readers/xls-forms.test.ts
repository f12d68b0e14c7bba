/** What the records of an .xls may be, one by one. */
import { describe, expect, test } from "vitest";
import { f64, makeXls, record, text, u16, u32, type XlsRecord } from "./make-xls.ts";
import { readBytes, readOnly, refusal } from "./read-cells.ts";

const plainStyle = record(0xe0, 0, 0, Buffer.alloc(16));
const dateStyle = record(0xe0, 0, 14, Buffer.alloc(16));
const codeStyle = record(0xe0, 0, 164, Buffer.alloc(16));
const codeFormat = record(0x41e, 164, text("00000"));
const styles = [codeFormat, plainStyle, dateStyle, codeStyle];

const only = (records: readonly XlsRecord[], globals: readonly XlsRecord[] = []): Buffer =>
  makeXls([...styles, ...globals], [{ name: "Data", records }]);
const rk = (value: number): Buffer => u32(value);

describe("cells", () => {
  test("hold numbers in all their forms", async () => {
    const whole = (value: number): number => (value << 2) | 2;
    const upper = (value: number): number => f64(value).readInt32LE(4);
    const bytes = only([
      record(0x203, 0, 0, 0, f64(0.1)),
      record(0x27e, 0, 1, 0, rk(whole(-7))),
      record(0x27e, 0, 2, 0, rk(whole(12_345) | 1)),
      record(0x27e, 0, 3, 0, rk(upper(2.5))),
      record(0x27e, 0, 4, 0, rk(upper(250) | 1)),
      record(0xbd, 1, 1, 0, rk(whole(1)), 0, rk(whole(2)), 2, rk(whole(3)), 3),
    ]);
    expect(await readOnly(bytes, "a.xls")).toEqual({
      ...{ A1: 0.1, B1: -7, C1: 123.45, D1: 2.5, E1: 2.5 },
      ...{ B2: 1, C2: 2, D2: 3 },
    });
    const [sheet] = await readBytes(bytes, "a.xls");
    expect(sheet!.cells["D2"]).toMatchObject({ value: 3, shown: "00003" });
  });

  test("hold what formulas came to", async () => {
    const formula = (column: number, result: Buffer): XlsRecord =>
      record(0x06, 0, column, 0, result, 0, u32(0), 0);
    const special = (kind: number, value: number): Buffer =>
      Buffer.from([kind, 0, value, 0, 0, 0, 0xff, 0xff]);
    const bytes = only([
      formula(0, f64(42.5)),
      formula(1, special(0, 0)),
      record(0x4bc, Buffer.alloc(8)), // Of a formula that cells share; its text comes behind.
      record(0x207, text("née", true)),
      formula(2, special(1, 1)),
      formula(3, special(2, 0x2a)),
      formula(4, special(3, 0)),
      record(0x205, 0, 5, 0, Buffer.from([0, 0])),
      record(0x205, 0, 6, 0, Buffer.from([0x07, 1])),
    ]);
    expect(await readOnly(bytes, "a.xls")).toEqual({
      A1: 42.5,
      B1: "née",
      C1: true,
      D1: { error: "#N/A" },
      F1: false,
      G1: { error: "#DIV/0!" },
    });
  });

  test("refer to texts that go on in the next record, there in another width", async () => {
    const begun = Buffer.concat([
      u32(3),
      u32(3),
      text("first"),
      u16(8),
      Buffer.from([0]),
      Buffer.from("long", "latin1"),
    ]);
    const continued = Buffer.concat([
      Buffer.from([1]),
      Buffer.from("é€ie", "utf16le"),
      // Rich and spoken: two runs of formatting, six bytes of pronunciation.
      ...[u16(2), Buffer.from([0x0c]), u16(2), u32(6), Buffer.from("ok", "latin1"), Buffer.alloc(14)],
    ]);
    const cells = [0, 1, 2].map((index) => record(0xfd, 0, index, 0, u32(index)));
    const bytes = only(cells, [record(0xfc, begun), record(0x3c, continued)]);
    expect(await readOnly(bytes, "a.xls")).toEqual({ A1: "first", B1: "longé€ie", C1: "ok" });
  });

  test("hold text of their own, and dates of either system", async () => {
    const records = [
      record(0x204, 0, 0, 0, text("label")),
      record(0x203, 0, 1, 1, f64(1)),
      record(0x203, 1, 1, 1, f64(43_131)),
    ];
    expect(await readOnly(only(records), "a.xls")).toEqual({
      A1: "label",
      B1: "1900-01-01",
      B2: "2018-01-31",
    });
    const in1904 = only(records, [record(0x22, 1)]);
    expect(await readOnly(in1904, "a.xls")).toEqual({ A1: "label", B1: "1904-01-02", B2: "2022-02-01" });
  });

  test("come in any order, and rows in their own", async () => {
    const bytes = only([
      record(0x203, 5, 1, 0, f64(1)),
      record(0x203, 2, 3, 0, f64(2)),
      record(0x203, 2, 0, 0, f64(3)),
    ]);
    const [sheet] = await readBytes(bytes, "a.xls");
    expect(Object.keys(sheet!.cells)).toEqual(["A3", "D3", "B6"]);
  });
});

describe("sheets", () => {
  test("tell what is hidden and merged, and leave charts on them out", async () => {
    const chart = [record(0x809, 0x0600, 0x20, 0, 0), record(0x203, 9, 9, 0, f64(9)), record(0x0a)];
    const bytes = only([
      record(0x7d, 1, 2, 2000, 0, 1),
      record(0x7d, 3, 3, 2000, 0, 0),
      record(0x208, 1, 0, 1, 255, 0, 0, 0x20, 0),
      record(0x203, 1, 0, 0, f64(1)),
      ...chart,
      record(0xe5, 1, 0, 2, 0, 3),
    ]);
    const [sheet] = await readBytes(bytes, "a.xls");
    expect(sheet).toMatchObject({
      hiddenColumns: [1, 2],
      hiddenRows: [2],
      merges: [{ top: 1, bottom: 3, left: 0, right: 3 }],
      cells: { A2: { value: 1 } },
    });
    expect(Object.keys(sheet!.cells)).toEqual(["A2"]);
  });

  test("of charts and macros have no cells, and hidden ones say so", async () => {
    const bytes = makeXls(styles, [
      { name: "Données", hidden: 2, records: [record(0x203, 0, 0, 0, f64(1))] },
      { name: "Chart", kind: 2, records: [] },
      { name: "Macros", kind: 1, records: [] },
    ]);
    const sheets = await readBytes(bytes, "a.xls");
    expect(sheets.map(({ name, isHidden, hasCells }) => [name, isHidden, hasCells])).toEqual([
      ["Données", true, true],
      ["Chart", false, false],
      ["Macros", false, false],
    ]);
  });
});

describe("Excel 5", () => {
  const older = (page: number, letters: Buffer): Buffer =>
    makeXls(
      [record(0x42, page), record(0x41e, 164, Buffer.from("\x0500000", "latin1")), plainStyle, codeStyle],
      [
        {
          name: "Data",
          records: [record(0x204, 0, 0, 0, u16(letters.length), letters), record(0x203, 0, 1, 1, f64(7))],
        },
      ],
      0x0500,
    );

  test("has its texts in the code page that it says", async () => {
    expect(await readOnly(older(1252, Buffer.from([0x80, 0xe9])), "a.xls")).toEqual({ A1: "€é", B1: 7 });
    expect(await readOnly(older(1251, Buffer.from([0xcb, 0xe8])), "a.xls")).toEqual({ A1: "Ли", B1: 7 });
    expect(await readOnly(older(32_768, Buffer.from([0x8e])), "a.xls")).toEqual({ A1: "é", B1: 7 });
  });

  test("in a code page that nobody knows is refused by its number", async () => {
    const error = await refusal(readBytes(older(720, Buffer.from("a")), "a.xls"));
    expect(error).toMatchObject({
      code: "FILE_ENCODING",
      message: "a.xls: its texts are in code page 720, which is not read.",
    });
  });
});

describe("what contradicts itself is refused", () => {
  test.each([
    ["a text that is not there", record(0xfd, 0, 0, 0, u32(9))],
    ["a style that is not there", record(0x203, 0, 0, 9, f64(1))],
    ["a column beyond the last", record(0x203, 0, 256, 0, f64(1))],
    ["a number that is none", record(0x203, 0, 0, 0, f64(Number.NaN))],
    [
      "a text longer than its record",
      record(0x204, 0, 0, 0, u16(500), Buffer.from([0]), Buffer.from("short")),
    ],
    ["merged cells that do not come", record(0xe5, 400, 0, 0, 0, 0)],
  ])("%s", async (_name, cell) => {
    const error = await refusal(readBytes(only([cell]), "a.xls"));
    expect(error).toMatchObject({
      code: "WORKBOOK_DAMAGED",
      message: 'a.xls, sheet "Data": It is cut off or damaged.',
    });
  });

  test("a sheet that is somewhere else", async () => {
    const bytes = only([]);
    const at = bytes.indexOf(Buffer.from("Data", "utf16le")) - 8;
    bytes.writeUInt32LE(3, at);
    expect((await refusal(readBytes(bytes, "a.xls"))).code).toBe("WORKBOOK_DAMAGED");
  });
});
