/** Which packages of a tenant's log a warehouse waits for, seen from what it has loaded (PROTOCOL I11). */
import { LeatError } from "../errors/leat-error.ts";
import { type Head, readHead, readManifestOfLog, walkPackages } from "../landing/log.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { LedgerRow } from "../ports/warehouse.ts";
import { type PlannedPackage, planLoad } from "./plan-load.ts";

/**
 * Reads the log.
 *
 * @param loaded - the newest package that the warehouse has; `undefined`: none.
 * @returns packages in the order of seq.
 * @throws {@link LeatError} `LOG_REWRITTEN` when what was loaded is not in the log, or is another there.
 */
export async function readWaiting(
  store: ObjectStore,
  place: StreamPlace,
  loaded: LedgerRow | undefined,
): Promise<readonly PlannedPackage[]> {
  const head = await readComparedHead(store, place, loaded);
  if (head === undefined) return [];
  const packages: Head[] = [];
  for await (const link of walkPackages(store, place, head, loaded?.seq ?? 0)) packages.unshift(link);
  return planLoad(packages);
}

/** Whether the log goes on behind what was loaded, in three requests or so. @throws as {@link readWaiting}. */
export async function hasWaiting(
  store: ObjectStore,
  place: StreamPlace,
  loaded: LedgerRow | undefined,
): Promise<boolean> {
  const head = await readComparedHead(store, place, loaded);
  if (head === undefined) return false;
  const newest = await walkPackages(store, place, head, loaded?.seq ?? 0).next();
  return newest.done !== true;
}

async function readComparedHead(
  store: ObjectStore,
  place: StreamPlace,
  loaded: LedgerRow | undefined,
): Promise<Head | undefined> {
  const head = await readHead(store, place);
  if (loaded === undefined) return head;
  if (head === undefined || head.manifest.seq < loaded.seq)
    throw rewritten(place, loaded.seq, "is not in the log");
  const again = head.manifest.seq === loaded.seq ? head : await readManifestOfLog(store, place, loaded.seq);
  if (again.hash !== loaded.manifestHash)
    throw rewritten(place, loaded.seq, "has another manifest in the log");
  return head;
}

function rewritten(place: StreamPlace, seq: number, what: string): LeatError {
  return new LeatError("LOG_REWRITTEN", {
    message: `${describePlace(place)}: the warehouse has loaded seq ${seq}, which ${what}.`,
    details: { ...place, seq },
  });
}
