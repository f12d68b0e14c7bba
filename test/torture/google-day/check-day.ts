/** Whether the warehouse holds what the partner has shown, every version once. */
import assert from "node:assert/strict";
import type { StreamSpec } from "../../../src/model/stream.ts";
import type { BigQueryWarehouse } from "../../../src/warehouses/bigquery/open-bigquery.ts";
import type { DayPartner } from "./day-partner.ts";

/** Compares landing tables and current views with the partner's book. @returns the rows of all landing tables. */
export async function checkRows(
  warehouse: BigQueryWarehouse,
  partner: DayPartner,
  streams: readonly StreamSpec[],
  tenants: readonly string[],
): Promise<number> {
  let total = 0;
  for (const { name, landingTable } of streams) {
    const counted = await warehouse.query(
      `SELECT tenant_id, COUNT(*) AS n, COUNT(DISTINCT CONCAT(CAST(id AS STRING), ' ', CAST(updated_at AS STRING), ' ', note)) AS d FROM ${landingTable} GROUP BY tenant_id`,
    );
    const held = new Map(counted.rows.map(([tenant, ...counts]) => [String(tenant), counts]));
    const current = await warehouse.query(
      `SELECT tenant_id, id, CAST(price AS STRING) AS price FROM shop.${name}`,
    );
    const shown = Map.groupBy(current.rows, ([tenant]) => String(tenant));
    for (const tenant of tenants) {
      const { versions } = partner.count(name, tenant);
      assert.deepEqual(held.get(tenant), [versions, versions], `${name} of ${tenant}: every version once`);
      const rows = (shown.get(tenant) ?? []).map(([, id, price]) => `${id} ${price}`).sort();
      assert.deepEqual(rows, partner.newest(name, tenant), `${name} of ${tenant}: the newest of each record`);
      total += versions;
    }
  }
  return total;
}
