/** What .xlsx may be like beside what one program writes. */
import { describe, expect, test } from "vitest";
import { makeXlsx, makeZip, xlsxParts } from "./make-zip.ts";
import { readBytes, readOnly, refusal } from "./read-cells.ts";

const row = (inner: string, attributes = 'r="1"'): string => `<row ${attributes}>${inner}</row>`;

describe("cells", () => {
  test("without places follow each other, and rows without numbers too", async () => {
    const rows = `<row><c><v>1</v></c><c r="D1"><v>2</v></c><c><v>3</v></c></row><row r="5"><c><v>4</v></c></row><row><c><v>5</v></c></row>`;
    expect(await readOnly(makeXlsx({ rows }))).toEqual({ A1: 1, D1: 2, E1: 3, A5: 4, A6: 5 });
  });

  test("out of order in their row are put where they belong", async () => {
    const rows = row('<c r="C1"><v>3</v></c><c r="A1"><v>1</v></c><c r="B1"/>');
    expect(await readOnly(makeXlsx({ rows }))).toEqual({ C1: 3, A1: 1 });
  });

  test("may be written with blanks, either quotes, prefixes, comments and instructions", async () => {
    const sheet = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
      <!-- made by hand -->
      <x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main">
        <x:sheetData >
          <x:row  r = '1' spans="1:2" ><!-- a row --><x:c t = 'str'  r="A1" ><x:v>a &lt; b &amp; c &#233;&#x20AC;</x:v ></x:c>
            <?why not?><x:c r="B1"
              t="inlineStr"><x:is><x:t>in <![CDATA[<row> & ]]>line</x:t></x:is></x:c></x:row>
        </x:sheetData><x:mergeCells><x:mergeCell ref="A1:B2"/></x:mergeCells>
      </x:worksheet>`;
    const [read] = await readBytes(makeXlsx({ sheet }));
    expect(read!.cells).toEqual({
      A1: { kind: "text", text: "a < b & c é€" },
      B1: { kind: "text", text: "in <row> & line" },
    });
    expect(read!.merges).toEqual([{ top: 1, left: 0, bottom: 2, right: 1 }]);
  });

  test("hold text of runs without what tells how to say it, with escapes and blanks", async () => {
    const strings =
      "<si><r><rPr><b/></rPr><t>one</t></r><r><t xml:space='preserve'> two</t></r><rPh sb='0' eb='1'><t>wan</t></rPh></si>" +
      "<si><t>line_x000D_\nend _x005F_x0041_ _xD83D__xDE00_</t></si><si><t/></si><si><t> kept </t></si><si/>";
    const rows = row([0, 1, 2, 3, 4].map((index) => `<c t="s"><v>${index}</v></c>`).join(""));
    expect(await readOnly(makeXlsx({ rows, strings }))).toEqual({
      A1: "one two",
      B1: "line\r\nend _x0041_ 😀",
      D1: " kept ",
    });
  });

  test("hold what a formula came to, and say where it came to nothing yet", async () => {
    const rows = row(
      '<c r="A1"><f>SUM(B1:B2)</f><v>3.5</v></c><c r="B1" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>' +
        '<c r="C1" t="str"><f>""</f><v></v></c><c r="D1" t="b"><f>TRUE()</f><v>1</v></c>' +
        '<c r="E1" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="F1"><f>NOW()</f></c><c r="G1"><f t="shared" si="0"/><v>2</v></c>',
    );
    expect(await readOnly(makeXlsx({ rows }))).toEqual({
      A1: 3.5,
      B1: "ab",
      D1: true,
      E1: { error: "#DIV/0!" },
      F1: { error: "(formula without a value)" },
      G1: 2,
    });
  });

  test("hold numbers as they are stored, in their shortest text", async () => {
    const stored = [
      "0.1",
      "0.10000000000000001",
      "1E-7",
      "-12.50",
      "1e+21",
      "-0",
      "12345678901234567",
      "1234567890123456789",
    ];
    const rows = row(stored.map((text) => `<c><v>${text}</v></c>`).join(""));
    const [sheet] = await readBytes(makeXlsx({ rows }));
    const texts = Object.values(sheet!.cells).map((cell) => (cell.kind === "number" ? cell.text : cell.kind));
    expect(texts).toEqual([
      "0.1",
      "0.1",
      "1e-7",
      "-12.5",
      "1e+21",
      "0",
      "12345678901234567",
      "1234567890123456789",
    ]);
  });

  test("show codes as their format does", async () => {
    const formats = ["00000", '"E"00000000', "000\\-00", "0%", "#,##0.0"];
    const values = [7, 6000053, 12345, 0.285, 1234567.25];
    const rows = row(values.map((value, index) => `<c s="${index + 1}"><v>${value}</v></c>`).join(""));
    const [sheet] = await readBytes(makeXlsx({ rows, formats }));
    const shown = Object.values(sheet!.cells).map((cell) =>
      cell.kind === "number" ? cell.shown : undefined,
    );
    expect(shown).toEqual(["00007", "E06000053", "123-45", "29%", "1,234,567.3"]);
  });
});

describe("dates", () => {
  test("of both systems come from the number and the format", async () => {
    const formats = ["yyyy\\-mm\\-dd", "hh:mm", "d/m/yyyy hh:mm", "[h]:mm", 'General" d"'];
    const cells = [
      '<c s="1"><v>43131</v></c>',
      '<c s="2"><v>0.4375</v></c>',
      '<c s="3"><v>43131.5</v></c>',
      '<c s="4"><v>1.5</v></c>',
      '<c s="5"><v>43131</v></c>',
    ];
    const rows = row(cells.join(""));
    const in1900 = await readOnly(makeXlsx({ rows, formats }));
    expect(in1900).toEqual({
      A1: "2018-01-31",
      B1: "10:30:00",
      C1: "2018-01-31T12:00:00",
      D1: 1.5,
      E1: 43131,
    });
    const in1904 = await readOnly(
      makeXlsx({ rows, formats, workbookProperties: '<workbookPr date1904="true"/>' }),
    );
    expect(in1904).toEqual({ ...in1900, A1: "2022-02-01", C1: "2022-02-01T12:00:00" });
  });

  test("that strict workbooks store as text are dates as others are", async () => {
    const rows = row('<c t="d"><v>2018-01-31</v></c><c t="d"><v>2018-01-31T10:30:00.250Z</v></c>');
    const [sheet] = await readBytes(makeXlsx({ rows }));
    expect(sheet!.cells).toEqual({
      A1: { kind: "date", iso: "2018-01-31", serial: 43131 },
      B1: { kind: "date", iso: "2018-01-31T10:30:00.25", serial: expect.closeTo(43131.437503, 6) },
    });
  });
});

describe("sheets", () => {
  test("tell what is hidden", async () => {
    const sheet =
      '<worksheet><cols><col min="2" max="3" hidden="1"/><col min="5" max="5" width="9"/></cols><sheetData>' +
      '<row r="1" hidden="1"><c><v>1</v></c></row><row r="2" hidden="0"><c><v>2</v></c></row></sheetData></worksheet>';
    const [read] = await readBytes(makeXlsx({ sheet }));
    expect(read).toMatchObject({ hiddenColumns: [1, 2], hiddenRows: [1] });
    const parts = xlsxParts({ rows: "" }).map((part) =>
      part.name === "xl/workbook.xml"
        ? { ...part, content: String(part.content).replace("<sheet ", '<sheet state="veryHidden" ') }
        : part,
    );
    expect((await readBytes(makeZip(parts)))[0]!.isHidden).toBe(true);
  });

  test("without rows are empty", async () => {
    for (const sheet of [
      "<worksheet><sheetData/></worksheet>",
      "<worksheet><sheetData></sheetData></worksheet>",
    ]) {
      expect(await readOnly(makeXlsx({ sheet }))).toEqual({});
    }
  });

  test("have no rows behind their data, where buttons and pictures have theirs", async () => {
    const anchor = "<controls><from><xdr:col>1</xdr:col><xdr:row>7</xdr:row></from></controls>";
    const sheet = `<worksheet><sheetData>${row("<c><v>1</v></c>")}</sheetData>${anchor}<rowBreaks/></worksheet>`;
    expect(await readOnly(makeXlsx({ sheet }))).toEqual({ A1: 1 });
  });

  test("are found by their relations, whatever the capitals and slashes of their names", async () => {
    const parts = xlsxParts({ rows: row("<c><v>1</v></c>") }).map((part) => ({
      ...part,
      name: part.name.replace("worksheets/sheet1.xml", "WorkSheets/Sheet1.XML"),
    }));
    expect(await readOnly(makeZip(parts))).toEqual({ A1: 1 });
  });

  test("larger than what is kept are read in a stream, merged cells and all", async () => {
    const filler = "x".repeat(1000);
    let rows = "";
    for (let index = 1; index <= 18_000; index++)
      rows += `<row r="${index}"><c t="str"><v>${filler}${index}</v></c></row>`;
    const sheet = `<worksheet><cols><col min="1" max="1" hidden="1"/></cols><sheetData>${rows}</sheetData><mergeCells><mergeCell ref="A1:C1"/></mergeCells></worksheet>`;
    const [read] = await readBytes(makeXlsx({ sheet }));
    expect(Object.keys(read!.cells)).toHaveLength(18_000);
    expect(read!.cells["A18000"]).toEqual({ kind: "text", text: `${filler}18000` });
    expect(read).toMatchObject({ hiddenColumns: [0], merges: [{ top: 1, left: 0, bottom: 1, right: 2 }] });
  });
});

describe("what contradicts itself is told with its place", () => {
  test.each([
    [
      "a text that is not there",
      row('<c r="B1" t="s"><v>7</v></c>'),
      'sheet "Data": cell B1 refers to a text',
    ],
    ["no number", row('<c r="B1"><v>12,5</v></c>'), 'cell B1 holds "12,5", which is no number'],
    ["a hexadecimal number", row('<c r="B1"><v>0x10</v></c>'), 'cell B1 holds "0x10"'],
    ["a style that is not there", row('<c r="B1" s="9"><v>1</v></c>'), "cell B1 has the style 9"],
    ["an unknown type", row('<c r="B1" t="q"><v>1</v></c>'), 'has the unknown type "q"'],
    ["a cell of another row", row('<c r="B2"><v>1</v></c>'), 'row 1 has a cell "B2"'],
    ["a place that is none", row('<c r="7"><v>1</v></c>'), 'row 1 has a cell "7"'],
    ["a column beyond the last", row('<c r="XFE1"><v>1</v></c>'), 'row 1 has a cell "XFE1"'],
    ["a row beyond the last", row("<c><v>1</v></c>", 'r="1048577"'), "row 1048577 is beyond row 1048576"],
    ["an absurd row", row("<c><v>1</v></c>", 'r="99999999999"'), '"99999999999" is no number of a row'],
    [
      "a row before the one above it",
      row("<c><v>1</v></c>", 'r="3"') + row("", 'r="2"'),
      "row 2 follows row 3",
    ],
    ["an unknown entity", row('<c t="str"><v>&bomb;</v></c>'), "unknown entity &bomb;"],
    ["a row that does not end", '<row r="1"><c><v>1</v></c>', "row 1 does not end"],
    ["a date that is none", row('<c t="d"><v>yesterday</v></c>'), "which is no date"],
  ])("%s", async (_name, rows, message) => {
    const error = await refusal(readBytes(makeXlsx({ rows, strings: "<si><t>a</t></si>" }), "b.xlsx"));
    expect(error.code).toBe("WORKBOOK_DAMAGED");
    expect(error.message).toContain("b.xlsx");
    expect(error.message).toContain(message);
  });

  test("entities of its own", async () => {
    const sheet = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet><sheetData/></worksheet>';
    const error = await refusal(readBytes(makeXlsx({ sheet })));
    expect(error.message).toContain("document type declaration");
  });

  test("another encoding than UTF-8, and bytes that are none", async () => {
    const latin = '<?xml version="1.0" encoding="ISO-8859-1"?><worksheet><sheetData/></worksheet>';
    expect((await refusal(readBytes(makeXlsx({ sheet: latin })))).message).toContain("ISO-8859-1");
    const wide = Buffer.from("\ufeff<worksheet><sheetData/></worksheet>", "utf16le");
    expect((await refusal(readBytes(makeXlsx({ sheet: wide })))).message).toContain("UTF-16");
    const broken = Buffer.from(
      '<worksheet><sheetData><row><c t="str"><v>caf\xe9</v></c></row></sheetData></worksheet>',
      "latin1",
    );
    expect((await refusal(readBytes(makeXlsx({ sheet: broken })))).message).toContain("not UTF-8");
  });

  test("a list of sheets without parts", async () => {
    const parts = xlsxParts({}).filter(({ name }) => name !== "xl/worksheets/sheet1.xml");
    expect((await refusal(readBytes(makeZip(parts)))).message).toContain('of its sheet "Data" is missing');
  });
});
