/**
 * The tasks of a run as a graph: tasks of one name are one node, however many there are. Arrows go along the edges,
 * Enter chooses. The server has laid it out.
 */
import { type KeyboardEvent, type ReactElement, useEffect, useRef, useState } from "react";
import type { GetApiRunsByIdResponse } from "../../api/types.gen.ts";
import { classNames } from "../../components/class-names.ts";
import { useNow } from "../../components/use-now.ts";
import { printCount, printDuration } from "../../format/duration.ts";
import { inkOf, lookOf, strokeOf, worstOf } from "../../format/state-look.ts";
import { type WalkKey, walk } from "./graph-walk.ts";

export type Graph = GetApiRunsByIdResponse["graph"];
export type GraphNode = Graph["nodes"][number];

/** Sizes, px. */
const node = { width: 168, height: 48 } as const;
const gap = { x: 32, y: 12 } as const;
const padding = 12;

const leftOf = (one: GraphNode): number => padding + one.column * (node.width + gap.x);
const topOf = (one: GraphNode): number => padding + one.row * (node.height + gap.y);

/** State of all tasks of a node. */
export const stateOf = ({ states }: Pick<GraphNode, "states">): string =>
  worstOf(Object.keys(states).filter((state) => (states[state] ?? 0) > 0));

/** `4,980 succeeded, 12 failed`. */
export const printStates = ({ states }: Pick<GraphNode, "states">): string =>
  Object.entries(states)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${printCount(count)} ${lookOf(state).word.toLowerCase()}`)
    .join(", ");

const walkKeys: ReadonlySet<string> = new Set([
  "ArrowRight",
  "ArrowLeft",
  "ArrowUp",
  "ArrowDown",
  "Home",
  "End",
]);
const isWalkKey = (key: string): key is WalkKey => walkKeys.has(key);

export type TaskGraphProps = Readonly<{
  graph: Graph;
  chosen: string | undefined;
  /** `isOpened`: by Enter or a click, and not only come by. */
  onChoose: (name: string) => void;
}>;

export function TaskGraph({ graph, chosen, onChoose }: TaskGraphProps): ReactElement {
  const { nodes, edges } = graph;
  const nowMs = useNow();
  const canvas = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(chosen ?? nodes[0]?.name ?? "");
  useEffect(() => {
    if (chosen === undefined) return;
    setActive(chosen);
    canvas.current
      ?.querySelector(`[data-node="${CSS.escape(chosen)}"]`)
      ?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [chosen]);
  const byName = new Map(nodes.map((one) => [one.name, one]));
  const isActiveThere = byName.has(active);
  const width = Math.max(0, ...nodes.map(leftOf)) + node.width + padding;
  const height = Math.max(0, ...nodes.map(topOf)) + node.height + padding;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isWalkKey(event.key)) return;
    event.preventDefault();
    const next = walk(nodes, edges, active, event.key);
    setActive(next);
    canvas.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(next)}"]`)?.focus();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div
      role="group"
      aria-label="Graph of tasks"
      onKeyDown={onKeyDown}
      className="relative min-h-0 flex-1 overflow-auto"
    >
      <div ref={canvas} className="relative" style={{ width, height }}>
        <svg aria-hidden="true" width={width} height={height} className="absolute inset-0 fill-none">
          {edges.map(({ from, to }) => {
            const [one, other] = [byName.get(from), byName.get(to)];
            if (one === undefined || other === undefined) return null;
            const [x1, y1] = [leftOf(one) + node.width, topOf(one) + node.height / 2];
            const [x2, y2] = [leftOf(other), topOf(other) + node.height / 2];
            const middle = x1 + gap.x / 2;
            const isMarked = chosen !== undefined && (from === chosen || to === chosen);
            return (
              <path
                key={`${from}\n${to}`}
                d={`M${x1} ${y1}C${middle} ${y1} ${x2 - gap.x / 2} ${y2} ${x2} ${y2}`}
                className={isMarked ? "stroke-accent" : "stroke-control"}
                strokeWidth={isMarked ? 2 : 1}
              />
            );
          })}
          {nodes.map((one) => (
            <rect
              key={one.name}
              x={leftOf(one)}
              y={topOf(one)}
              width={node.width}
              height={node.height}
              rx="6"
              strokeWidth={one.name === chosen ? 2.5 : 1.5}
              className={classNames(
                one.name === chosen ? "fill-selected" : "fill-panel",
                strokeOf[lookOf(stateOf(one)).look],
              )}
            />
          ))}
        </svg>
        {nodes.map((one, at) => {
          const { word, glyph, look } = lookOf(stateOf(one));
          const tookMs =
            one.started_at === null
              ? undefined
              : (one.ended_at === null ? nowMs : Date.parse(one.ended_at)) - Date.parse(one.started_at);
          const took = tookMs === undefined ? "" : printDuration(tookMs);
          return (
            <button
              key={one.name}
              type="button"
              data-node={one.name}
              tabIndex={one.name === active || (!isActiveThere && at === 0) ? 0 : -1}
              aria-pressed={one.name === chosen}
              onFocus={() => setActive(one.name)}
              onClick={() => onChoose(one.name)}
              className="absolute flex flex-col justify-center rounded-control px-2.5 text-start"
              style={{ left: leftOf(one), top: topOf(one), width: node.width, height: node.height }}
            >
              <span className="flex w-full items-center gap-1.5 font-semibold">
                <span aria-hidden="true" className={classNames("w-4 shrink-0 text-center", inkOf[look])}>
                  {glyph}
                </span>
                <span className="truncate" title={one.name}>
                  {one.name}
                </span>
              </span>
              <span className="flex w-full gap-2 truncate pl-5.5 text-meta text-muted">
                {one.count > 1 ? (
                  <StateCounts states={one.states} />
                ) : (
                  <span className={inkOf[look]}>{word}</span>
                )}
                <span className="figures">{took}</span>
              </span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

/** Counts with their glyphs: `✓ 4,980 ✕ 12`. */
function StateCounts({ states }: Readonly<{ states: GraphNode["states"] }>): ReactElement {
  return (
    <>
      {Object.entries(states)
        .filter(([, count]) => count > 0)
        .map(([state, count]) => (
          <span key={state} className={classNames("figures", inkOf[lookOf(state).look])}>
            <span aria-hidden="true">{lookOf(state).glyph} </span>
            {printCount(count)}
            <span className="sr-only"> {lookOf(state).word}</span>
          </span>
        ))}
    </>
  );
}
