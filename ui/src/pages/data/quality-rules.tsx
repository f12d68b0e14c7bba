/** Rules that every version of a dataset is held against, and the rows that broke one. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { JsonView } from "../../components/code-block.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { plural, printCount } from "../../format/duration.ts";
import { type Version, versionsQuery } from "./data-queries.ts";

export type Rule = Readonly<{
  name: string;
  severity: "error" | "warn";
  isPassed: boolean;
  checked: number;
  failed: number;
  note: string | null;
  samples: readonly unknown[];
}>;

/** As the dataset's manifest has them. */
export const readRules = ({ rules }: Pick<Version, "rules">): readonly Rule[] =>
  rules.map((rule) => ({
    name: String(rule["name"]),
    severity: rule["severity"] === "warn" ? "warn" : "error",
    isPassed: rule["isPassed"] === true,
    checked: Number(rule["checked"] ?? 0),
    failed: Number(rule["failed"] ?? 0),
    note: typeof rule["note"] === "string" ? rule["note"] : null,
    samples: Array.isArray(rule["samples"]) ? rule["samples"] : [],
  }));

export function QualityRules({ name }: Readonly<{ name: string }>): ReactElement {
  const { data, error, isPending, refetch } = useQuery(versionsQuery(name, 1));
  if (isPending) return <LoadingState what="rules" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const newest = data.versions[0];
  const rules = newest === undefined ? [] : readRules(newest);
  if (rules.length === 0) {
    return (
      <EmptyState kind="none" title="The dataset declares no rules">
        Rules such as <code>unique</code> or <code>freshness</code> are declared with it, and keep a wrong
        version from being published.
      </EmptyState>
    );
  }
  return (
    <ul className="flex flex-col gap-3 p-4">
      {rules.map((rule) => (
        <li key={rule.name} className="card min-w-0 p-4">
          <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
            <StateBadge
              state={rule.isPassed ? "succeeded" : rule.severity === "warn" ? "warning" : "failed"}
              word={rule.isPassed ? "Kept" : "Not kept"}
            />
            <h2 className="min-w-0 flex-1 font-semibold [overflow-wrap:anywhere]">{rule.name}</h2>
            <span className="text-muted">
              {rule.severity === "error" ? "blocks a version" : "only tells"}, {plural(rule.checked, "row")}{" "}
              looked at
              {rule.failed > 0 && `, ${printCount(rule.failed)} wrong`}
            </span>
          </div>
          {rule.note !== null && <p className="text-muted">{rule.note}</p>}
          {rule.samples.length > 0 && (
            <div className="mt-2">
              <JsonView value={rule.samples} what={`rows that broke the rule: ${rule.name}`} />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}
