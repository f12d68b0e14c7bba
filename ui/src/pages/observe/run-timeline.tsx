/** Runs over time, a line for each flow, deployment or key. A running bar ends at now. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactElement, useLayoutEffect, useMemo, useRef } from "react";
import type { Run } from "../../api/types.gen.ts";
import { type RunFilter, readSpan, recentRunsQuery } from "../../client/run-queries.ts";
import { classNames } from "../../components/class-names.ts";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { Select } from "../../components/select.tsx";
import { useNow } from "../../components/use-now.ts";
import { plural, printDuration } from "../../format/duration.ts";
import { printSecond, printShort } from "../../format/instant.ts";
import { backOf, lookOf } from "../../format/state-look.ts";
import { axisPx, type Bar, packBars } from "./pack-bars.ts";
import { shortId } from "./run-columns.tsx";

/** Runs that one timeline shows: the newest. */
const runsMax = 1000;

/** Of shorter spans seconds are told, ms: the marks of the axis would be alike. */
const secondsMs = 8 * 60_000;

/** Beside the newest run, px. */
const marginPx = 16;

/** Share of the axis that holds a glyph: 11 px. */
const glyphShare = 11 / axisPx;

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
  const scroller = useRef<HTMLDivElement>(null);
  const isThere = runs !== undefined && runs.length > 0;
  useLayoutEffect(() => {
    // Where the axis is scrolled, people begin at the newest run.
    const box = scroller.current;
    if (!isThere || box === null) return;
    const ends = [...box.querySelectorAll("a")].map((bar) => bar.getBoundingClientRect().right);
    box.scrollLeft += Math.max(...ends) + marginPx - box.getBoundingClientRect().right;
  }, [isThere]);
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
  const axis = { fromMs, toMs: Math.max(nowMs, fromMs + 1000) };
  const spanShownMs = axis.toMs - axis.fromMs;
  const printMark = spanShownMs < secondsMs ? printSecond : printShort;
  return (
    <div ref={scroller} className="min-h-0 flex-1 overflow-auto p-4">
      <div className="sticky left-0 mb-3 flex w-fit items-center gap-3">
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
      <div className="wide:min-w-220 min-w-200">
        <div
          aria-hidden="true"
          className="wide:ml-48 ml-28 flex justify-between border-b border-line pb-1 text-meta text-muted"
        >
          {[0, 0.25, 0.5, 0.75].map((share) => (
            <span key={share} className="figures">
              {printMark(axis.fromMs + share * spanShownMs)}
            </span>
          ))}
          <span>now</span>
        </div>
        <ul>
          {lanes.map(([name, own]) => (
            <Lane key={name} name={name} runs={own} axis={axis} />
          ))}
        </ul>
      </div>
    </div>
  );
}

function Lane({
  name,
  runs,
  axis,
}: Readonly<{ name: string; runs: readonly Run[]; axis: Bar }>): ReactElement {
  const endOf = (run: Run): number => (run.ended_at === null ? axis.toMs : Date.parse(run.ended_at));
  const rows = packBars(
    runs.map((run) => ({ run, fromMs: startOf(run), toMs: endOf(run) })),
    axis,
  );
  const shareOf = (spanMs: number): number => spanMs / (axis.toMs - axis.fromMs);
  return (
    <li className="flex border-b border-line">
      <div
        className="wide:w-52 sticky -left-4 z-10 -ml-4 w-32 shrink-0 truncate bg-bg py-1.5 pr-2 pl-4 font-semibold"
        title={name}
      >
        {name}
      </div>
      <div className="min-w-0 flex-1 py-1">
        {rows.map((row) => (
          <div key={row[0]?.run.id} className="relative h-6">
            {row.map(({ run, fromMs, toMs }) => {
              const { look, word, glyph } = lookOf(run.state);
              const beganMs = startOf(run);
              const told = `${run.flow} ${shortId(run.id)}: ${word}, ${printShort(beganMs)}, ${printDuration(endOf(run) - beganMs)}`;
              return (
                <Link
                  key={run.id}
                  to="/runs/$id"
                  params={{ id: run.id }}
                  title={told}
                  aria-label={told}
                  className={classNames(
                    "absolute top-0 flex h-6 items-center justify-center overflow-hidden rounded-sm border border-panel text-meta text-panel no-underline hover:no-underline",
                    backOf[look],
                  )}
                  style={{
                    left: `${shareOf(fromMs - axis.fromMs) * 100}%`,
                    width: `${shareOf(toMs - fromMs) * 100}%`,
                  }}
                >
                  {shareOf(toMs - fromMs) > glyphShare && <span aria-hidden="true">{glyph}</span>}
                </Link>
              );
            })}
          </div>
        ))}
      </div>
    </li>
  );
}
