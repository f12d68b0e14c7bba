/** What leat's tables tell people of a stream: its loads, its columns, and records that fit no type. */
import { printColumnType } from "../../model/column-types.ts";
import { toTenantId } from "../../model/ids.ts";
import type { StreamSpec } from "../../model/stream.ts";
import type { HistoryFilter, LoadedPackage, RejectedRecord, WarehouseColumn } from "../../ports/warehouse.ts";
import { ofStream, ownTable, readColumns, text } from "./catalog.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { allOf, quoteText } from "./sql-text.ts";

/** Characters of a record that are told; it may have millions. */
const recordCharsMax = 10_000;

const conditionOf = (spec: StreamSpec, { tenant, seq }: HistoryFilter): string =>
  allOf([
    ofStream(spec),
    ...(tenant === undefined ? [] : [`tenant = ${quoteText(tenant)}`]),
    ...(seq === undefined ? [] : [`seq = ${seq}`]),
  ]);

export async function readLoads(
  session: PostgresSession,
  spec: StreamSpec,
  filter: HistoryFilter,
): Promise<readonly LoadedPackage[]> {
  const rows = await session.rows(
    `SELECT tenant, seq, loaded, rejected, generation, floor(extract(epoch FROM loaded_at) * 1000) AS loaded_ms
     FROM ${ownTable(session, "loads")} WHERE ${conditionOf(spec, filter)}
     ORDER BY loaded_at DESC, tenant COLLATE "C", seq DESC LIMIT ${filter.limit} OFFSET ${filter.offset}`,
  );
  return rows.map((row) => ({
    tenant: toTenantId(text(row, "tenant")),
    seq: Number(row["seq"]),
    loaded: Number(row["loaded"]),
    rejected: Number(row["rejected"]),
    generation: Number(row["generation"]),
    loadedAt: new Date(Number(row["loaded_ms"])).toISOString(),
  }));
}

export async function readRejects(
  session: PostgresSession,
  spec: StreamSpec,
  filter: HistoryFilter,
): Promise<readonly RejectedRecord[]> {
  const rows = await session.rows(
    `SELECT tenant, seq, "row", reason, "column", left(record, ${recordCharsMax}) AS record, length(record) AS chars
     FROM ${ownTable(session, "rejects")} WHERE ${conditionOf(spec, filter)}
     ORDER BY seq DESC, tenant COLLATE "C", "row" LIMIT ${filter.limit} OFFSET ${filter.offset}`,
  );
  return rows.map((row) => ({
    tenant: toTenantId(text(row, "tenant")),
    seq: Number(row["seq"]),
    row: row["row"] === null ? null : Number(row["row"]),
    column: row["column"] ?? null,
    reason: text(row, "reason"),
    record: text(row, "record"),
    isCut: Number(row["chars"]) > recordCharsMax,
  }));
}

export async function readStreamColumns(
  session: PostgresSession,
  spec: StreamSpec,
): Promise<readonly WarehouseColumn[]> {
  return (await readColumns(session, spec)).map(({ name, type }) => ({ name, type: printColumnType(type) }));
}
