/**
 * A process beside the tests of the DuckDB warehouse.
 *
 * `hold FILE`: keeps the file open until killed. `count FILE TABLE`: prints a count. `race FILE FOLDER`: loads 20
 * packages of 100 records, one by one, and prints the seqs it loaded itself. `fill FILE FOLDER`: loads a package that
 * is larger than the file may get, and prints the code of the error.
 */
import { createReadStream } from "node:fs";
import { decodePart } from "../../src/landing/part-reader.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import { landPackage } from "../../src/testing/landed-package.ts";
import { makeStreamSpec, plant } from "../../src/testing/warehouse-under-test.ts";
import { openDuckDb } from "../../src/warehouses/duckdb/open-duckdb.ts";

const [act, file = "", folder = ""] = process.argv.slice(2);
const spec = makeStreamSpec({ isMaterialized: true });
const warehouse = openDuckDb(`duckdb:${file}`, {
  quoteExact: quoteExactColumns,
  readPart: (part) => decodePart(createReadStream(part.path), part.entry.key),
  threads: 2,
  ...(act === "race" || act === "fill" ? { workFolder: folder } : {}),
});
const signal = new AbortController().signal;

async function hold(): Promise<void> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(file);
  process.stdout.write("held\n");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  instance.closeSync();
}

async function race(): Promise<void> {
  const mine: number[] = [];
  for (let seq = 1; seq <= 20; seq += 1) {
    const records = Array.from({ length: 100 }, (_, row) =>
      plant(seq * 1000 + row, "2024-01-01T00:00:00Z", `"exact":${row}.12345678901234567`),
    );
    const pack = await landPackage({ folder, tenant: "414", seq, records });
    const { packages } = await warehouse.load(spec, [pack], async () => pack, signal);
    mine.push(...packages.map((receipt) => receipt.seq));
  }
  process.stdout.write(JSON.stringify(mine));
}

async function fill(): Promise<void> {
  const text = () => Array.from({ length: 20 }, () => Math.random().toString(36)).join("");
  for (let seq = 2; seq < 20; seq += 1) {
    // Parts stay below the limit of a file's size; the database does not.
    const records = Array.from({ length: 3000 }, (_, row) => plant(row, "2024-01-01", `"v":"${text()}"`));
    const pack = await landPackage({ folder, tenant: "414", seq, records });
    packages.push(pack);
  }
  try {
    await warehouse.load(makeStreamSpec(), packages, async () => packages[0]!, signal);
    process.stdout.write("loaded");
  } catch (error) {
    process.stdout.write(String((error as { code?: string }).code)); // A LeatError, or the test says what it was.
  }
}

const packages: Awaited<ReturnType<typeof landPackage>>[] = [];
if (act === "hold") await hold();
else if (act === "race") await race();
else if (act === "fill") await fill();
else process.stdout.write(String((await warehouse.query(`SELECT count(*) FROM ${folder}`)).rows[0]![0]));
