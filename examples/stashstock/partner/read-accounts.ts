/** The partner's accounts are the project's tenants, so that the two cannot drift apart. */
import { readFileSync } from "node:fs";
import type { Account } from "./plant-book.ts";

/** A tenant as this example's `tenants.json` has it. */
type TenantEntry = Readonly<{ id: string; state: string; licenses: readonly string[]; userKey: string }>;

/**
 * Reads the accounts out of a tenants file of this example.
 *
 * @param userKeyOf - finds a user key by its reference, such as `env:STASHSTOCK_USER_KEY_414`.
 */
export function readAccounts(
  tenantsPath: string,
  userKeyOf: (reference: string, tenant: string) => string,
): readonly Account[] {
  const entries = JSON.parse(readFileSync(tenantsPath, "utf8")) as readonly TenantEntry[]; // Our own file.
  return entries.map(({ id, state, licenses, userKey }) => ({
    tenant: id,
    state,
    licenses,
    userKey: userKeyOf(userKey, id),
  }));
}
