import { DuckDBInstance } from "@duckdb/node-api";
import fc from "fast-check";
import { expect, test } from "vitest";
import { scanAll } from "../../test/golden/scan-all.ts";
import { kindBits } from "../model/column-kinds.ts";
import { stringKind } from "./string-kind.ts";

const names = new Map<number, string>(Object.entries(kindBits).map(([name, bit]) => [bit, name]));

function kindOf(text: string): string {
  const bytes = Buffer.from(text);
  return names.get(stringKind(bytes, 0, bytes.length))!;
}

test.each([
  ["2024-02-29", "date"],
  ["2000-02-29", "date"],
  ["0001-01-01", "date"],
  ["9999-12-31", "date"],
  ["2024-01-01T00:00", "timestamp"],
  ["2024-01-01 23:59:59", "timestamp"],
  ["2024-01-01T00:00:00.1", "timestamp"],
  ["2024-01-01T00:00:00.123456000000", "timestamp"],
  ["2024-01-01T00:00:00Z", "timestampTz"],
  ["2024-01-01 00:00:00.5+02", "timestampTz"],
  ["2024-01-01T00:00:00-0330", "timestampTz"],
  ["2024-01-01T00:00:00+05:45", "timestampTz"],
  ["2024-01-01T00:00:00-18:00", "timestampTz"],
  ["0001-01-02T00:00:00+05:00", "timestampTz"],
  ["9999-12-31T18:59:59-05:00", "timestampTz"],
])("%s is a %s", (text, kind) => {
  expect(kindOf(text)).toBe(kind);
});

test.each([
  "",
  "2024",
  "2023-02-29",
  "1900-02-29",
  "2024-04-31",
  "2024-13-01",
  "2024-00-10",
  "2024-01-00",
  "0000-01-01",
  "2024-1-01",
  "2024/01/01",
  "20240101",
  "+2024-01-01",
  "2024-01-01 ",
  " 2024-01-01",
  "2024-01-01Z",
  "2024-01-01T",
  "2024-01-01T00",
  "2024-01-01T00:0",
  "2024-01-01t00:00:00",
  "2024-01-01T24:00:00",
  "2024-01-01T00:60:00",
  "2024-01-01T23:59:60",
  "2024-01-01T00:00:00.",
  "2024-01-01T00:00:00.Z",
  "2024-01-01T00:00:00,5",
  "2024-01-01T00:00:00.1234567",
  "2024-01-01T00:00Z",
  "2024-01-01T00:00:00z",
  "2024-01-01T00:00:00 Z",
  "2024-01-01T00:00:00+2",
  "2024-01-01T00:00:00+02:0",
  "2024-01-01T00:00:00+02:60",
  "2024-01-01T00:00:00+02:00:00",
  "2024-01-01T00:00:00+18:01",
  "2024-01-01T00:00:00 UTC",
  "0001-01-01T00:00:00+00:01",
  "9999-12-31T23:59:59-00:01",
])("%j is text", (text) => {
  expect(kindOf(text)).toBe("text");
});

test("escapes do not change what a string is", () => {
  const { columns } = scanAll(
    '[{"a":"\\u0032024-01-02","b":"2024\\u002d01-02T10:00:00\\u005a","c":"2024-01-02\\n"}]',
    "",
  );
  expect(columns).toMatchObject({
    a: { kinds: kindBits.date },
    b: { kinds: kindBits.timestampTz },
    c: { kinds: kindBits.text },
  });
});

test("DuckDB reads every date and timestamp as the instant that JavaScript reads", async () => {
  const two = (max: number, min = 0) => fc.integer({ min, max }).map((n) => String(n).padStart(2, "0"));
  const text = fc
    .tuple(fc.integer({ min: 1, max: 9998 }), two(12, 1), two(31, 1), two(23), two(59), two(59))
    .chain(([year, month, day, hour, minute, second]) =>
      fc
        .tuple(
          fc.constantFrom("T", " "),
          fc.stringMatching(/^(\.[0-9]{1,3}0{0,4})?$/),
          fc.constantFrom("", "Z", "+02", "-0330", "+05:45", "+18:00", "-18:00", "-00:00"),
        )
        .map(
          ([separator, fraction, zone]) =>
            `${String(year).padStart(4, "0")}-${month}-${day}${separator}${hour}:${minute}:${second}${fraction}${zone}`,
        ),
    );
  const samples = fc.sample(text, { numRuns: 300, seed: 7 });
  const duck = await (await DuckDBInstance.create(":memory:")).connect();
  await duck.run("SET TimeZone = 'UTC'");
  const kinds = new Set<string>();
  for (const sample of samples) {
    const kind = kindOf(sample);
    kinds.add(kind);
    const type = kind === "timestampTz" ? "TIMESTAMPTZ" : "TIMESTAMP";
    const read = await duck.runAndReadAll(`SELECT epoch_ms(TRY_CAST('${sample}' AS ${type}))`);
    const ms = read.getRows()[0]![0];
    if (kind === "text") expect(ms, sample).toBeNull();
    else expect(Number(ms), sample).toBe(javaScriptMs(sample));
  }
  duck.closeSync();
  expect([...kinds].sort()).toEqual(["text", "timestamp", "timestampTz"]);
});

function javaScriptMs(text: string): number {
  const [, date, time, fraction = "", zone = ""] = /^(.{10}).(.{8})(\.\d+)?(.*)$/.exec(text)!;
  const padded =
    zone === "" || zone === "Z" ? "Z" : `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}`;
  return Date.parse(`${date}T${time}${fraction.slice(0, 4)}${padded}`);
}
