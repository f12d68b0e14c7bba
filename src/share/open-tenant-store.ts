/**
 * The landing as one tenant's share sees it (PROTOCOL I13): the log and the landed files of the streams it shares, to be
 * read. Any other key is refused before a store is asked for it, whoever wrote it: a declaration, or a manifest.
 */
import assert from "node:assert/strict";
import { LeatError } from "../errors/leat-error.ts";
import { landingPrefix, logPrefix } from "../landing/names.ts";
import type { StreamPlace, TenantId } from "../model/ids.ts";
import type { ObjectStore } from "../ports/object-store.ts";

/** Keys that leat writes: names of `encodeName` and its own, none of which is `.` or `..`. */
const keyPattern = /^[a-z0-9_~=-][a-z0-9_~=.-]*(\/[a-z0-9_~=-][a-z0-9_~=.-]*)*\/?$/;

/**
 * Opens that view.
 *
 * @param places - all of one tenant.
 * @throws {@link LeatError} (its methods) `SHARE_OUT_OF_SCOPE` for any key that is not below one of the places. Writing
 *   is a fault of our own code.
 */
export function openTenantStore(store: ObjectStore, places: readonly StreamPlace[]): ObjectStore {
  const tenants = new Set(places.map(({ tenant }) => tenant));
  assert(tenants.size <= 1, "a share is of one tenant");
  const prefixes = places.flatMap((place) => [logPrefix(place), landingPrefix(place)]);
  const check = (key: string): string => {
    if (keyPattern.test(key) && prefixes.some((prefix) => key.startsWith(prefix))) return key;
    throw outOfScope(key, [...tenants][0]);
  };
  return {
    url: store.url,
    read: async (key) => store.read(check(key)),
    readStream: async (key) => store.readStream(check(key)),
    list: (prefix, options) => store.list(check(prefix), options),
    listFolders: (prefix) => store.listFolders(check(prefix)),
    ...(store.checksum === undefined ? {} : { checksum: async (key) => store.checksum!(check(key)) }),
    localPath: (key) => store.localPath(check(key)),
    nowMs: () => store.nowMs(),
    create: refuse,
    openWriter: refuse,
    put: refuse,
    delete: refuse,
  };
}

async function refuse(key: string): Promise<never> {
  assert.fail(`a share reads the landing and nothing else: ${key}`);
}

function outOfScope(key: string, tenant: TenantId | undefined): LeatError {
  return new LeatError("SHARE_OUT_OF_SCOPE", {
    message: `The share of tenant ${tenant ?? "?"} was led to ${JSON.stringify(key)}, which is not below its own places; nothing was read.`,
    details: { tenant, key },
  });
}
