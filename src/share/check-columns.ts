/** Whether the columns that a share names are in the tenant's records at all. */
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { readHead, walkPackages } from "../landing/log.ts";
import type { StreamPlace } from "../model/ids.ts";
import { namedKeys } from "../model/plan-schema.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { ShareTable } from "../ports/share.ts";

/**
 * Looks through the whole log, once in the life of a shared table: a slip in a name would otherwise be an empty column
 * that nobody misses. A column that disappears later stays, without values in new rows.
 *
 * @returns whether anything is landed.
 * @throws {@link LeatError} `SHARE_COLUMN_MISSING` with the near name.
 */
export async function checkColumns(
  store: ObjectStore,
  place: StreamPlace,
  stream: StreamSpec,
  { columns }: ShareTable,
): Promise<boolean> {
  const head = await readHead(store, place);
  if (head === undefined) return false;
  let missing = (columns ?? []).filter(
    ({ key, isOptional }) => !isOptional && !namedKeys(stream).includes(key),
  );
  const seen = new Set<string>();
  let isLanded = false;
  for await (const { manifest } of walkPackages(store, place, head, 0)) {
    isLanded ||= manifest.kind === "data";
    for (const key of manifest.columns.keys()) seen.add(key);
    missing = missing.filter(({ key }) => !seen.has(key));
    if (missing.length === 0 && isLanded) return true;
  }
  if (!isLanded) return false;
  const [first] = missing;
  if (first === undefined) return true;
  throw new LeatError("SHARE_COLUMN_MISSING", {
    message: `${place.source}.${place.stream} (tenant ${place.tenant}): no record has the column ${missing.map(({ key }) => `"${key}"`).join(", ")} that is to be shared; nothing was moved.`,
    hint: `${hintOfKnown(first.key, "columns", [...seen])} Say \`optional: true\` where a customer's records may lack it.`,
    details: { ...place, columns: missing.map(({ key }) => key) },
  });
}
