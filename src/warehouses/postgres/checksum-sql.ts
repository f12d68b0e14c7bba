/**
 * A checksum of landed rows that does not depend on the order of rows or columns, nor on columns that hold nothing.
 *
 * Each cell is hashed with its key, a row's cells are added up and hashed with the row's own columns, and the rows of a
 * package are added up. Cells are hashed as their text under the settings of leat's sessions. The server's hash may
 * change with its version: compare checksums made by one version.
 */
import { createHash } from "node:crypto";
import type { CatalogColumn } from "../../model/plan-schema.ts";
import { leatColumns } from "../../model/stream.ts";
import { type CatalogStream, ofStream, ownTable } from "./catalog.ts";
import { relationsOf } from "./landing-table.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { quoteName } from "./sql-text.ts";

/** Rows of `tenant`, `seq`, `held` and `checksum` (text) for every package in ledger or table. */
export function checksumSql(
  session: Pick<PostgresSession, "address">,
  stream: CatalogStream,
  columns: readonly CatalogColumn[],
): string {
  const spec = { ...stream, name: stream.stream };
  const cells = columns.map(({ key, name }) => {
    const seed = createHash("sha256").update(key).digest().readBigInt64BE(0);
    return `coalesce(hashtextextended(${quoteName(name)}::text, '${seed}')::numeric, 0)`;
  });
  const own: string[] = [`${leatColumns.row}::text`, `coalesce(${leatColumns.extractedAt}::text, '')`];
  if (stream.partitionColumn !== undefined) own.push(`coalesce(${quoteName(stream.partitionColumn)}, '')`);
  const row = `hashtextextended(concat_ws('/', (${addUp(cells)})::text, ${own.join(", ")}), 0)`;
  const packages =
    `SELECT ${quoteName(stream.tenantColumn)} AS tenant, ${leatColumns.package} AS seq, count(*) AS held, ` +
    `sum(${row}::numeric) AS total FROM ${relationsOf(session.address, spec).landing.sql} GROUP BY 1, 2`;
  const ledger = `SELECT tenant, seq FROM ${ownTable(session, "loads")} WHERE ${ofStream(spec)}`;
  return (
    `SELECT tenant, seq, COALESCE(held, 0) AS held, COALESCE(total, 0)::text AS checksum ` +
    `FROM (${ledger}) AS l FULL JOIN (${packages}) AS p USING (tenant, seq) ORDER BY tenant COLLATE "C", seq`
  );
}

/** A sum as a balanced tree: the engine bounds how deep an expression may be, and tables may be wide. */
function addUp(terms: readonly string[]): string {
  if (terms.length === 0) return "0";
  if (terms.length === 1) return terms[0]!;
  const middle = terms.length >> 1;
  return `(${addUp(terms.slice(0, middle))} + ${addUp(terms.slice(middle))})`;
}
