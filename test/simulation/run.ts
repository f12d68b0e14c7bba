/**
 * Plays many schedules and stops at the first violation:
 * `node test/simulation/run.ts --seed 1 --schedules 100000 [--without RULE]`.
 *
 * `--seed N` is the first schedule's seed, the next ones count up; `--schedules 1` plays one again. `--keep-going`
 * counts violations instead of stopping. `--without RULE` takes a rule out of the code first (`without-rule.ts`).
 */
import { parseArgs } from "node:util";
import { takeOut } from "./without-rule.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    schedules: { type: "string", default: "1000" },
    without: { type: "string" },
    "keep-going": { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});

if (values.without !== undefined) takeOut(values.without);
// Loaded only now: a rule is taken out while modules are loaded.
const { playSchedule } = await import("./schedule.ts");
const { checkOutcome } = await import("./check-outcome.ts");

const firstSeed = Number(values.seed);
const schedules = Number(values.schedules);
const found = new Map<string, number[]>();
const startedAtMs = performance.now();
let steps = 0;

for (let seed = firstSeed; seed < firstSeed + schedules; seed++) {
  try {
    const simulation = await playSchedule(seed);
    steps += simulation.trace.length;
    await checkOutcome(simulation);
    if (values.trace) console.log(simulation.trace.join("\n"));
  } catch (error) {
    const invariant = error instanceof Error && "invariant" in error ? String(error.invariant) : "crash";
    if (!values["keep-going"]) {
      console.error(`violation of ${invariant} at seed ${seed}, after ${seed - firstSeed + 1} schedules`);
      console.error(error instanceof Error ? error.message : error);
      process.exit(1);
    }
    console.error(`violation of ${invariant} at seed ${seed}`);
    found.set(invariant, [...(found.get(invariant) ?? []), seed]);
  }
  const done = seed - firstSeed + 1;
  if (done % 2000 === 0)
    console.log(`${done} schedules, ${Math.round((performance.now() - startedAtMs) / 1000)} s`);
}
const seconds = (performance.now() - startedAtMs) / 1000;
console.log(
  `${schedules} schedules from seed ${firstSeed}, ${steps} steps, ${seconds.toFixed(1)} s, ${[...found.values()].flat().length} violations`,
);
for (const [invariant, seeds] of found)
  console.log(`  ${invariant}: ${seeds.length} (seeds ${seeds.slice(0, 8).join(", ")})`);
if (found.size > 0) process.exitCode = 1;
