/**
 * The table of a stream's turns, `_leat_turn_<hash>`: how many commits there were, and what its ledger adds up to.
 *
 * One row counts the commits. Beside it stands the head of each tenant, its newest ledger row and the sums over all of
 * them, so that looks and loads need not read the ledger, which grows with every load: 100 tenants of 10 streams every
 * hour are nine million rows a year. Count and heads are read together, by a request that costs nothing.
 *
 * A head is believed where `heads_at` is the count: then the transaction that made the count has kept the heads as well.
 * A leat that knows no heads counts on and leaves `heads_at` behind; then the ledger is read, and the next commit makes
 * the heads from it. So does a commit that has changed older ledger rows.
 */
import { createHash } from "node:crypto";
import { type TenantId, toTenantId } from "../../model/ids.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { LedgerRow } from "../../ports/warehouse.ts";
import type { TableField } from "./field-types.ts";

/** A stream, or a dataset: one without a source, and without heads. */
export type TurnOwner = Pick<StreamSpec, "source" | "name">;

/** The table whose rows every commit of a stream or dataset changes. */
export function turnTable(of: TurnOwner): string {
  const digits = createHash("sha256")
    .update(JSON.stringify([of.source, of.name]))
    .digest("hex");
  return `_leat_turn_${digits.slice(0, 16)}`;
}

const head = (name: string, type = "INT64"): TableField => ({ name, type, mode: "NULLABLE" });

/** What a head is made of, beside its tenant. */
const headFields = [
  head("seq"),
  head("manifest_hash", "STRING"),
  head("loaded"),
  head("rejected"),
  head("generation"),
  head("packages"),
  head("loaded_total"),
  head("refreshed"),
];

/** Columns of the table; an older leat has made the first alone. */
export const turnFields: readonly TableField[] = [
  { name: "n", type: "INT64", mode: "REQUIRED" },
  head("heads_at"),
  head("tenant", "STRING"),
  ...headFields,
];

/** What the ledger says of a tenant. */
export type TenantHead = Readonly<{
  newest: LedgerRow;
  packages: number;
  /** Rows that all its packages together have put into the landing table. */
  loadedTotal: number;
  /** Whether one of them belongs to a generation. */
  isRefreshed: boolean;
}>;

export type TenantHeads = ReadonlyMap<TenantId, TenantHead>;

/** Commits so far, -1 before the first row; and the heads, unless the ledger must be read. */
export type Turns = Readonly<{ turn: number; heads: TenantHeads | undefined }>;

/** Reads the table's rows. Pages of two commits show by their counts, and are not believed. */
export function parseTurns(rows: readonly Readonly<Record<string, string | null>>[]): Turns {
  const turn = rows.reduce((most, row) => Math.max(most, Number(row["n"])), -1);
  const isNewest = (count: string | null | undefined) => count !== null && Number(count) === turn;
  const ofTenants = rows.filter((row) => row["tenant"] !== null);
  const isKept =
    rows.some((row) => row["tenant"] === null && isNewest(row["n"]) && isNewest(row["heads_at"])) &&
    ofTenants.every((row) => isNewest(row["n"]));
  const heads = new Map(ofTenants.map((row) => [toTenantId(row["tenant"] ?? ""), parseHead(row)]));
  return { turn, heads: isKept && heads.size === ofTenants.length ? heads : undefined };
}

function parseHead(row: Readonly<Record<string, string | null>>): TenantHead {
  const newest: LedgerRow = {
    seq: Number(row["seq"]),
    manifestHash: row["manifest_hash"] ?? "",
    loaded: Number(row["loaded"]),
    rejected: Number(row["rejected"]),
    generation: Number(row["generation"]),
  };
  return {
    newest,
    packages: Number(row["packages"]),
    loadedTotal: Number(row["loaded_total"]),
    isRefreshed: Number(row["refreshed"]) > 0,
  };
}

const headNames = headFields.map(({ name }) => name);

/** Heads of ledger rows: a query. @param rows - a table, or a query in brackets. */
function headsSql(rows: string): string {
  const sums =
    "SELECT r.tenant, MAX(r.seq) AS seq, COUNT(*) AS packages, SUM(r.loaded) AS loaded_total, " +
    `COUNTIF(r.generation <> 0) AS refreshed FROM ${rows} AS r GROUP BY r.tenant`;
  return (
    "SELECT newest.tenant, newest.seq, newest.manifest_hash, newest.loaded, newest.rejected, newest.generation, " +
    `sums.packages, sums.loaded_total, sums.refreshed FROM ${rows} AS newest ` +
    `JOIN (${sums}) AS sums ON sums.tenant = newest.tenant AND sums.seq = newest.seq`
  );
}

const ledgerRows = (loads: string, ofStream: string): string =>
  `(SELECT tenant, seq, manifest_hash, loaded, rejected, generation FROM ${loads} WHERE ${ofStream})`;

const inserted = ["n", "heads_at", "tenant", ...headNames].join(", ");

/** A statement of a commit: new ledger rows are added to the heads. @param rows - table of those. */
export function addToHeads(turns: string, turn: number, rows: string): string {
  const later = (name: string) => `${name} = IF(s.seq > t.seq, s.${name}, t.${name})`;
  const sum = (name: string) => `${name} = t.${name} + s.${name}`;
  const changes = [
    ...["seq", "manifest_hash", "loaded", "rejected", "generation"].map(later),
    ...["packages", "loaded_total", "refreshed"].map(sum),
  ];
  const values = ["tenant", ...headNames].map((name) => `s.${name}`);
  return (
    `MERGE INTO ${turns} AS t USING (${headsSql(rows)}) AS s ON t.tenant = s.tenant ` +
    `WHEN MATCHED THEN UPDATE SET ${changes.join(", ")} ` +
    `WHEN NOT MATCHED THEN INSERT (${inserted}) VALUES (${[turn + 1, turn + 1, ...values].join(", ")})`
  );
}

/** A statement that takes all heads away. */
export const dropHeads = (turns: string): string => `DELETE FROM ${turns} WHERE tenant IS NOT NULL`;

/** Statements that make the heads from the ledger. @param ofStream - the condition that a row of it is the stream's. */
export function makeHeads(turns: string, turn: number, loads: string, ofStream: string): readonly string[] {
  return [
    dropHeads(turns),
    `INSERT INTO ${turns} (${inserted}) SELECT ${turn + 1}, ${turn + 1}, h.* ` +
      `FROM (${headsSql(ledgerRows(loads, ofStream))}) AS h`,
  ];
}

/** One row of tenant, both seqs and both sums where a head is not what the ledger says; no row: they agree. */
export function differingHeadSql(turns: string, loads: string, ofStream: string): string {
  const held = `SELECT tenant, ${headNames.join(", ")} FROM ${turns} WHERE tenant IS NOT NULL`;
  const differs = headNames.map((name) => `l.${name} <> h.${name}`);
  return (
    "SELECT tenant, h.seq, h.packages, h.loaded_total, l.seq, l.packages, l.loaded_total " +
    `FROM (${headsSql(ledgerRows(loads, ofStream))}) AS l FULL JOIN (${held}) AS h USING (tenant) ` +
    `WHERE l.seq IS NULL OR h.seq IS NULL OR ${differs.join(" OR ")} ORDER BY tenant LIMIT 1`
  );
}
