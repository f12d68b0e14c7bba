/** What leat's tables tell people of a stream: its loads, its columns, and records that fit no type. */
import type { StreamSpec } from "../../model/stream.ts";
import {
  recordCharsMax,
  toLoadedPackage,
  toRejectedRecord,
  toWarehouseColumn,
} from "../../ports/load-history.ts";
import type { HistoryFilter, LoadedPackage, RejectedRecord, WarehouseColumn } from "../../ports/warehouse.ts";
import { ofStream, ownTable, readColumns } from "./catalog.ts";
import type { PostgresSession } from "./postgres-session.ts";
import { allOf, quoteText } from "./sql-text.ts";

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
  return rows.map(toLoadedPackage);
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
  return rows.map(toRejectedRecord);
}

export async function readStreamColumns(
  session: PostgresSession,
  spec: StreamSpec,
): Promise<readonly WarehouseColumn[]> {
  return (await readColumns(session, spec)).map(toWarehouseColumn);
}
