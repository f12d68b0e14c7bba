/** What leat's tables tell people of a stream: its loads, its columns, and records that fit no type. */
import type { StreamSpec } from "../../model/stream.ts";
import {
  recordCharsMax,
  toLoadedPackage,
  toRejectedRecord,
  toWarehouseColumn,
} from "../../ports/load-history.ts";
import type { HistoryFilter, LoadedPackage, RejectedRecord, WarehouseColumn } from "../../ports/warehouse.ts";
import { type Catalog, ofStream } from "./catalog.ts";
import type { Queries } from "./queries.ts";
import { allOf, quoteText } from "./sql-text.ts";

type ReadPorts = Readonly<{ catalog: Catalog; queries: Queries }>;

const conditionOf = (spec: StreamSpec, { tenant, seq }: HistoryFilter): string =>
  allOf([
    ofStream(spec),
    ...(tenant === undefined ? [] : [`tenant = ${quoteText(tenant)}`]),
    ...(seq === undefined ? [] : [`seq = ${seq}`]),
  ]);

export async function readLoads(
  { catalog, queries }: ReadPorts,
  spec: StreamSpec,
  filter: HistoryFilter,
): Promise<readonly LoadedPackage[]> {
  const rows = await queries.rows(
    "SELECT tenant, seq, loaded, rejected, generation, UNIX_MILLIS(loaded_at) " +
      `FROM ${catalog.path("_leat_loads")} WHERE ${conditionOf(spec, filter)} ` +
      `ORDER BY loaded_at DESC, tenant, seq DESC LIMIT ${filter.limit} OFFSET ${filter.offset}`,
    `list the loads of ${spec.source}.${spec.name}`,
  );
  return rows.map(([tenant, seq, loaded, rejected, generation, loadedMs]) =>
    toLoadedPackage({ tenant, seq, loaded, rejected, generation, loaded_ms: loadedMs }),
  );
}

export async function readRejects(
  { catalog, queries }: ReadPorts,
  spec: StreamSpec,
  filter: HistoryFilter,
): Promise<readonly RejectedRecord[]> {
  const rows = await queries.rows(
    `SELECT tenant, seq, \`row\`, reason, \`column\`, SUBSTR(record, 1, ${recordCharsMax}), LENGTH(record) ` +
      `FROM ${catalog.path("_leat_rejects")} WHERE ${conditionOf(spec, filter)} ` +
      `ORDER BY seq DESC, tenant, \`row\` NULLS LAST LIMIT ${filter.limit} OFFSET ${filter.offset}`,
    `list the rejects of ${spec.source}.${spec.name}`,
  );
  return rows.map(([tenant, seq, row, reason, column, record, chars]) =>
    toRejectedRecord({ tenant, seq, row, reason, column, record, chars }),
  );
}

/** Costs nothing: the small tables are listed, not queried. */
export async function readStreamColumns(
  { catalog }: ReadPorts,
  spec: StreamSpec,
): Promise<readonly WarehouseColumn[]> {
  const { columns } = await catalog.readState(spec);
  return columns.map(toWarehouseColumn);
}
