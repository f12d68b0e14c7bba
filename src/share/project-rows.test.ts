import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toTenantId } from "../model/ids.ts";
import { openMask } from "./masking.ts";
import { projectRows, type RowProjection, type SharedMember } from "./project-rows.ts";

const shared = (name: string, mask?: SharedMember["mask"]): SharedMember => ({ name, mask });

/** Projects text that comes in pieces of that many bytes. */
async function project(text: string, projection: RowProjection, pieceBytes = 7): Promise<string> {
  const bytes = Buffer.from(text);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of projectRows(pieces(), projection)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

describe("rows that are shared", () => {
  test("keep the text of what is kept, under its new name, and nothing of what is not", async () => {
    const text =
      '{"a":1.10,"b":"x\\"\\\\","c":{"a":[1, "}]"],"d":"{"}}\n' +
      ' { "c" : null , "\\u0061" : 1e400 , "z" : "a" }\r\n' +
      '{}\n{"a":-0}';
    expect(
      await project(
        text,
        new Map([
          ["a", shared("n")],
          ["c", shared("c")],
        ]),
      ),
    ).toBe('{"n":1.10,"c":{"a":[1, "}]"],"d":"{"}}\n{"c":null,"n":1e400}\n{}\n{"n":-0}\n');
  });

  test("that are kept as they are go over with what stands between them, and no more", async () => {
    const keep = new Map(["a", "b", "d"].map((key) => [key, shared(key)]));
    const text =
      '{"a":1,"b":"x","c":2,"d":3}\n{"c":2,"a":1 ,"b":2}\n{"d":[1],"\\u0061":4,"b": 5}\n{"c":1}\n{"b":1,"c":{"a":1}}\n';
    expect(await project(text, keep)).toBe(
      '{"a":1,"b":"x","d":3}\n{"a":1,"b":2}\n{"d":[1],"a":4,"b":5}\n{}\n{"b":1}\n',
    );
  });

  test("are the same whatever their form and however they are cut", async () => {
    const row = fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 3 }), {
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(row, fc.nat(2)), { minLength: 1, maxLength: 5 }),
        fc.array(fc.string({ maxLength: 6 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 40 }),
        async (rows, more, pieceBytes) => {
          const keys = new Set([...more, ...rows.flatMap(([record]) => Object.keys(record).slice(0, 2))]);
          // Half of them keep their names, and may go over with their neighbours.
          const nameOf = (key: string): string => (key.length % 2 === 0 ? key : `${key}!`);
          const projection = new Map([...keys].map((key) => [key, shared(nameOf(key))]));
          const text = rows.map(
            ([record, indent]) =>
              `${JSON.stringify(record, null, " ".repeat(indent)).replaceAll("\n", " ")}\n`,
          );
          const lines = (await project(text.join(""), projection, pieceBytes)).split("\n").slice(0, -1);
          expect(lines.map((line) => JSON.parse(line))).toEqual(
            rows.map(([record]) =>
              Object.fromEntries(
                Object.entries(JSON.parse(JSON.stringify(record)) as Record<string, unknown>)
                  .filter(([key]) => keys.has(key))
                  .map(([key, value]) => [nameOf(key), value]),
              ),
            ),
          );
        },
      ),
      { numRuns: 300, seed: 20_261_121 },
    );
  });

  test.each([
    "[1]",
    '{"a":',
    '{"a" 1}',
    '{"a":1',
    '{"a":1 "b":2}',
    '{"a":"x',
    "null",
  ])("that are none (%s) are told as damaged", async (line) => {
    await expect(project(`${line}\n`, new Map())).rejects.toMatchObject({ code: "PART_CORRUPT" });
  });
});

describe("masks", () => {
  const maskOf = (tenant: string, share = "replica") =>
    openMask("0123456789abcdef", { share, tenant: toTenantId(tenant), reference: "env:SALT" });

  test("are equal for equal texts of one tenant, however written, and differ between tenants and shares", async () => {
    const mask = maskOf("414");
    const rows = '{"m":"a@b"}\n{"m":"a\\u0040b"}\n{"m":null}\n{"m":7}\n{"m":"7"}\n{"m":[ 1 ]}\n';
    const masked = (await project(rows, new Map([["m", shared("m", mask)]]))).split("\n").slice(0, -1);
    const values = masked.map((line) => (JSON.parse(line) as { m: string | null }).m);
    expect(values[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(values[1]).toBe(values[0]);
    expect(values[2]).toBeNull();
    expect(values[3]).toBe(values[4]);
    expect(new Set(values).size).toBe(4);
    for (const other of [maskOf("41"), maskOf("414", "other")])
      expect(other(Buffer.from("a@b"), 0, 3)).not.toBe(values[0]);
  });

  test("are HMAC-SHA-256 of the value, however long, and of one that was masked before", () => {
    const mask = maskOf("414");
    const key = createHmac("sha256", "0123456789abcdef")
      .update(JSON.stringify(["replica", "414"]))
      .digest();
    for (const length of [0, 1, 55, 56, 63, 64, 65, 500, 501, 1024, 1025, 70_000, 3, 0]) {
      const value = Buffer.alloc(length + 2, `${length}\u00e9`);
      const expected = createHmac("sha256", key).update(value.subarray(1, -1)).digest("hex");
      expect(mask(value, 1, length + 1), `${length} bytes`).toBe(expected);
    }
  });
});
