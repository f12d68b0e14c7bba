/** The invariants that a log shows by itself: density, accounting, owners, cursors, generations. */
import { parseCursor } from "../../src/model/cursor.ts";
import type { Manifest } from "../../src/model/manifest.ts";
import type { TenantLog } from "./read-log.ts";
import type { Simulation } from "./simulation.ts";
import { hold } from "./violation.ts";

/** Holds a tenant's log to I3, I8, I9, I10, I12, I17. */
export function checkLog(simulation: Simulation, tenant: string, log: TenantLog): void {
  checkAccounting(log);
  checkOwners(simulation, tenant, log);
  checkDoneKeys(simulation, tenant, log);
  checkCursor(simulation, log);
  checkStarts(simulation, log);
  checkGenerations(log);
}

function checkAccounting({ manifests, rows }: TenantLog): void {
  for (const { seq, counts, parts } of manifests) {
    const { received, landed, boundarySkipped, repeated, quarantined } = counts;
    hold(
      received === landed + boundarySkipped + repeated + quarantined,
      "I10",
      () => `manifest ${seq}: ${JSON.stringify(counts)}`,
    );
    const inParts = parts.reduce((sum, part) => sum + part.records, 0);
    const inRows = rows.filter((row) => row.seq === seq).length;
    hold(
      landed === inParts && landed === inRows,
      "I10",
      () => `manifest ${seq}: ${landed}, ${inParts}, ${inRows}`,
    );
  }
}

/** I9: who lost a seq changed nothing; who says that it committed is the one whom the log names. */
function checkOwners(simulation: Simulation, tenant: string, { manifests }: TenantLog): void {
  for (const record of simulation.records) {
    if (record.tenant !== tenant || record.runId === undefined) continue;
    const own = manifests.filter((manifest) => manifest.runId === record.runId).map(({ seq }) => seq);
    if (record.outcome !== undefined) {
      const said = record.outcome.seqs;
      hold(
        String(own) === String(said),
        "I9",
        () => `${record.name} says that it committed ${said}; the log says ${own}`,
      );
    }
    if (record.error?.code === "STATE_CONFLICT") {
      const lost = Number(record.error.details["seq"]);
      hold(!own.includes(lost), "I9", () => `${record.name} lost seq ${lost}, which names it as its owner`);
      hold(
        own.every((seq) => seq < lost),
        "I9",
        () => `${record.name} lost seq ${lost} and has ${own}`,
      );
    }
  }
}

/** I17: a delivery is done once, and not called done before. */
function checkDoneKeys(simulation: Simulation, tenant: string, { manifests }: TenantLog): void {
  const done = new Set<string>();
  for (const { seq, idempotencyKey, isFinal } of manifests) {
    if (idempotencyKey === undefined || !isFinal) continue;
    hold(!done.has(idempotencyKey), "I17", () => `manifest ${seq} finishes ${idempotencyKey} again`);
    done.add(idempotencyKey);
  }
  for (const { name, tenant: of, outcome, plan } of simulation.records) {
    if (of !== tenant || outcome?.status !== "already-done") continue;
    const isDone = plan.idempotencyKey !== undefined && done.has(plan.idempotencyKey);
    hold(isDone, "I17", () => `${name} was told that ${plan.idempotencyKey} is done, which no manifest says`);
  }
}

/** I3: the cursor is a value that was landed, and none from the future. */
function checkCursor({ scenario }: Simulation, { manifests, rows }: TenantLog): void {
  const { cursor: spec } = scenario.spec;
  if (spec === undefined) return;
  const landed = new Set<bigint>();
  let at = 0;
  for (const manifest of manifests) {
    for (; at < rows.length && rows[at]!.seq <= manifest.seq; at++) {
      const value = parseCursor(String(rows[at]!.fields[spec.field]), spec.format, spec.zone);
      if (value !== undefined) landed.add(value);
    }
    const { cursor } = manifest.state.main;
    if (cursor === undefined || manifest.kind === "state-edit") continue;
    const isEdited = manifests.some((m) => m.seq < manifest.seq && m.kind === "state-edit");
    hold(
      isEdited || landed.has(cursor),
      "I3",
      () => `manifest ${manifest.seq}: no row has the cursor ${cursor}`,
    );
    if (spec.format === "integer") continue;
    const nowUs =
      BigInt(Date.parse(manifest.committedAt) + scenario.localSkewMs + scenario.partnerSkewMs) * 1000n;
    hold(
      cursor <= nowUs,
      "I3",
      () => `manifest ${manifest.seq}: the cursor ${cursor} is from the future (${nowUs})`,
    );
  }
}

/** I8: `next` and `scannedTo` go up, unless a person, a broken order or a new generation says otherwise. */
function checkStarts({ scenario }: Simulation, { manifests }: TenantLog): void {
  let before: Manifest | undefined;
  for (const manifest of manifests) {
    const isExcused =
      manifest.kind === "state-edit" || manifest.generation.state === "completed" || isDistrust(manifest);
    if (before !== undefined && !isExcused && scenario.partitions.length === 1) {
      for (const name of ["scannedTo", "next", "cursor"] as const) {
        const [was, is] = [before.state.main[name], manifest.state.main[name]];
        const isKept = was === undefined || (is !== undefined && is >= was);
        hold(isKept, "I8", () => `manifest ${manifest.seq}: ${name} went from ${was} to ${is}`);
      }
    }
    hold(
      before === undefined || before.isOrdered || !manifest.isOrdered,
      "I7",
      () => `manifest ${manifest.seq} trusts the order again`,
    );
    before = manifest;
  }
}

/** Whether a manifest only writes down that the order was broken, and sets the state back (I7). */
const isDistrust = (manifest: Manifest): boolean =>
  manifest.kind === "empty" && !manifest.isOrdered && !manifest.isFinal && manifest.counts.received === 0;

/** I12: a generation has one run, and a number that is the seq of its first manifest. */
function checkGenerations({ manifests }: TenantLog): void {
  let visible = 0;
  for (const manifest of manifests) {
    const { generation, seq } = manifest;
    if (generation.state !== "visible") {
      const first = manifests[generation.number - 1];
      hold(
        first?.runId === manifest.runId && first.generation.number === generation.number,
        "I12",
        () => `manifest ${seq} goes on with generation ${generation.number} of run ${first?.runId}`,
      );
    } else {
      hold(
        generation.number === visible,
        "I12",
        () => `manifest ${seq} adds to generation ${generation.number}, ${visible} is visible`,
      );
    }
    if (generation.state === "completed") visible = generation.number;
    hold(
      manifest.visible.number === visible,
      "I12",
      () => `manifest ${seq} shows ${manifest.visible.number}, not ${visible}`,
    );
  }
}
