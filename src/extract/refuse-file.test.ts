import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beginningBytes, endingOf, refuseBeginning, refuseEnd, refuseName } from "./refuse-file.ts";

const ole2 = Buffer.from("d0cf11e0a1b11ae1", "hex");
const zip = Buffer.from("PK\x03\x04…", "latin1");

/** Whether a file of a name may begin so. */
const isTaken = (name: string, beginning: string | Uint8Array, contentType?: string): boolean =>
  refuseBeginning(name, contentType, Buffer.from(beginning)) === undefined;

describe("a beginning", () => {
  test.each<[string, string | Uint8Array]>([
    ["a.xls", ole2],
    ["a.xls", zip],
    ["a.xlsx", zip],
    ["a.xlsx", ole2],
    ["a.xls", Buffer.from("0908100000060500", "hex")],
    ["a.xls", '<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'],
    ["a.zip", Buffer.from("PK\x05\x06", "latin1")],
    ["a.parquet", "PAR1…"],
    ["a.csv", "area,deaths\n"],
    ["a.csv", "﻿area;deaths\n"],
    ["a.csv", Buffer.from("\ufeffarea\tdeaths\n", "utf16le")],
    ["a.csv", "[1] see notes,2\n"],
    ["a.tsv", "\tdeaths\n"],
    ["a.json", '{"a":1}'],
    ["a.ndjson", '{"a":1}\n{"a":2}\n'],
    ["a.geojson", '{"type":"FeatureCollection"}'],
    ["a.xml", '<?xml version="1.0"?><deaths/>'],
    ["a.html", "<!doctype html><table>"],
    ["a.txt", "anything"],
    ["a.csv.gz", Buffer.from("1f8b08", "hex")],
    ["a.dat", Buffer.from([0, 1, 2])],
    ["a.pdf", "%PDF-1.7"],
    ["noending", "{}"],
  ])("of %s is taken", (name, beginning) => {
    expect(refuseBeginning(name, undefined, Buffer.from(beginning))).toBeUndefined();
  });

  test.each<[string, string | Uint8Array, string]>([
    ["a.xls", "  <!-- served by 7 --><HTML>", "web page"],
    ["a.xls", '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">', "web page"],
    ["a.xls", Buffer.from("\ufeff<html>", "utf16le"), "web page"],
    ["a.xls", "<table><tr><td>", "web page"],
    ["a.xlsx", '<?xml version="1.0"?><Error>', "XML"],
    ["a.csv", '{"message":"not found"}', "JSON"],
    ["a.csv", '[{"message":"not found"}]', "JSON"],
    ["a.csv", zip, "zip archive"],
    ["a.csv", ole2, "OLE2"],
    ["a.xlsx", "%PDF-1.4", "PDF"],
    ["a.parquet", "area,deaths", "does not begin as a .parquet file does"],
    ["a.json", "<html>", "web page"],
    ["a.xml", "<!DOCTYPE html><html>", "web page"],
    ["a.dat", "<!DOCTYPE html><html>", "web page"],
    ["a.zip", "PAR1", "Parquet"],
    ["a.xls", "", "empty"],
  ])("of %s that is %s is refused", (name, beginning, reason) => {
    expect(refuseBeginning(name, undefined, Buffer.from(beginning))).toContain(reason);
  });

  test("in JSON is told by what the publisher says of it too", () => {
    expect(isTaken("a.csv", "[1,2]", "application/problem+json; charset=utf-8")).toBe(false);
    expect(isTaken("a.csv", "area,deaths", "application/json")).toBe(true);
  });

  test("is quoted without what a terminal would obey, and not whole", () => {
    const reason = refuseBeginning("a.xls", undefined, Buffer.from(`\u001b[31m<html>${"x".repeat(500)}`));
    expect(reason).toMatch(/^[^\p{Cc}]{20,200}$/u);
  });

  test("of any bytes and any name is judged", () => {
    const name = fc.oneof(fc.string(), fc.constantFrom("a.xls", "a.csv", "a.json", "a.html", "a.parquet"));
    fc.assert(
      fc.property(name, fc.uint8Array({ maxLength: beginningBytes }), (called, bytes) => {
        const reason = refuseBeginning(called, undefined, bytes);
        expect(reason === undefined || reason.length > 5).toBe(true);
        if (bytes.length === 0) expect(reason).toBe("it is empty");
      }),
    );
  });
});

test("an archive without its directory and a Parquet file without its footer end in the middle", () => {
  const end = Buffer.concat([
    Buffer.from("PK\x05\x06", "latin1"),
    Buffer.alloc(18),
    Buffer.from("a comment"),
  ]);
  expect(refuseEnd(zip, end)).toBeUndefined();
  expect(refuseEnd(zip, Buffer.from("…"))).toBe("it ends in the middle");
  expect(refuseEnd(Buffer.from("PAR1"), Buffer.from("…PAR1"))).toBeUndefined();
  expect(refuseEnd(Buffer.from("PAR1"), Buffer.from("…PAR"))).toBe("it ends in the middle");
  expect(refuseEnd(Buffer.from("a,b"), Buffer.from("a,b"))).toBeUndefined();
});

test("a name tells lock files and endings", () => {
  expect(refuseName("~$2018.xlsx")).toContain("lock file");
  expect(refuseName("2018~$.xlsx")).toBeUndefined();
  expect(["a.XLS", "a.tar.gz", ".profile", "a.", "a", "a.b c"].map(endingOf)).toEqual([
    "xls",
    "gz",
    "",
    "",
    "",
    "",
  ]);
});
