/** When each task ran: a bar for each name, from its first beginning to its last end. A running bar ends at now. */
import type { ReactElement } from "react";
import type { Run } from "../../api/types.gen.ts";
import { classNames } from "../../components/class-names.ts";
import { useNow } from "../../components/use-now.ts";
import { printCount, printDuration } from "../../format/duration.ts";
import { backOf, lookOf } from "../../format/state-look.ts";
import { type GraphNode, printStates, stateOf } from "./task-graph.tsx";

export type TaskGanttProps = Readonly<{
  run: Run;
  nodes: readonly GraphNode[];
  chosen: string | undefined;
  onChoose: (name: string) => void;
}>;

/** Marks of the axis, before its end. */
const shares = [0, 0.5] as const;

export function TaskGantt({ run, nodes, chosen, onChoose }: TaskGanttProps): ReactElement {
  const nowMs = useNow();
  const startMs = Date.parse(run.started_at ?? run.created_at);
  const fromMs = nodes.reduce(
    (least, { started_at: at }) => (at === null ? least : Math.min(least, Date.parse(at))),
    startMs,
  );
  const endOf = (one: GraphNode): number => (one.ended_at === null ? nowMs : Date.parse(one.ended_at));
  const lastMs = nodes.reduce(
    (most, one) => (one.started_at === null ? most : Math.max(most, endOf(one))),
    fromMs,
  );
  const toMs = Math.max(lastMs, run.ended_at === null ? nowMs : Date.parse(run.ended_at), fromMs + 1);
  const percent = (atMs: number): number =>
    Math.max(0, Math.min(100, ((atMs - fromMs) / (toMs - fromMs)) * 100));
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-3 pb-2">
      <div aria-hidden="true" className="sticky top-0 z-10 flex bg-panel pt-1 pl-36 text-meta text-muted">
        {shares.map((share) => (
          <span key={share} className="figures flex-1 whitespace-nowrap">
            {printDuration((toMs - fromMs) * share)}
          </span>
        ))}
        <span className="figures">{printDuration(toMs - fromMs)}</span>
      </div>
      <ul aria-label="When tasks ran">
        {nodes.map((one) => {
          const { look, glyph } = lookOf(stateOf(one));
          const told =
            one.started_at === null ? "not begun" : printDuration(endOf(one) - Date.parse(one.started_at));
          const left = one.started_at === null ? 0 : percent(Date.parse(one.started_at));
          const right = one.started_at === null ? 0 : percent(endOf(one));
          // Half of the width holds its own words; beside a shorter bar there is room.
          const isWide = right - left > 50;
          return (
            <li key={one.name}>
              <button
                type="button"
                aria-pressed={one.name === chosen}
                onClick={() => onChoose(one.name)}
                className={classNames(
                  "flex h-6 w-full items-center rounded-sm text-start hover:bg-sunk focus-visible:-outline-offset-2",
                  one.name === chosen && "bg-selected",
                )}
              >
                <span className="w-36 shrink-0 truncate pr-2 text-meta">
                  {one.name}
                  {one.count > 1 && <span className="text-muted"> × {printCount(one.count)}</span>}
                </span>
                <span className="sr-only">
                  {printStates(one)}, {told}
                </span>
                <span aria-hidden="true" className="relative h-4 min-w-0 flex-1">
                  {one.started_at !== null && (
                    <>
                      <span
                        className={classNames("absolute top-0 h-4 min-w-1 rounded-sm", backOf[look])}
                        style={{ left: `min(${left}%, calc(100% - 4px))`, width: `${right - left}%` }}
                      />
                      <span
                        className={classNames(
                          "figures absolute top-0 text-meta whitespace-nowrap",
                          isWide ? "text-panel" : "text-muted",
                        )}
                        style={
                          isWide
                            ? { left: `calc(${left}% + 6px)` }
                            : right > 60
                              ? { right: `calc(${100 - left}% + 4px)` }
                              : { left: `calc(${right}% + 6px)` }
                        }
                      >
                        {glyph} {told}
                      </span>
                    </>
                  )}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
