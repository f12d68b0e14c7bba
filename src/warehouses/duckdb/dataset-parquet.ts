/** Rows in their order: what names a version, and the Parquet files that hold it. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { DatasetSpec } from "../../ports/dataset.ts";
import type { WrittenPart } from "../../ports/dataset-engine.ts";
import { canonicalSql, columnList, orderBy, scratchTables } from "./dataset-columns.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { quoteText } from "./sql-text.ts";

const { typed, sorted } = scratchTables;

/** Rows hashed by one statement: their text, some MB, is held in memory. Part of the version's definition. */
const blockRows = 65_536;

/** Rows of a row group: the engine's own default, and the unit of a part. */
const groupRows = 122_880;

/** A part has at most so many row groups: 0.98 million rows. */
const partGroupsMax = 8;

/** Default of the text that a part holds at most, by the average row; compressed it is a tenth or less. */
export const partTextBytesDefault: number = 256 * 1024 * 1024;

/** Sorts the rows, and hashes their canonical text: a JSON array of text or null a row, in the order of the columns. */
export async function arrangeRows(
  session: DuckDbSession,
  spec: DatasetSpec,
): Promise<Readonly<{ rowCount: number; textBytes: number; rowsHash: string }>> {
  // The order in which rows are inserted is the order of their rowid.
  await session.run("SET preserve_insertion_order = true");
  await session.run(
    `CREATE TABLE ${sorted} AS SELECT ${columnList(spec)} FROM ${typed} ORDER BY ${orderBy(spec.sort)}`,
  );
  await session.run(`DROP TABLE ${typed}`);
  const [counted] = await session.rows(`SELECT count(*) AS held FROM ${sorted}`);
  const rowCount = Number(counted!["held"]);
  const hash = createHash("sha256");
  const texts = spec.columns.map(canonicalSql).join(", ");
  let textBytes = 0;
  for (let from = 0; from < rowCount; from += blockRows) {
    const [block] = await session.rows(
      `SELECT sha256(string_agg(line, chr(10) ORDER BY place)) AS hash, sum(strlen(line)) AS bytes
       FROM (SELECT rowid AS place, CAST(json_array(${texts}) AS VARCHAR) AS line FROM ${sorted}
             WHERE rowid >= ${from} AND rowid < ${from + blockRows})`,
    );
    hash.update(String(block!["hash"]));
    textBytes += Number(block!["bytes"]);
  }
  return { rowCount, textBytes, rowsHash: hash.digest("hex") };
}

/** Writes the sorted rows as Parquet files of whole row groups: equal rows give equal bytes. */
export async function writeParquet(
  session: DuckDbSession,
  spec: DatasetSpec,
  rows: Readonly<{ rowCount: number; textBytes: number; partTextBytesMax: number }>,
  folder: string,
): Promise<readonly WrittenPart[]> {
  await mkdir(folder, { recursive: true });
  const averageBytes = Math.max(1, rows.textBytes / Math.max(1, rows.rowCount));
  const groups = Math.floor(rows.partTextBytesMax / averageBytes / groupRows);
  const partRows = groupRows * Math.min(partGroupsMax, Math.max(1, groups));
  const parts: WrittenPart[] = [];
  // With several threads the engine decides anew each time which rows make a group.
  await session.run("SET threads = 1");
  for (let from = 0; from < Math.max(rows.rowCount, 1); from += partRows) {
    const file = path.join(folder, `part-${String(parts.length + 1).padStart(5, "0")}.parquet`);
    const held = await session.run(
      `COPY (SELECT ${columnList(spec)} FROM ${sorted} WHERE rowid >= ${from} AND rowid < ${from + partRows} ORDER BY rowid)
       TO ${quoteText(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows})`,
    );
    parts.push({ path: file, rows: held });
  }
  await session.run("RESET threads");
  return parts;
}
