import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { TidyJob } from "../../ports/tidy.ts";
import { readParquetFile } from "./read-parquet-file.ts";

const folder = mkdtempSync(join(tmpdir(), "leat-parquet-"));
const path = join(folder, "shop.parquet");
const signal = new AbortController().signal;

beforeAll(async () => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`COPY (
    SELECT 12345678901234567890.123::DECIMAL(38,3) AS "Amount", 9223372036854775807::BIGINT AS "Id",
      TIMESTAMP '2020-01-02 03:04:05.123456' AS "At", [1, 2] AS "List", 'é"\\' AS "Text", NULL::INT AS "None",
      'nan'::DOUBLE AS "Odd", '\\xAA'::BLOB AS "Bytes"
  ) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
});
afterAll(() => rmSync(folder, { recursive: true }));

const jobOf = (columns: Readonly<Record<string, string>>, file = path): TidyJob => ({
  path: file,
  name: "shop.parquet",
  fields: {},
  declaration: { format: "parquet", columns: Object.keys(columns), options: { columns } },
  rowsPath: join(folder, "rows.ndjson"),
});

test("rows have the declared columns, exact in every digit", async () => {
  const columns = { id: "Id", amount: "Amount", at: "At", list: "List", text: "Text", none: "None" };
  const { rowCount, report } = await readParquetFile(jobOf(columns), signal);
  expect(readFileSync(join(folder, "rows.ndjson"), "utf8")).toBe(
    '{"id":9223372036854775807,"amount":12345678901234567890.123,"at":"2020-01-02 03:04:05.123456","list":[1,2],"text":"é\\"\\\\","none":null}\n',
  );
  expect(rowCount).toBe(1);
  expect(report).toEqual({ format: "parquet", columns, ignored: ["Odd", "Bytes"] });
});

test.each([
  [{ id: "id" }, "FILE_COLUMN_MISSING", /no column "id"/],
  [{ odd: "Odd" }, "FILE_ROW_INVALID", /"Odd" holds NaN or infinity/],
  [{ bytes: "Bytes" }, "FILE_ROW_INVALID", /"Bytes" holds bytes/],
])("%o is refused by name", async (columns, code, message) => {
  await expect(readParquetFile(jobOf(columns), signal)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test("a file that is cut off is refused by name", async () => {
  const cut = join(folder, "cut.parquet");
  writeFileSync(cut, readFileSync(path).subarray(0, 200));
  await expect(readParquetFile(jobOf({ id: "Id" }, cut), signal)).rejects.toMatchObject({
    code: "FILE_DAMAGED",
    message: expect.stringContaining("shop.parquet"),
  });
});
