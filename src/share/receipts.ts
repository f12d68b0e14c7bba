/** Receipts: what a customer's table holds by its own engine's count, and how they are kept beside its owner. */
import type { ShareReceipt } from "../ports/warehouse.ts";
import type { TableShare } from "./table-share.ts";

/** Receipts of one delivery. `seq`: the newest package that they know of. */
export type KeptReceipts = Readonly<{ seq: number; receipts: readonly ShareReceipt[] }>;

/** Counts what is there, by the queries that the customer is told. */
export async function countReceipts(
  { warehouse, shareTables, rows }: TableShare,
  signal: AbortSignal,
): Promise<readonly ShareReceipt[]> {
  const receipts: ShareReceipt[] = [];
  for (const { table, sql } of await shareTables.checkQueries(rows.target)) {
    const { rows: found } = await warehouse.query(sql, { signal });
    const [count, checksum] = found[0]!; // An aggregate gives one row.
    receipts.push({ table, rows: Number(count), checksum: String(checksum), query: sql });
  }
  return receipts;
}

/** As text, for the target to keep. */
export const printReceipts = (kept: KeptReceipts): string => JSON.stringify(kept);

/** Reads them again; `undefined`: there are none, or somebody has edited them. */
export function parseReceipts(text: string | undefined): KeptReceipts | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("seq" in value) || !("receipts" in value))
      return undefined;
    const { seq, receipts } = value;
    if (typeof seq !== "number" || !Array.isArray(receipts) || !receipts.every(isReceipt)) return undefined;
    return { seq, receipts };
  } catch {
    return undefined;
  }
}

function isReceipt(value: unknown): value is ShareReceipt {
  if (typeof value !== "object" || value === null) return false;
  const { table, rows, checksum, query } = value as Partial<Record<keyof ShareReceipt, unknown>>; // Read as unknown.
  return [table, checksum, query].every((text) => typeof text === "string") && typeof rows === "number";
}

/** Whether two tell of the same rows. */
export function isSameReceipts(before: readonly ShareReceipt[], now: readonly ShareReceipt[]): boolean {
  const tell = ({ table, rows, checksum }: ShareReceipt): string => JSON.stringify([table, rows, checksum]);
  return before.map(tell).join() === now.map(tell).join();
}
