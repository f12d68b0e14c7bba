/** Runs over time, a line for each flow, deployment or key. A running bar ends at now. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactElement, useMemo } from "react";
import type { Run } from "../../api/types.gen.ts";
import { type RunFilter, readSpan, recentRunsQuery } from "../../client/run-queries.ts";
import { classNames } from "../../components/class-names.ts";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { Select } from "../../components/select.tsx";
import { useNow } from "../../components/use-now.ts";
import { plural, printDuration } from "../../format/duration.ts";
import { printShort } from "../../format/instant.ts";
import { backOf, lookOf } from "../../format/state-look.ts";
import { packBars } from "./pack-bars.ts";
import { shortId } from "./run-columns.tsx";

/** Runs that one timeline shows: the newest. */
const runsMax = 1000;

/** Share of the width that the shortest bar takes: 24 px of some 900, so that it can be hit. */
const shareLeast = 0.03;
const roundedMs = 60_000;

export type TimelineGroup = "flow" | "deployment" | "key";

const groups = [
  { value: "flow", name: "flow" },
  { value: "deployment", name: "deployment" },
  { value: "key", name: "key" },
] as const;

export type RunTimelineProps = Readonly<{
  filter: RunFilter;
  isFiltered: boolean;
  onClear: () => void;
  group: TimelineGroup;
  onGroup: (group: TimelineGroup) => void;
}>;

const startOf = (run: Run): number => Date.parse(run.started_at ?? run.created_at);

export function RunTimeline({ filter, isFiltered, onClear, group, onGroup }: RunTimelineProps): ReactElement {
  const nowMs = useNow();
  const { data: runs, error, isPending, refetch } = useQuery(recentRunsQuery(filter, runsMax));
  const lanes = useMemo(
    () =>
      [...Map.groupBy(runs ?? [], (run) => run[group] ?? "–")].sort(([one], [other]) =>
        one.localeCompare(other),
      ),
    [runs, group],
  );
  if (isPending) return <LoadingState what="runs" />;
  if (runs === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (runs.length === 0) {
    return isFiltered ? (
      <EmptyState kind="filtered" title="No run fits these filters" onClear={onClear} />
    ) : (
      <EmptyState kind="none" title="No runs yet" />
    );
  }
  const spanMs = readSpan(filter.since);
  const fromMs =
    spanMs === undefined ? runs.reduce((least, run) => Math.min(least, startOf(run)), nowMs) : nowMs - spanMs;
  const scale = { fromMs, toMs: Math.max(nowMs, fromMs + 1000) };
  const percent = (atMs: number): number =>
    Math.max(0, Math.min(100, ((atMs - scale.fromMs) / (scale.toMs - scale.fromMs)) * 100));
  return (
    <div className="min-h-0 flex-1 overflow-auto p-4">
      <div className="mb-3 flex items-center gap-3">
        <Select
          label="Lines by"
          options={groups}
          value={group}
          onChange={(value) => onGroup(value as TimelineGroup)}
        />
        <span className="text-muted">
          {plural(runs.length, "run")}
          {runs.length === runsMax && ", the newest"}
        </span>
      </div>
      <div className="min-w-160">
        <div
          aria-hidden="true"
          className="ml-48 flex justify-between border-b border-line pb-1 text-meta text-muted"
        >
          {[0, 0.25, 0.5, 0.75].map((share) => (
            <span key={share} className="figures">
              {printShort(scale.fromMs + share * (scale.toMs - scale.fromMs))}
            </span>
          ))}
          <span>now</span>
        </div>
        <ul>
          {lanes.map(([name, own]) => (
            <Lane
              key={name}
              name={name}
              runs={own}
              nowMs={nowMs}
              percent={percent}
              leastMs={(scale.toMs - scale.fromMs) * shareLeast}
            />
          ))}
        </ul>
      </div>
    </div>
  );
}

function Lane({
  name,
  runs,
  nowMs,
  percent,
  leastMs,
}: Readonly<{
  name: string;
  runs: readonly Run[];
  nowMs: number;
  percent: (atMs: number) => number;
  leastMs: number;
}>): ReactElement {
  const leastRounded = Math.ceil(leastMs / roundedMs) * roundedMs; // So that bars do not jump each second.
  const rows = useMemo(
    () =>
      packBars(
        runs.map((run) => {
          const fromMs = startOf(run);
          const toMs = run.ended_at === null ? Number.POSITIVE_INFINITY : Date.parse(run.ended_at);
          return { run, fromMs, toMs: Math.max(toMs, fromMs + leastRounded) };
        }),
      ),
    [runs, leastRounded],
  );
  return (
    <li className="flex border-b border-line">
      <div className="w-48 shrink-0 truncate py-1.5 pr-2 font-semibold" title={name}>
        {name}
      </div>
      <div className="min-w-0 flex-1 py-1">
        {rows.map((row) => (
          <div key={row[0]?.run.id} className="relative h-6">
            {row.map(({ run, fromMs }) => {
              const endMs = run.ended_at === null ? nowMs : Date.parse(run.ended_at);
              const { look, word, glyph } = lookOf(run.state);
              const told = `${run.flow} ${shortId(run.id)}: ${word}, ${printShort(fromMs)}, ${printDuration(endMs - fromMs)}`;
              return (
                <Link
                  key={run.id}
                  to="/runs/$id"
                  params={{ id: run.id }}
                  title={told}
                  aria-label={told}
                  className={classNames(
                    "absolute top-0 flex h-6 min-w-6 items-center justify-center overflow-hidden rounded-sm border border-panel text-meta text-panel no-underline hover:no-underline",
                    backOf[look],
                  )}
                  style={{
                    left: `min(${percent(fromMs)}%, calc(100% - 24px))`,
                    width: `${percent(endMs) - percent(fromMs)}%`,
                  }}
                >
                  <span aria-hidden="true">{glyph}</span>
                </Link>
              );
            })}
          </div>
        ))}
      </div>
    </li>
  );
}
