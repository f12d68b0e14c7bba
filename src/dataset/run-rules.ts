/** Quality rules: run one by one, told together. */
import { LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest, RuleResult } from "../model/dataset-manifest.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { DatasetScratch } from "../ports/dataset-engine.ts";
import type { BuildPorts } from "./build-job.ts";
import { readNewest } from "./dataset-log.ts";
import { bringParts } from "./open-version.ts";

/** Offending rows told of one rule in an error's message; all samples are in its details. */
const samplesToldMax = 3;

/** What the rules found, and the versions of other datasets they looked at. */
export type RulesRun = Readonly<{
  rules: readonly RuleResult[];
  datasets: DatasetManifest["lineage"]["datasets"];
}>;

/** Runs all rules of a dataset. */
export async function runRules(
  ports: BuildPorts,
  spec: DatasetSpec,
  scratch: DatasetScratch,
  run: Readonly<{ previousRows: number | undefined; folder: string; signal: AbortSignal }>,
): Promise<RulesRun> {
  const rules: RuleResult[] = [];
  const datasets = new Map<string, string>();
  const references = async (dataset: string): Promise<readonly string[]> => {
    const newest = await readNewest(ports.store, dataset);
    if (newest === undefined) {
      throw new LeatError("INPUT_EMPTY", {
        message: `A rule of the dataset ${spec.name} looks into the dataset ${dataset}, which has no version yet.`,
        hint: `Run \`leat build ${dataset}\` first.`,
        details: { dataset: spec.name },
      });
    }
    datasets.set(dataset, newest.version);
    return await bringParts(ports.store, newest, run.folder);
  };
  for (const rule of spec.rules) {
    run.signal.throwIfAborted();
    const context = { nowMs: ports.clock.nowMs(), previousRows: run.previousRows, references };
    const { problem, note, ...found } = await scratch.runRule(rule, context);
    rules.push({
      name: rule.name,
      rule: rule.check.rule,
      severity: rule.severity,
      isPassed: found.failed === 0 && problem === null,
      ...found,
      note: [problem, note].filter((text) => text !== null).join("; ") || null,
    });
  }
  return { rules, datasets: [...datasets].map(([dataset, version]) => ({ dataset, version })) };
}

/** One rule's result for people, without its samples. */
export function printRule(result: RuleResult): string {
  const counts = result.failed > 0 ? `${result.failed} of ${result.checked} fail` : undefined;
  return [result.name, [counts, result.note ?? undefined].filter((text) => text !== undefined).join("; ")]
    .filter((text) => text !== "")
    .join(": ");
}

/** @throws LeatError `RULE_FAILED` when a rule of severity `error` does not hold. */
export function refuseFailedRules(dataset: string, rules: readonly RuleResult[]): void {
  const failed = rules.filter(({ isPassed, severity }) => !isPassed && severity === "error");
  if (failed.length === 0) return;
  const told = failed.map((result) => {
    const samples = result.samples
      .slice(0, samplesToldMax)
      .map((sample) => `\n    ${JSON.stringify(sample)}`);
    return `\n  ${printRule(result)}${samples.join("")}`;
  });
  throw new LeatError("RULE_FAILED", {
    message: `The dataset ${dataset} is not published, since ${failed.length === 1 ? "a rule does" : `${failed.length} rules do`} not hold:${told.join("")}`,
    details: { dataset, rules: failed },
  });
}
