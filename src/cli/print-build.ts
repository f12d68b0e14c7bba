/** How builds, rules and differences are told: for people, and as JSON. */
import type { BuildOutcome } from "../dataset/build-job.ts";
import { shortVersion } from "../dataset/open-version.ts";
import { printRule } from "../dataset/run-rules.ts";
import type { Restatement, RuleResult } from "../model/dataset-manifest.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { VersionDiff } from "../ports/dataset-engine.ts";
import { layoutChanges, printLayoutChanges } from "./print-layout.ts";
import { printable, printCount } from "./terminal.ts";

/** Offending rows or cells told of one rule or column; --json tells all that were kept. */
const samplesToldMax = 5;

const printRows = (count: number): string => `${printCount(count)} ${count === 1 ? "row" : "rows"}`;

/** A dataset's build, a few lines. */
export function printBuild(
  spec: DatasetSpec,
  { status, manifest, seen, changes, table }: BuildOutcome,
): string {
  const state = status === "published" ? "new" : "unchanged";
  const lines = [
    `${spec.name}: version ${shortVersion(manifest.version)} (${state}), ${printRows(manifest.rowCount)}`,
  ];
  const files = seen.lineage.files.length;
  if (files > 0)
    lines.push(
      `  files     ${printCount(files)} (${printCount(seen.readNow.length)} read, ${printCount(files - seen.readNow.length)} cached)`,
    );
  lines.push(...printLayoutChanges(seen.layouts, seen.readNow));
  if (changes !== undefined) lines.push(`  changes   ${printChanges(changes)}`);
  // Of rows that are known the cells were told before.
  lines.push(...printRestatement(seen.restatement, status === "published" ? samplesToldMax : 0));
  if (seen.rules.length > 0) lines.push(...printRules(seen.rules));
  if (status === "unchanged" && table === "published")
    lines.push("  table     brought up to date in the warehouse");
  if (table === "unsupported") lines.push("  table     none: this warehouse keeps no datasets");
  return printable(`${lines.join("\n")}\n`);
}

/** `+772 -0 ~3 (deaths 3)`. */
export function printChanges({ added, removed, changed, columns }: VersionDiff): string {
  const counts = `+${printCount(added)} -${printCount(removed)} ~${printCount(changed)}`;
  const byColumn = Object.entries(columns).map(([name, count]) => `${name} ${printCount(count)}`);
  return byColumn.length === 0 ? counts : `${counts} (${byColumn.join(", ")})`;
}

function printRestatement({ restated, repeated, columns, samples }: Restatement, toldMax: number): string[] {
  if (restated === 0) return [];
  const byColumn = Object.entries(columns).map(([name, count]) => `${name} ${printCount(count)}`);
  const told = samples.slice(0, toldMax).map(({ key, column, before, after, from, to }) => {
    const names = Object.values(key).map((value) => String(value));
    return `    ${names.join(" ")}: ${column} ${JSON.stringify(before)} in ${from}, ${JSON.stringify(after)} in ${to}`;
  });
  return [
    `  restated  ${printRows(restated)} (${byColumn.join(", ")}); ${printCount(repeated)} repeated`,
    ...told,
  ];
}

/** Rules that do not hold, each with some offending rows. */
export function printRules(rules: readonly RuleResult[]): string[] {
  const broken = rules.filter(({ isPassed }) => !isPassed);
  const passed = printCount(rules.length - broken.length);
  const lines = [`  rules     ${passed} of ${printCount(rules.length)} hold`];
  for (const rule of broken) {
    lines.push(`    ${rule.severity === "warn" ? "warning" : "error"}: ${printRule(rule)}`);
    for (const sample of rule.samples.slice(0, samplesToldMax)) lines.push(`      ${JSON.stringify(sample)}`);
    if (rule.failed > samplesToldMax && rule.samples.length > samplesToldMax)
      lines.push(`      and ${printCount(rule.failed - samplesToldMax)} more`);
  }
  return lines;
}

/** The same for programs. */
export function printBuildJson(
  spec: DatasetSpec,
  { status, manifest, seen, changes, table }: BuildOutcome,
): Readonly<Record<string, unknown>> {
  return {
    dataset: spec.name,
    status,
    version: manifest.version,
    seq: manifest.seq,
    rows: manifest.rowCount,
    built_at: manifest.builtAt,
    table,
    files: {
      used: seen.lineage.files.length,
      read: seen.readNow.length,
      cached: seen.lineage.files.length - seen.readNow.length,
    },
    changes: changes ?? null,
    restatement: seen.restatement,
    rules: seen.rules,
    lineage: seen.lineage,
    layouts: seen.layouts.map((layout) => ({ ...layout, changes: layoutChanges(seen.layouts, layout.id) })),
  };
}
