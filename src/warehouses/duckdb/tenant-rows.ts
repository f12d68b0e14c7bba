/**
 * The rows of one tenant out of a version's Parquet files, for shares. This is the one place where rows are selected by
 * their tenant; what it has written is looked at once more by `share`, row by row.
 */
import assert from "node:assert/strict";
import { leatColumns } from "../../model/stream.ts";
import type { TenantRowsRequest } from "../../ports/share.ts";
import { withDuckDb } from "./duckdb-file.ts";
import { quotePaths } from "./package-source.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** A file of any size is read in pieces; one row group of a large one takes some hundred megabytes. */
const memoryLimit = "1GB";

/** Writes them; see `TenantVersions.writeRows`. @param paths - the version's files on this machine's disk. */
export async function writeTenantRows(
  paths: readonly string[],
  request: TenantRowsRequest,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  // A file that is not there: the engine then has a database in memory.
  const settings = { lockWaitMs: 0, memoryLimit, tempFolder: undefined, threads: 2 };
  const rows = `SELECT ${lineSql(request)} AS line FROM read_parquet(${quotePaths(paths)}) WHERE ${ofTenant(request)}`;
  await withDuckDb(`${file}.duckdb`, "read", settings, signal, async ({ run }) => {
    await run("SET preserve_insertion_order = true");
    // No quotes and no separator: a line is whole as it is, since JSON has no control character in it.
    await run(
      `COPY (${rows}) TO ${quoteText(file)} (FORMAT csv, HEADER false, DELIMITER '\u0001', QUOTE '', ESCAPE '')`,
    );
  });
}

/** The id as its bytes in hexadecimal: there is nothing in it that could be read as SQL, and text is compared by bytes. */
function ofTenant({ tenant, tenantColumn }: TenantRowsRequest): string {
  assert(tenant.isWellFormed(), "what is no text has no bytes of its own");
  const hex = Buffer.from(tenant, "utf8").toString("hex");
  return `${quoteName(tenantColumn)} = decode(from_hex('${hex}'))`;
}

/** A row as it is landed: the tenant's column first, with what stands in the row. */
function lineSql({ entry, tenantColumn, columns }: TenantRowsRequest): string {
  const types = new Map(entry.schema.columns.map(({ name, type }) => [name, type]));
  const { package: seq, row, extractedAt } = leatColumns;
  const members: readonly (readonly [string, string])[] = [
    [tenantColumn, textSql(tenantColumn)],
    [seq, `'${entry.seq}'`],
    [row, "CAST(row_number() OVER () - 1 AS VARCHAR)"],
    [extractedAt, quoteText(JSON.stringify(entry.builtAt))],
    ...columns.map((name) => [name, types.get(name) === "json" ? jsonSql(name) : textSql(name)] as const),
  ];
  const parts = members.map(
    ([name, value], at) => `${quoteText(`${at === 0 ? "{" : ","}${JSON.stringify(name)}:`)}, ${value}`,
  );
  return `concat(${parts.join(", ")}, '}')`;
}

const textSql = (name: string): string =>
  `coalesce(CAST(to_json(CAST(${quoteName(name)} AS VARCHAR)) AS VARCHAR), 'null')`;

/** A line feed in the text of JSON can only stand between its parts. */
const jsonSql = (name: string): string =>
  `coalesce(translate(CAST(${quoteName(name)} AS VARCHAR), chr(10) || chr(13), '  '), 'null')`;
