/** Text files: delimiters, quotes, encodings; as sheets and as tables. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TidyDeclaration } from "../../src/ports/tidy.ts";
import { findDelimiter } from "../../src/readers/csv/find-delimiter.ts";
import { readTidyFile } from "../../src/readers/read-tidy-file.ts";
import { csv, json, ndjson, parquet } from "../../src/readers/tables/table-declaration.ts";
import { dataFolder, readBytes, readOnly, refusal } from "./read-cells.ts";
import { withFile } from "./with-file.ts";

type Row = Record<string, unknown>;

/** Rows of a file's bytes by a declaration. */
const readRows = (
  content: string | Uint8Array,
  declaration: TidyDeclaration,
  name = "file.csv",
): Promise<Row[]> =>
  withFile(content, async (path) => {
    const rows: Row[] = [];
    await readTidyFile({ path, name, fields: {} }, declaration, (values) => {
      rows.push(Object.fromEntries(declaration.columns.map((column, index) => [column, values[index]])));
    });
    return rows;
  });

const ab = { columns: { a: "A", b: "B" } };

describe("the spectrum of CSV", () => {
  const folder = join(dataFolder, "csv-spectrum");
  const cases = readdirSync(join(folder, "csvs")).map((file) => file.replace(".csv", ""));

  test("has its eleven cases", () => {
    expect(cases).toHaveLength(11);
  });

  test.each(cases)("%s is read exactly", async (name) => {
    const expected = JSON.parse(readFileSync(join(folder, "json", `${name}.json`), "utf8")) as Row[]; // The case's own.
    const columns = Object.fromEntries(Object.keys(expected[0]!).map((column) => [column, column]));
    const text = readFileSync(join(folder, "csvs", `${name}.csv`), "utf8");
    // Where the files come from, line ends were made alike; the expected values still have them.
    const rows = await readRows(
      name.endsWith("_crlf") ? text.replaceAll("\n", "\r\n") : text,
      csv({ columns }),
    );
    expect(
      rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? ""]))),
    ).toEqual(expected);
  });
});

describe("a text file as a sheet", () => {
  test("keeps ragged rows, blank lines and everything as text", async () => {
    const text = 'Deaths by area\n\nCode,Name,2018\nE1,"Bath, City of",315\nE2,York,,,\n';
    const [sheet] = await readBytes(Buffer.from(text), "2018/deaths.csv");
    expect(sheet!.name).toBe("deaths");
    expect(await readOnly(Buffer.from(text), "deaths.csv")).toEqual({
      A1: "Deaths by area",
      A3: "Code",
      B3: "Name",
      C3: "2018",
      A4: "E1",
      B4: "Bath, City of",
      C4: "315",
      A5: "E2",
      B5: "York",
    });
  });

  test.each([
    ["UTF-8 with a mark", Buffer.from("\ufeffa;é\n1;2")],
    ["UTF-16, little end first", Buffer.from("\ufeffa;é\n1;2", "utf16le")],
    ["UTF-16, big end first", Buffer.from("\ufeffa;é\n1;2", "utf16le").swap16()],
    ["old line ends", Buffer.from("a;é\r1;2\r")],
  ])("is read in %s", async (_name, bytes) => {
    expect(await readOnly(bytes, "a.csv")).toEqual({ A1: "a", B1: "é", A2: "1", B2: "2" });
  });

  test("of tabs has its delimiter in its name", async () => {
    expect(await readOnly(Buffer.from("a,b\tc\n"), "a.tsv")).toEqual({ A1: "a,b", B1: "c" });
  });

  test("that is a web page is refused", async () => {
    const error = await refusal(readBytes(Buffer.from("<!doctype html><p>Not found"), "a.csv"));
    expect(error).toMatchObject({
      code: "FILE_NOT_WHAT_IT_SAYS",
      message: "a.csv: It is a web page, not a text file.",
    });
  });
});

describe("encodings", () => {
  test("that nobody declared are refused with the byte, and read when they are", async () => {
    const bytes = Buffer.from("A,B\ncaf\xe9,\x80 5\x92\n", "latin1");
    const error = await refusal(readRows(bytes, csv(ab)));
    expect(error.code).toBe("FILE_ENCODING");
    expect(error.message).toBe("file.csv: Byte 7 (0xe9) is no text in UTF-8.");
    expect(error.hint).toContain('encoding: "windows-1252"');
    expect(await readRows(bytes, csv({ ...ab, encoding: "windows-1252" }))).toEqual([
      { a: "café", b: "€ 5’" },
    ]);
  });

  test("that have no such byte say where", async () => {
    const error = await refusal(
      readRows(Buffer.from("A,B\n1,\x81\n", "latin1"), csv({ ...ab, encoding: "windows-1252" })),
    );
    expect(error.message).toContain("Byte 6 (0x81) is no text in windows-1252");
    const cut = await refusal(readRows(Buffer.from("A,B\n1,\xc3", "latin1"), csv(ab)));
    expect(cut.details["offset"]).toBe(6);
  });

  test("a fault is found at its byte wherever it stands among others' characters", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "\n"), maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(text, text, async (before, after) => {
        const bytes = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from(after)]);
        const error = await refusal(readRows(bytes, ndjson({ columns: { a: "a" } })));
        if (error.code === "FILE_ENCODING") expect(error.details["offset"]).toBe(Buffer.byteLength(before));
        else expect(["FILE_DAMAGED", "FILE_NOT_WHAT_IT_SAYS"]).toContain(error.code);
      }),
      { numRuns: 50 },
    );
  });

  test("characters cut by the border of two pieces are whole", async () => {
    const text = `A,B\n1,${"é€😀".repeat(100_000)}\n`;
    const [row] = await readRows(text, csv(ab));
    expect(row!["b"]).toBe("é€😀".repeat(100_000));
  });
});

describe("findDelimiter", () => {
  test.each([
    ["a,b\n1,2\n", ","],
    ["a;b\n1,5;2,5\n", ";"],
    ["a\tb\n1,5\t2;5\n", "\t"],
    ["a|b|c\n1|2|3\n", "|"],
    ['title\n"x;y;z",2\n"u;v;w",4\n', ","],
    ["one\ntwo\n", ","],
    ["", ","],
  ])("of %j is %j", (sample, delimiter) => {
    expect(findDelimiter(sample, true)).toBe(delimiter);
  });
});

describe("tables of CSV", () => {
  test("give the declared columns in their order, empty fields as null, numbers as they are written", async () => {
    const text = "B,C,A\n1.50,x,007\n,y,\n";
    expect(await readRows(text, csv(ab))).toEqual([
      { a: "007", b: "1.50" },
      { a: null, b: null },
    ]);
  });

  test.each([
    ["a column that is not there", "A,Bee\n1,2\n", "FILE_COLUMN_MISSING", 'has no column "B"'],
    ["a column that is there twice", "A,B,B\n1,2,3\n", "FILE_COLUMN_MISSING", 'has the column "B" twice'],
    ["nothing at all but blank lines", "\n\n", "FILE_COLUMN_MISSING", "no records"],
    ["a row too long", "A,B\n1,2\n1,2,3\n", "FILE_ROW_INVALID", "line 3: 3 fields, where the header has 2"],
    ["a row too short", "A,B\n1,2\n\n1\n", "FILE_ROW_INVALID", "line 4: 1 fields"],
    [
      "a quote that does not end",
      'A,B\n1,"2\n3,4\n',
      "FILE_ROW_INVALID",
      "line 2: A quoted field begins and does not end",
    ],
    ["text behind a quoted field", 'A,B\n"1"x,2\n', "FILE_ROW_INVALID", "line 2: Something follows"],
  ])("refuse %s", async (_name, text, code, message) => {
    const error = await refusal(readRows(text, csv(ab)));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  test("read quotes as text where none are declared", async () => {
    expect(await readRows('A,B\n5" pipe,"x\n', csv({ ...ab, quote: null }))).toEqual([
      { a: '5" pipe', b: '"x' },
    ]);
  });

  test("are not a workbook under the name of text", async () => {
    const error = await refusal(
      readRows(readFileSync(join(dataFolder, "ons-monthly-deaths/2018.xls")), csv(ab)),
    );
    expect(error.code).toBe("FILE_NOT_WHAT_IT_SAYS");
  });
});

describe("tables of JSON", () => {
  const columns = { id: "id", name: "place.name" };

  test("are read by paths, with every digit of their numbers", async () => {
    const text =
      '{"data":{"items":[{"id":12345678901234567890,"place":{"name":"Bath"}},{"id":1.10},{"id":0.1234567890123456789}]}}';
    expect(await readRows(text, json({ columns, records: "data.items" }), "a.json")).toEqual([
      { id: "12345678901234567890", name: "Bath" },
      { id: 1.1, name: null },
      { id: "0.1234567890123456789", name: null },
    ]);
  });

  test("keep what is nested as its text", async () => {
    const text = '[{"a":{"n":12345678901234567890,"l":[1,true,null]}}]';
    expect(await readRows(text, json({ columns: { a: "a" } }), "a.json")).toEqual([
      { a: '{"n":12345678901234567890,"l":[1,true,null]}' },
    ]);
  });

  test("a record a line, blank lines and a mark between", async () => {
    const text = '\ufeff{"id":1,"place":{"name":"Bath"}}\r\n\n{"id":true}';
    expect(await readRows(text, ndjson({ columns }), "a.ndjson")).toEqual([
      { id: 1, name: "Bath" },
      { id: true, name: null },
    ]);
  });

  test.each([
    ["cut off", json({ columns }), '[{"id":1}', "FILE_DAMAGED", "no JSON, or cut off"],
    ["no array", json({ columns }), '{"id":1}', "FILE_COLUMN_MISSING", "The document is no array"],
    [
      "another array",
      json({ columns, records: "data" }),
      '{"items":[]}',
      "FILE_COLUMN_MISSING",
      '"data" is no array',
    ],
    ["a record that is none", json({ columns }), "[1]", "FILE_ROW_INVALID", "record 1: It is no object"],
    [
      "a line cut off",
      ndjson({ columns }),
      '{"id":1,"place":{"name":1}}\n{"id',
      "FILE_DAMAGED",
      "line 2: It is no JSON",
    ],
    [
      "a column in no record",
      ndjson({ columns }),
      '{"id":1}\n{"id":2}',
      "FILE_COLUMN_MISSING",
      'None of its 2 records has "place.name"',
    ],
  ] as const)("refuse %s", async (_name, declaration, text, code, message) => {
    const error = await refusal(readRows(text, declaration, "a.json"));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
});

describe("declarations", () => {
  test("are plain, frozen data", () => {
    const declaration = csv({ columns: { a: "A" }, delimiter: ";", encoding: undefined });
    expect(declaration).toEqual({
      format: "csv",
      columns: ["a"],
      options: { columns: { a: "A" }, delimiter: ";" },
    });
    expect(Object.isFrozen(declaration)).toBe(true);
    expect(JSON.parse(JSON.stringify(declaration))).toEqual(declaration);
  });

  test("tell every fault", () => {
    const declare = (): unknown => csv({ columns: {}, delimiter: ";;", encoding: "latin1" as "utf-8" }); // Wrong on purpose.
    expect(declare).toThrow(/columns.*\n.*delimiter.*\n.*encoding/);
  });

  test("of Parquet name top-level columns, and nothing else", () => {
    expect(parquet({ columns: { a: "A" } })).toMatchObject({ format: "parquet", columns: ["a"] });
    // @ts-expect-error: an archive's members are for files that are read in a stream.
    expect(() => parquet({ columns: { a: "A" }, members: "*.parquet" })).toThrow(/members/);
  });
});
