/** What a planned run asks for, drawn when it starts. */
import type { StateChange } from "../../src/extract/edit-state.ts";
import type { ExtractMode } from "../../src/extract/extract-job.ts";
import type { SeededRandom } from "../../src/testing/index.ts";
import { readLog } from "./read-log.ts";
import type { PlannedRun } from "./scenario.ts";
import type { Simulation } from "./simulation.ts";

/** What an extract of a plan is asked to do. */
export function modeOf(plan: PlannedRun, world: Simulation, random: SeededRandom): ExtractMode {
  if (plan.kind === "refresh") return { kind: "refresh", confirmShrink: random.chance(0.3) };
  if (plan.kind !== "backfill") return { kind: "incremental" };
  const fromMs = world.nowMs() - random.below(30) * 1000;
  return {
    kind: "backfill",
    from: BigInt(fromMs) * 1000n,
    to: BigInt(fromMs + random.between(1, 20) * 1000) * 1000n,
  };
}

/** A person sets a stream back; setting it ahead would be an order to lose records. */
export function drawEdit(world: Simulation, tenant: string, random: SeededRandom): StateChange {
  const { manifests } = readLog(world, tenant);
  const starts = manifests.map((manifest) => manifest.state.main.next);
  let to: bigint | undefined = random.chance(0.3) ? undefined : starts[0];
  for (const start of starts) if (start === undefined || to === undefined || start < to) to = to && start;
  const unit = world.scenario.spec.cursor?.format === "integer" ? 1n : 1_000_000n;
  return {
    to: to === undefined ? undefined : to - BigInt(random.below(4)) * unit,
    who: "somebody",
    why: "to see what happens",
    landedBefore: random.pick(["missing", "again"] as const),
  };
}
