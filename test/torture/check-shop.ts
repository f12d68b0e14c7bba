/** Whether a warehouse holds exactly what the shop has shown: nothing lost, nothing doubled. */
import type { Warehouse } from "../../src/ports/warehouse.ts";
import type { Shop } from "./shop.ts";
import { openShopWarehouse } from "./sync-shop.ts";

/** Columns of each stream in the order of its rows' members, and its landing table. */
const streams = {
  orders: ["id", "state", "updated_at"],
  events: ["kind", "at"],
  codes: ["code", "text"],
  items: ["item", "price"],
  plants: ["label", "size", "changed_at"],
} as const;

/** In the order of a sync: parents before children. */
export const shopStreams: readonly string[] = Object.keys(streams).sort(
  (a, b) => Number(a === "items") - Number(b === "items"),
);

/**
 * Compares versions landed with versions shown, and current rows with what the shop shows now.
 *
 * @returns what differs; empty: all is well.
 */
export async function checkShop(folder: string, shop: Shop): Promise<string[]> {
  const warehouse = openShopWarehouse(folder);
  try {
    return await compareShop(shop, Object.entries(streams), async (table, columns) => {
      const cells = columns.map((column) => `'${column}', ${cellSql(column)}`).join(", ");
      const { rows } = await warehouse.query(`select json_object(${cells})::varchar from ${table}`);
      return rows.map(([row]) => String(row));
    });
  } finally {
    await warehouse.close();
  }
}

/** The same in BigQuery, of these streams. */
export async function checkGoogleShop(
  warehouse: Warehouse,
  shop: Shop,
  names: readonly string[],
): Promise<string[]> {
  const chosen = Object.entries(streams).filter(([stream]) => names.includes(stream));
  return await compareShop(shop, chosen, async (table, columns) => {
    const { rows } = await warehouse.query(
      `SELECT ${columns.map((column) => `\`${column}\``).join(", ")} FROM ${table}`,
    );
    const cellOf = (cell: unknown, at: number): unknown =>
      isTime(columns[at]!) ? `${new Date(String(cell)).toISOString().slice(0, 19)}Z` : cell;
    return rows.map((row) =>
      JSON.stringify(Object.fromEntries(row.map((cell, at) => [columns[at]!, cellOf(cell, at)]))),
    );
  });
}

/** Rows of a table as JSON, their members in the order of the columns. */
type ReadRows = (table: string, columns: readonly string[]) => Promise<readonly string[]>;

async function compareShop(
  shop: Shop,
  chosen: readonly (readonly [stream: string, columns: readonly string[]])[],
  rowsOf: ReadRows,
): Promise<string[]> {
  const faults: string[] = [];
  for (const [stream, columns] of chosen) {
    const current = await rowsOf(`shop.${stream}`, columns);
    compare(faults, `${stream}: current rows`, current, shop.current().get(stream) ?? []);
    // A replaced stream lands each generation whole; its versions are those of the visible one.
    if (stream === "codes") continue;
    const landed = await rowsOf(`shop_${stream}`, columns);
    compare(faults, `${stream}: landed versions`, landed, shop.shown().get(stream) ?? []);
  }
  return faults;
}

const isTime = (column: string): boolean => /_?at$/.test(column);

/** Timestamps as the shop writes them; everything else as JSON has it. */
const cellSql = (column: string) =>
  isTime(column) ? `strftime("${column}", '%Y-%m-%dT%H:%M:%SZ')` : `"${column}"`;

function compare(
  faults: string[],
  what: string,
  found: readonly string[],
  expected: readonly string[],
): void {
  const [a, b] = [[...found].sort(), [...expected].sort()];
  if (a.length === b.length && a.every((row, i) => row === b[i])) return;
  const missing = subtract(b, a);
  const extra = subtract(a, b);
  faults.push(
    `${what}: ${missing.length} missing ${missing.slice(0, 2).join(" ")}, ${extra.length} too many ${extra.slice(0, 2).join(" ")}`,
  );
}

function subtract(from: readonly string[], what: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const row of what) counts.set(row, (counts.get(row) ?? 0) + 1);
  return from.filter((row) => {
    const count = counts.get(row) ?? 0;
    counts.set(row, count - 1);
    return count <= 0;
  });
}
