/** What the record scanner costs, beside what it replaces: run `node bench/scan.ts`. */
import { pathToFileURL } from "node:url";
import { parseRecordSelector } from "../src/model/record-selector.ts";
import { openPlainScanner, openScanner } from "../src/scan/open-scanner.ts";
import type { RecordScanner, ScanOptions } from "../src/scan/record-batch.ts";

/** One way to handle a page, in medians of interleaved runs. */
export type ScanRate = Readonly<{ name: string; megabytesPerSecond: number; recordsPerSecond: number }>;
/** `ratioToStringify`: how many times faster than parsing a page and printing each record. */
export type ScanBench = Readonly<{
  recordBytes: number;
  rates: readonly ScanRate[];
  ratioToDecode: number;
  ratioToStringify: number;
}>;

const pageCount = 20;
const pageRecords = 1000;
const runs = 5;
/** Rounds before anything is measured: the compiler needs a second or so. */
const warmUps = 8;
/** Times that each run goes over all pages. */
const rounds = 3;
/** Bytes as a socket delivers them. */
const chunkBytes = 64 * 1024;

/** Measures scanner, UTF-8 decoding and JSON.parse with JSON.stringify per record on the same pages. */
export async function benchScan(): Promise<ScanBench> {
  const pages = Array.from({ length: pageCount }, (_, page) => makePage(page));
  const bytes = pages.reduce((sum, page) => sum + page.length, 0);
  const options: ScanOptions = {
    selector: parseRecordSelector("data.items"),
    fields: ["id", "updated_at"],
    reserved: ["tenant_id", "_leat_package", "_leat_row", "_leat_extracted_at"],
  };
  const scanner = openScanner(options);
  const plain = openPlainScanner(options);
  const ways: [string, (page: Buffer) => number][] = [
    ["scanner", (page) => scanPage(scanner, page)],
    ["utf8 decode", (page) => (page.toString("utf8").length > 0 ? pageRecords : 0)],
    ["parse + stringify", stringifyPage],
    ["plain scanner", (page) => scanPage(plain, page)],
  ];
  const seconds = ways.map((): number[] => []);
  for (let run = -warmUps; run < runs; run += 1) {
    for (const [index, [name, handle]] of ways.entries()) {
      const from = process.hrtime.bigint();
      let records = 0;
      for (let round = 0; round < rounds; round += 1) {
        for (const page of pages) records += handle(page);
      }
      const took = Number(process.hrtime.bigint() - from) / 1e9;
      if (records !== rounds * pageCount * pageRecords) throw new Error(`${name} found ${records} records`);
      if (run >= 0) seconds[index]!.push(took);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const rates = ways.map(([name], index) => {
    const median = seconds[index]!.sort((a, b) => a - b)[runs >> 1]!;
    return {
      name,
      megabytesPerSecond: (bytes * rounds) / median / 1e6,
      recordsPerSecond: (pageCount * pageRecords * rounds) / median,
    };
  });
  const [scan, decode, stringify] = rates.map((rate) => rate.megabytesPerSecond);
  return {
    recordBytes: bytes / pageCount / pageRecords,
    rates,
    ratioToDecode: scan! / decode!,
    ratioToStringify: scan! / stringify!,
  };
}

function scanPage(scanner: RecordScanner, page: Buffer): number {
  let records = 0;
  scanner.restart();
  for (let at = 0; at < page.length; at += chunkBytes) {
    scanner.push(page.subarray(at, at + chunkBytes));
    for (let batch = scanner.take(); batch !== undefined; batch = scanner.take()) {
      for (let i = 0; i < batch.count; i += 1) records += batch.problems[i] === 0 ? 1 : 0;
    }
  }
  scanner.end();
  return records;
}

function stringifyPage(page: Buffer): number {
  const document = JSON.parse(page.toString("utf8")) as { data: { items: unknown[] } }; // Made below.
  let records = 0;
  for (const item of document.data.items) records += JSON.stringify(item).length > 0 ? 1 : 0;
  return records;
}

/** A page of records of about 585 bytes: a nested object, an array, escapes, "é", an integer beyond 2^53. */
function makePage(page: number): Buffer {
  const items = Array.from({ length: pageRecords }, (_, i) => makeRecord(page * pageRecords + i));
  return Buffer.from(`{"data":{"items":[${items.join(",")}]},"next_cursor":"c${page + 1}","has_more":true}`);
}

function makeRecord(n: number): string {
  const minute = String(n % 60).padStart(2, "0");
  const day = String((n % 28) + 1).padStart(2, "0");
  const record = {
    id: 100_000 + n,
    external_id: "@",
    name: `Café plant number ${n}`,
    state: ["vegetative", "flowering", "harvested"][n % 3],
    description: `A "quoted" remark,\non two lines, with a back\\slash and some more words to fill the line ${n * 7919}`,
    location: { room: `Room ${n % 17}`, row: n % 40, position: { x: (n % 1000) / 8, y: (n % 333) / 4 } },
    tags: [`tag-${n % 5}`, "organic", `lot-${n % 97}`],
    price: (n % 10_000) / 100,
    is_active: n % 4 !== 0,
    harvested_on: n % 3 === 0 ? `2024-05-${day}` : null,
    created_at: `2024-01-${day}T08:${minute}:00Z`,
    updated_at: `2024-06-${day}T12:${minute}:${minute}.${String(n % 1000).padStart(3, "0")}Z`,
    remarks: n % 2 === 0 ? "no pests, no mould" : "some yellow leaves at the base",
    licence: `LIC-${String(n % 23).padStart(6, "0")}`,
    owner: { id: n % 500, email: `person.${n % 500}@example.org`, roles: ["grower", "auditor"] },
  };
  return JSON.stringify(record).replace('"@"', String(9_007_199_254_740_993n + BigInt(n)));
}

function printBench(bench: ScanBench): void {
  console.log(`records of ${bench.recordBytes.toFixed(0)} bytes, medians of ${runs} interleaved runs`);
  for (const { name, megabytesPerSecond, recordsPerSecond } of bench.rates) {
    const rate = `${megabytesPerSecond.toFixed(0)} MB/s`.padStart(10);
    console.log(`${name.padEnd(20)}${rate}  ${(recordsPerSecond / 1e6).toFixed(2)} M records/s`);
  }
  console.log(`scanner / utf8 decode       ${bench.ratioToDecode.toFixed(2)}`);
  console.log(`scanner / parse + stringify ${bench.ratioToStringify.toFixed(2)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) printBench(await benchScan());
