/** The fast reader of rows: it is there, it gives what the plain scanner gives, and it is what its sources say. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileScanner } from "../../../scripts/build-scanner.ts";
import { compareScanners, type ScanCase } from "../../../test/scan/compare-scanners.ts";
import { makeCase } from "../../../test/scan/make-case.ts";
import { makeNumbers } from "../../../test/scan/make-numbers.ts";
import { parseRecordSelector } from "../../model/record-selector.ts";
import { openPlainScanner, openScanner } from "../open-scanner.ts";
import type { ScanOptions } from "../record-batch.ts";
import { openWasmRowReader } from "./wasm-row-reader.ts";

const readerOptions = { fieldCount: 2, isLines: false, depthMax: 512, recordBytesMax: 1 << 24 };
const rootArray: ScanOptions = { selector: parseRecordSelector(""), fields: ["id"], reserved: [] };

/** Both scanners over answers in chunks of 64 KiB; how many records they found. */
function compare(options: ScanOptions, ...answers: readonly string[]): number {
  const documents = answers.map((answer) => ({ bytes: Buffer.from(answer), sizes: [65_536] }));
  const pair = { plain: openPlainScanner(options), fast: openScanner(options) };
  return compareScanners(pair, { options, documents });
}

const listOf = (count: number, item: (i: number) => string): string =>
  `[${Array.from({ length: count }, (_, i) => item(i)).join(",")}]`;

test("is there on the machines that leat is tested on", () => {
  expect(openWasmRowReader(readerOptions)).toBeDefined();
});

test("is left out where its memory cannot be had, and found again where it can", () => {
  expect(openWasmRowReader({ ...readerOptions, fieldCount: 1_000_000 })).toBeUndefined();
  expect(openWasmRowReader(readerOptions)).toBeDefined();
});

test("is compiled from the sources as they are", async () => {
  const committed = readFileSync(new URL("./scanner-module.ts", import.meta.url), "utf8");
  expect(await compileScanner()).toBe(committed);
});

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const compareMade = (made: ScanCase) =>
  compareScanners({ plain: openPlainScanner(made.options), fast: openScanner(made.options) }, made);

test("numbers survive a double for one exactly when they do for the other", () => {
  fc.assert(
    fc.property(seeds, (seed) => void compareMade(makeNumbers(seed))),
    { numRuns: 60, endOnFailure: true },
  );
});

test("random answers, damaged and cut anywhere, give equal batches, columns, envelopes and failures", () => {
  fc.assert(
    fc.property(seeds, (seed) => void compareMade(makeCase(seed))),
    { numRuns: 1000, endOnFailure: true }, // A smaller seed is no smaller answer.
  );
});

describe("what outgrows the shared memory is read all the same", () => {
  test("a record of six megabytes between small ones", () => {
    const long = `{"id":2,"text":"${"x".repeat(6_000_000)}"}`;
    const small = listOf(3000, (i) => `{"id":${i}}`).slice(1, -1);
    expect(compare(rootArray, `[${small},${long},${small}]`, `[${small}]`)).toBe(9001);
  });

  test("thousands of columns, and keys below one that never come again", () => {
    const wide = (i: number) => `{"id":${i},"c${i}":1,"map":{"k${i}":${i},"l${i}":null}}`;
    expect(compare(rootArray, listOf(40_000, wide), listOf(3000, wide))).toBe(43_000);
  });

  test("one record with fifty thousand keys, then small ones", () => {
    const wide = `{"map":{${Array.from({ length: 50_000 }, (_, i) => `"key-${i}":${i}`).join(",")}}}`;
    const small = listOf(2000, (i) => `{"id":${i},"map":{"key-1":1}}`).slice(1, -1);
    expect(compare(rootArray, `[${small},${wide},${small},${wide}]`)).toBe(4002);
  });

  test("nesting deeper than the reader goes", () => {
    const nested = (levels: number) => `{"id":1,"a":${"[".repeat(levels)}${"]".repeat(levels)}}`;
    const answer = `[${[3, 1022, 1023, 1024, 1500, 1999, 2000, 3].map(nested).join(",")}]`;
    expect(compare({ ...rootArray, depthMax: 2000 }, answer)).toBe(8);
  });
});

describe("rows in unusual forms are counted alike", () => {
  test("pretty-printed, with carriage returns", () => {
    const rows = Array.from({ length: 500 }, (_, i) => ({ id: i, at: { x: [1, { y: "é" }] }, s: "a\nb" }));
    expect(compare(rootArray, JSON.stringify(rows, null, 24).replaceAll("\n", "\r\n"))).toBe(500);
  });

  test("keys in another order in each, left out, and twice in one", () => {
    const keys = ["id", "a_key_of_sixteen", "a_key_of_seventee", "b", "", "\\u0062c", "bc"];
    const row = (i: number) => {
      const members = keys.flatMap((_, k) => {
        const key = keys[(k * (1 + (i % 6)) + i) % 7]!;
        return (i + k) % 5 === 0 ? [] : [`"${key}":${i}`];
      });
      return `{${members.join(",")}}`;
    };
    expect(compare({ ...rootArray, fields: ["id", "b", "id"] }, listOf(5000, row))).toBe(5000);
  });

  test("more rows in a piece than a batch holds", () => {
    expect(
      compare(
        rootArray,
        listOf(20_000, () => "{}"),
      ),
    ).toBe(20_000);
  });
});
