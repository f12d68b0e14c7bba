/** Names and ids of the sync, branded so that one is never taken for another. */
import { randomBytes } from "node:crypto";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** **tenant** one account of a source, with its own secrets and state. */
export type TenantId = Branded<"TenantId">;
/** **run** one extract of one stream and tenant. Random for every run, never derived from anything (I9). */
export type RunId = Branded<"RunId">;
/** Random identity of one warehouse; a dropped and recreated one is another (I18). */
export type WarehouseId = Branded<"WarehouseId">;

/** Where a log lives: one stream of one source, for one tenant. */
export type StreamPlace = Readonly<{ source: string; stream: string; tenant: TenantId }>;

/** Takes a checked name as a tenant id. Callers at the border check it with `encodeName`. */
export const toTenantId = (name: string): TenantId => name as TenantId;
/** Takes text of a manifest or ledger as a run id. */
export const toRunId = (text: string): RunId => text as RunId;
/** Takes text of a warehouse as its id. */
export const toWarehouseId = (text: string): WarehouseId => text as WarehouseId;

/** A new random run id: 20 characters of `[0-9a-f]`, 80 bits. */
export const newRunId = (): RunId => randomBytes(10).toString("hex") as RunId;

/** `source.stream (tenant 414)`, as people name a place. */
export function describePlace(place: StreamPlace): string {
  return `${place.source}.${place.stream} (tenant ${place.tenant})`;
}
