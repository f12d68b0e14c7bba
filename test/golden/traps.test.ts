/**
 * Each folder of `traps/` is an answer that some tool is known to spoil, and what leat makes of it: `input.json`, the
 * bytes as they came, and `expected.json`, what is landed and what is quarantined. A new trap is a new folder.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kindBits } from "../../src/model/column-kinds.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import type { RecordProblem } from "../../src/scan/record-batch.ts";
import { scanAll } from "./scan-all.ts";

type KindName = keyof typeof kindBits;
type Expected = {
  why: string;
  selector: string;
  records: ({ landed: string } | { quarantined: RecordProblem })[];
  columns?: Record<
    string,
    { kinds: KindName[]; intDigitsMax: number; scaleMax: number; hasExactNumbers: boolean }
  >;
  envelope?: unknown;
  error?: string;
  /** What the engine shows of a column read as the type its kinds ask for, in UTC. */
  typed?: Record<string, { type: string; cells: string[] }>;
};

const folder = new URL("./traps/", import.meta.url);
const cases = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => ({
    name,
    input: readFileSync(new URL(`${name}/input.json`, folder)),
    expected: JSON.parse(readFileSync(new URL(`${name}/expected.json`, folder), "utf8")) as Expected, // Ours.
  }));
/** The answer at once, byte by byte, and in an odd size. */
const chunkSizes = [Number.POSITIVE_INFINITY, 1, 7];

let duck: DuckDBConnection;
let scratch: string;
beforeAll(async () => {
  duck = await (await DuckDBInstance.create(":memory:")).connect();
  await duck.run("SET TimeZone = 'UTC'");
  scratch = await mkdtemp(join(tmpdir(), "leat-traps-"));
});
afterAll(async () => {
  duck.closeSync();
  await rm(scratch, { recursive: true });
});

describe.each(cases)("trap $name", ({ input, expected }) => {
  test.each(chunkSizes)("is landed or quarantined as expected, in chunks of %s bytes", (size) => {
    const found = scanAll(input, expected.selector, size, { reserved: ["tenant_id", "_leat_row"] });
    const records = found.records.map(({ text, problem }) =>
      problem === "none" ? { landed: text } : { quarantined: problem },
    );
    expect(records).toEqual(expected.records);
    expect(found.error?.split(" ")[0]).toBe(expected.error);
    if (expected.columns !== undefined) expect(found.columns).toEqual(bitsOf(expected.columns));
    if (expected.envelope !== undefined) expect(found.end?.envelope).toEqual(expected.envelope);
  });

  test("every token that is landed is one of the input's, in its order", () => {
    const inputTokens = tokensOf(input.toString("utf8"));
    let at = 0;
    for (const line of landedLines(expected)) {
      for (const token of tokensOf(line)) {
        at = inputTokens.indexOf(token, at) + 1;
        expect(at, `${token} of ${line.slice(0, 200)}`).toBeGreaterThan(0);
      }
    }
  });

  test("DuckDB reads the landed text back to the letter", async () => {
    const lines = landedLines(expected);
    const file = await writeLines(lines);
    const rows = await query("json", `read_ndjson_objects('${file}')`);
    expect(rows).toEqual(lines);
  });

  test("DuckDB reads every value of the quoted copy to the letter", async () => {
    const rows = landedLines(expected).map((line) => new Map(membersOf(line)));
    const keys = new Set(rows.flatMap((row) => [...row.keys()]));
    const chunks: Uint8Array[] = [];
    for await (const chunk of quoteExactColumns(oneByOne(landedLines(expected)), keys)) chunks.push(chunk);
    const file = await writeBytes(Buffer.concat(chunks));
    for (const key of keys) {
      const read = await query(...cellSql(file, key));
      expect(read, `column ${JSON.stringify(key)}`).toEqual(rows.map((row) => cellOf(row.get(key))));
    }
  });

  test("typed as its kinds ask for, a value is the same instant", async () => {
    const file = await writeLines(landedLines(expected));
    for (const [column, { type, cells }] of Object.entries(expected.typed ?? {})) {
      const read = await query(`"${column}"`, `read_ndjson('${file}', columns = {'${column}': '${type}'})`);
      expect(read).toEqual(cells);
    }
  });
});

test("every trap that was measured has its case", () => {
  expect(cases.length).toBeGreaterThanOrEqual(30);
  for (const { name, expected } of cases) expect(expected.why, name).not.toBe("");
});

function bitsOf(columns: NonNullable<Expected["columns"]>) {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      { ...column, kinds: column.kinds.reduce((bits, kind) => bits | kindBits[kind], 0) },
    ]),
  );
}

function landedLines(expected: Expected): string[] {
  return expected.records.flatMap((record) => ("landed" in record ? [record.landed] : []));
}

const tokenPattern = /"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|[{}[\]:,]/gs;

function tokensOf(text: string): string[] {
  return text.match(tokenPattern) ?? [];
}

/** The members of an object's text as decoded key and raw value: by tokens, not by the scanner. */
function membersOf(text: string): [string, string][] {
  const members: [string, string][] = [];
  let depth = 0;
  let key: string | undefined;
  let start = -1;
  for (const match of text.matchAll(tokenPattern)) {
    const [token] = match;
    if (depth === 1 && start >= 0 && (token === "," || token === "}")) {
      members.push([key!, text.slice(start, match.index).trim()]);
      start = -1;
      key = undefined;
    } else if (depth === 1 && token === ":" && start < 0) start = match.index + 1;
    else if (depth === 1 && start < 0 && token.startsWith('"')) key = JSON.parse(token) as string;
    if (token === "{" || token === "[") depth += 1;
    if (token === "}" || token === "]") depth -= 1;
  }
  return members;
}

/** What a column of text must show: a string's content, and anything else as it was written. */
function cellOf(raw: string | undefined): string | null {
  if (raw === undefined || raw === "null") return null;
  return raw.startsWith('"') ? (JSON.parse(raw) as string) : raw;
}

/** The expression of a key's cell, and the table to read it from. */
function cellSql(file: string, key: string): [string, string] {
  const text = key.replaceAll("'", "''");
  if (key === "" || key.includes("\0")) {
    // The engine has no columns of such names; the registry renames them.
    const path = text.replaceAll("~", "~0").replaceAll("/", "~1").replaceAll("\0", "' || chr(0) || '");
    return [`json ->> ('/' || '${path}')`, `read_ndjson_objects('${file}')`];
  }
  return [`"${key.replaceAll('"', '""')}"`, `read_ndjson('${file}', columns = {'${text}': 'VARCHAR'})`];
}

/** One column as text. By its bytes: the client's own decoding takes U+FEFF off the front of a value. */
async function query(cell: string, table: string): Promise<(string | null)[]> {
  const result = await duck.runAndReadAll(`SELECT hex(CAST(${cell} AS VARCHAR)) FROM ${table}`);
  return result
    .getRows()
    .map(([hex]) => (hex === null ? null : Buffer.from(String(hex), "hex").toString("utf8")));
}

let fileCount = 0;
async function writeBytes(bytes: Uint8Array): Promise<string> {
  fileCount += 1;
  const file = join(scratch, `${fileCount}.ndjson`);
  await writeFile(file, bytes);
  return file;
}

function writeLines(lines: readonly string[]): Promise<string> {
  return writeBytes(Buffer.from(lines.map((line) => `${line}\n`).join("")));
}

/** The lines as a reader might cut them: in the middle. */
async function* oneByOne(lines: readonly string[]): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  for (let at = 0; at < bytes.length; at += 5) yield bytes.subarray(at, at + 5);
}
