/** Whether somebody has changed the rows of a shared table, before anything is added to them. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { TableChecksum } from "../ports/warehouse.ts";
import type { TableShare } from "./table-share.ts";

/** Differences told one by one. */
const faultsToldMax = 20;

/**
 * Compares rows and ledger.
 *
 * @throws {@link LeatError} `SHARE_TABLE_ALTERED`.
 */
export async function refuseAltered(share: TableShare): Promise<void> {
  const { warehouse, job, rows } = share;
  const { target } = rows;
  const ledger = new Map(
    (await warehouse.readLedger(target, job.tenant.id)).map(({ seq, loaded }) => [seq, loaded]),
  );
  let held: readonly TableChecksum[];
  try {
    held = await warehouse.checksums(target);
  } catch (error) {
    throw toAlteredError(share, error, "a column of it, or the table itself, is gone");
  }
  const newest = Math.max(0, ...ledger.keys());
  const mayBeFewer = (seq: number): boolean =>
    // Where only current rows are kept, those of a package become fewer.
    target.isCurrentOnly === true && !(rows.isWhole && seq === newest);
  const faults: string[] = [];
  for (const { tenant, seq, rows: there } of held) {
    const loaded = tenant === job.tenant.id ? ledger.get(seq) : undefined;
    if (loaded === undefined)
      faults.push(`${there} rows of tenant ${tenant}, package ${seq}, are not leat's`);
    else if (there > loaded || (there < loaded && !mayBeFewer(seq)))
      faults.push(`package ${seq} had ${loaded} rows and has ${there}`);
  }
  const seen = new Set(held.filter(({ tenant }) => tenant === job.tenant.id).map(({ seq }) => seq));
  for (const [seq, loaded] of ledger)
    if (loaded > 0 && !seen.has(seq) && !mayBeFewer(seq))
      faults.push(`package ${seq} had ${loaded} rows and has 0`);
  if (faults.length > 0) throw alteredError(share, faults);
}

/** Where something is gone, an engine only says that its statement makes no sense; other failures stay what they are. */
export function toAlteredError(share: TableShare, error: unknown, gone: string): unknown {
  if (!isLeatError(error) || !["LOAD_FAILED", "QUERY_FAILED"].includes(error.code)) return error;
  return alteredError(share, [gone], error);
}

/** @param faults - what is not as it was, at least one. */
export function alteredError(share: TableShare, faults: readonly string[], cause?: unknown): LeatError {
  const { share: spec, tenant } = share.job;
  const { target } = share.rows;
  const table = `${target.source}.${target.name}`;
  return new LeatError("SHARE_TABLE_ALTERED", {
    message: `The table ${table} in ${share.warehouse.url} was changed by somebody else: ${faults.slice(0, 3).join("; ")}. Nothing was moved.`,
    hint: `Ask the customer to leave it as it is and keep own rows in tables of their own, then run \`leat share ${spec.name} --tenant ${tenant.id} --full\`.`,
    details: { share: spec.name, tenant: tenant.id, table, faults: faults.slice(0, faultsToldMax) },
    cause,
  });
}
