/**
 * A checksum of landed rows that does not depend on the order of rows or columns, nor on columns that hold nothing.
 *
 * Each cell is hashed with its key, a row's cells are added up and hashed with the row's own columns, and the rows of a
 * package are added up. The engine's hash may change with its version: compare checksums made by one version.
 */
import type { CatalogColumn } from "../../model/plan-schema.ts";
import { leatColumns } from "../../model/stream.ts";
import { type CatalogStream, ofStream } from "./catalog.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** Rows of `tenant`, `seq`, `held` and `checksum` (text) for every package in ledger or table. */
export function checksumSql(stream: CatalogStream, columns: readonly CatalogColumn[]): string {
  const cells = columns.map(({ key, name }) => {
    const cell = quoteName(name);
    return `CASE WHEN ${cell} IS NULL THEN 0 ELSE hash(${quoteText(key)}, ${cell})::HUGEINT END`;
  });
  const own: string[] = [leatColumns.row, leatColumns.extractedAt];
  if (stream.partitionColumn !== undefined) own.push(quoteName(stream.partitionColumn));
  const row = `hash(${[addUp(cells), ...own].join(", ")})`;
  const packages =
    `SELECT ${quoteName(stream.tenantColumn)} AS tenant, ${leatColumns.package} AS seq, count(*) AS held, ` +
    `sum(${row}::HUGEINT) AS total FROM main.${quoteName(stream.landingTable)} GROUP BY ALL`;
  const ledger = `SELECT tenant, seq FROM main._leat_loads WHERE ${ofStream(stream)}`;
  return (
    `SELECT tenant, seq, COALESCE(held, 0) AS held, CAST(COALESCE(total, 0) AS VARCHAR) AS checksum ` +
    `FROM (${ledger}) FULL JOIN (${packages}) USING (tenant, seq) ORDER BY tenant, seq`
  );
}

/** A sum as a balanced tree: the engine bounds how deep an expression may be, and tables may be wide. */
function addUp(terms: readonly string[]): string {
  if (terms.length === 0) return "0::HUGEINT";
  if (terms.length === 1) return terms[0]!;
  const middle = terms.length >> 1;
  return `(${addUp(terms.slice(0, middle))} + ${addUp(terms.slice(middle))})`;
}
