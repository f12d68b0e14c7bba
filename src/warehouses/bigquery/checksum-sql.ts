/**
 * A checksum of landed rows that does not depend on the order of rows or columns, nor on columns that hold nothing.
 *
 * Each cell is hashed with its key, a row's cells are added up and hashed with the row's own columns, and the rows of a
 * package are added up. Hashes are cut to twelve digits, so that sums of nine million stay within 64 bits.
 */
import type { CatalogColumn } from "../../model/plan-schema.ts";
import { leatColumns } from "../../model/stream.ts";
import { type CatalogStream, ofStream } from "./catalog.ts";
import { quoteName, quoteText } from "./sql-text.ts";

const hash = (text: string): string => `MOD(FARM_FINGERPRINT(${text}), 1000000000000)`;

/** Rows of `tenant`, `seq`, `held` and `checksum` (text) for every package in ledger or table. */
export function checksumSql(
  stream: CatalogStream,
  columns: readonly CatalogColumn[],
  paths: Readonly<{ landing: string; loads: string }>,
): string {
  const cells = columns
    .filter(({ type }) => type.type !== "unknown")
    .map(({ key, name }) => {
      const cell = quoteName(name);
      return `CASE WHEN ${cell} IS NULL THEN 0 ELSE ${hash(`CONCAT(${quoteText(`${key}=`)}, CAST(${cell} AS STRING))`)} END`;
    });
  const own = [
    `CAST(${leatColumns.row} AS STRING)`,
    `CAST(UNIX_MICROS(${leatColumns.extractedAt}) AS STRING)`,
  ];
  if (stream.partitionColumn !== undefined) own.push(`IFNULL(${quoteName(stream.partitionColumn)}, '')`);
  const sum = cells.length === 0 ? "0" : cells.join(" + ");
  const row = hash(`CONCAT(CAST(${sum} AS STRING), ' ', ${own.join(", ' ', ")})`);
  const packages =
    `SELECT ${quoteName(stream.tenantColumn)} AS tenant, ${leatColumns.package} AS seq, COUNT(*) AS held, ` +
    `SUM(${row}) AS total FROM ${paths.landing} GROUP BY 1, 2`;
  const ledger = `SELECT tenant, seq FROM ${paths.loads} WHERE ${ofStream({ source: stream.source, name: stream.stream })}`;
  return (
    "SELECT tenant, seq, IFNULL(p.held, 0) AS held, CAST(IFNULL(p.total, 0) AS STRING) AS checksum " +
    `FROM (${ledger}) AS l FULL JOIN (${packages}) AS p USING (tenant, seq) ORDER BY tenant, seq`
  );
}
