/** What leat's tables tell people of a stream: its loads, its columns, and records that fit no type. */
import type { StreamSpec } from "../../model/stream.ts";
import {
  recordCharsMax,
  toLoadedPackage,
  toRejectedRecord,
  toWarehouseColumn,
} from "../../ports/load-history.ts";
import type { HistoryFilter, LoadedPackage, RejectedRecord, WarehouseColumn } from "../../ports/warehouse.ts";
import { ofStream, placeOf, readColumns } from "./catalog.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { allOf, quoteText } from "./sql-text.ts";

const conditionOf = (spec: StreamSpec, { tenant, seq }: HistoryFilter): string =>
  allOf([
    ofStream(placeOf(spec)),
    ...(tenant === undefined ? [] : [`tenant = ${quoteText(tenant)}`]),
    ...(seq === undefined ? [] : [`seq = ${seq}`]),
  ]);

export async function readLoads(
  session: DuckDbSession,
  spec: StreamSpec,
  filter: HistoryFilter,
): Promise<readonly LoadedPackage[]> {
  const rows = await session.rows(
    `SELECT tenant, seq, loaded, rejected, generation, epoch_ms(loaded_at) AS loaded_ms FROM main._leat_loads
     WHERE ${conditionOf(spec, filter)} ORDER BY loaded_at DESC, tenant, seq DESC
     LIMIT ${filter.limit} OFFSET ${filter.offset}`,
  );
  return rows.map(toLoadedPackage);
}

export async function readRejects(
  session: DuckDbSession,
  spec: StreamSpec,
  filter: HistoryFilter,
): Promise<readonly RejectedRecord[]> {
  const rows = await session.rows(
    `SELECT tenant, seq, "row", reason, "column", left(record, ${recordCharsMax}) AS record, length(record) AS chars
     FROM main._leat_rejects WHERE ${conditionOf(spec, filter)} ORDER BY seq DESC, tenant, "row"
     LIMIT ${filter.limit} OFFSET ${filter.offset}`,
  );
  return rows.map(toRejectedRecord);
}

export async function readStreamColumns(
  session: DuckDbSession,
  spec: StreamSpec,
): Promise<readonly WarehouseColumn[]> {
  return (await readColumns(session, spec)).map(toWarehouseColumn);
}
