/** Damaged files end in rows or in an error for people, in bounded time. Real files, cut and bent from one seed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLeatError } from "../../src/errors/leat-error.ts";
import { CompoundFile } from "../../src/readers/xls/compound-file.ts";
import { ZipArchive } from "../../src/readers/zip/zip-archive.ts";
import { makeZip, type ZipPart } from "./make-zip.ts";
import { dataFolder, readBytes } from "./read-cells.ts";

/** Longest reading of a small damaged file, ms: on a busy machine a hundred times what it takes. */
const readingMs = 5000;

const files = [
  "messy-workbooks/readxl/biff5-rich-text-string.xls",
  "messy-workbooks/readxl/dates-1904.xls",
  "messy-workbooks/frictionless/merged-cells.xls",
  "ons-monthly-deaths/2018.xls",
  "messy-workbooks/readxl/inlineStr.xlsx",
  "messy-workbooks/purpose.xlsx",
];

async function readOrRefuse(bytes: Uint8Array, name: string): Promise<void> {
  const begun = performance.now();
  await readBytes(bytes, name).catch((error: unknown) => {
    if (!isLeatError(error)) throw error;
    expect(error.message).toContain(name);
  });
  expect(performance.now() - begun).toBeLessThan(readingMs);
}

/** Some bytes replaced; a place counts modulo the length. */
const damage = fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x3c, 0x3e, 0x7f, 0x80, 0xff)), {
  minLength: 1,
  maxLength: 8,
});

function bend(bytes: Buffer, changes: readonly (readonly [number, number])[]): Buffer {
  const bent = Buffer.from(bytes);
  for (const [place, value] of changes) bent[place % bent.length] = value;
  return bent;
}

describe.each(files)("%s", (file) => {
  const bytes = readFileSync(join(dataFolder, file));
  const name = file.split("/").at(-1)!;

  test("cut anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length }), (length) =>
        readOrRefuse(bytes.subarray(0, length), name),
      ),
      { numRuns: 40 },
    );
  });

  test("with bytes bent", async () => {
    await fc.assert(
      fc.asyncProperty(damage, (changes) => readOrRefuse(bend(bytes, changes), name)),
      { numRuns: 60 },
    );
  });
});

describe("where no checksum would tell", () => {
  test("an .xlsx whose parts are bent before they are packed", async () => {
    const file = join(dataFolder, "messy-workbooks/purpose.xlsx");
    using archive = await ZipArchive.open(file, "purpose.xlsx");
    const parts: ZipPart[] = [...archive.members.keys()].map((name) => ({
      name,
      content: archive.read(name),
    }));
    const wanted = parts.filter(({ name }) => /sheet1\.xml|sharedStrings|styles|workbook\.xml/.test(name));
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: wanted.length - 1 }), damage, async (index, changes) => {
        const chosen = wanted[index]!;
        const bent = parts.map((part) =>
          part === chosen ? { ...part, content: bend(Buffer.from(part.content), changes) } : part,
        );
        await readOrRefuse(makeZip(bent), "purpose.xlsx");
      }),
      { numRuns: 150 },
    );
  });

  test("an .xls whose stream is bent, without the file around it", async () => {
    const stream = new CompoundFile(readFileSync(join(dataFolder, "ons-monthly-deaths/2018.xls"))).read(
      "workbook",
    );
    await fc.assert(
      fc.asyncProperty(damage, fc.nat({ max: 4000 }), async (changes, from) => {
        // Near the beginning stand the records that others refer to.
        const bent = Buffer.concat([
          stream.subarray(0, 4),
          bend(
            stream.subarray(4),
            changes.map(([place, value]) => [from + (place % 3000), value]),
          ),
        ]);
        await readOrRefuse(bent, "2018.xls");
      }),
      { numRuns: 150 },
    );
  });

  test("bytes of nothing in particular, behind a beginning that promises much", async () => {
    const beginnings = ["504b0304", "d0cf11e0a1b11ae1", "0908", ""].map((hex) => Buffer.from(hex, "hex"));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...beginnings),
        fc.uint8Array({ maxLength: 2000 }),
        (beginning, rest) => readOrRefuse(Buffer.concat([beginning, rest]), "noise.xls"),
      ),
      { numRuns: 100 },
    );
  });
});
