/** Which partitions a run reads, and in which order. */
import { LeatError } from "../errors/leat-error.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { ExtractJob, ExtractPorts } from "./extract-job.ts";
import { readParents } from "./read-parents.ts";
import { mainPartition } from "./run-state.ts";

/** The partitions of one run. */
export type PlannedPartitions = Readonly<{
  values: readonly string[];
  /** Seq of the parent's log up to which parents are known once all of them have been read; 0: no parent. */
  parentSeq: number;
}>;

/**
 * Plans the partitions: the one of a plain stream, the tenant's list, or the parents landed so far.
 *
 * @param known - partitions that the state has; with `when: "always"` they are all read again.
 */
export async function planPartitions(
  ports: ExtractPorts,
  job: ExtractJob,
  known: Readonly<{ values: Iterable<string>; parentSeq: number }>,
): Promise<PlannedPartitions> {
  const plan = job.spec.partitions;
  if (plan === undefined) return { values: [mainPartition], parentSeq: 0 };
  if (plan.from === "tenant") return { values: tenantList(job, plan.field), parentSeq: 0 };
  const parent: StreamPlace = { source: job.spec.source, stream: plan.stream, tenant: job.tenant.id };
  const parents = await readParents(ports, parent, plan.field, known.parentSeq);
  const parentSeq = Math.max(parents.seq, known.parentSeq);
  if (plan.when === "parent-changed") return { values: parents.values, parentSeq };
  return { values: [...new Set([...known.values, ...parents.values])], parentSeq };
}

function tenantList(job: ExtractJob, field: string): readonly string[] {
  const value = job.tenant.fields[field];
  if (Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")) {
    return [...new Set(value as string[])]; // Checked on the line before.
  }
  throw new LeatError("TENANTS_INVALID", {
    message: `tenant ${job.tenant.id}: \`${field}\` must be a list of text, since stream ${job.spec.source}.${job.spec.name} is read once for each.`,
    details: { tenant: job.tenant.id, field },
  });
}
