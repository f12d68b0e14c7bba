/** Runs of two weeks, a bar a day, failures at the foot: drawn, and the same as a table for those who do not see it. */
import type { ReactElement } from "react";
import type { GetApiHomeResponse } from "../../api/types.gen.ts";
import { classNames } from "../../components/class-names.ts";
import { printCount } from "../../format/duration.ts";
import { printDay } from "../../format/instant.ts";
import { backOf, lookOf, type StateClass } from "../../format/state-look.ts";

type Days = GetApiHomeResponse["days"];

const order: readonly StateClass[] = ["succeeded", "neutral", "running", "attention", "failed"];

const words: Readonly<Record<StateClass, string>> = {
  succeeded: "✓ succeeded",
  neutral: "○ queued, cancelled, skipped",
  running: "▶ running",
  attention: "‖ waiting",
  failed: "✕ failed",
};

function countClasses(states: Days[number]["states"]): ReadonlyMap<StateClass, number> {
  const counts = new Map<StateClass, number>();
  for (const [state, count] of Object.entries(states)) {
    const { look } = lookOf(state);
    counts.set(look, (counts.get(look) ?? 0) + count);
  }
  return counts;
}

export function RunDays({ days }: Readonly<{ days: Days }>): ReactElement {
  const counted = days.map((day) => ({ ...day, classes: countClasses(day.states) }));
  const totals = counted.map(({ classes }) => [...classes.values()].reduce((sum, count) => sum + count, 0));
  const most = Math.max(1, ...totals);
  const used = order.filter((look) => counted.some(({ classes }) => (classes.get(look) ?? 0) > 0));
  return (
    <>
      <div aria-hidden="true" className="flex h-32 items-end gap-1">
        {counted.map(({ from, classes }, at) => (
          <div
            key={from}
            className="flex h-full min-w-0 flex-1 flex-col justify-end"
            title={describe(from, classes)}
          >
            <span className="figures text-center text-meta text-muted">{totals[at] || ""}</span>
            {order.map((look) => {
              const count = classes.get(look) ?? 0;
              if (count === 0) return null;
              return (
                <div
                  key={look}
                  className={classNames(backOf[look], "min-h-0.5 border-t border-panel first:rounded-t-sm")}
                  style={{ height: `${(count / most) * 70}%` }}
                />
              );
            })}
            <span className="mt-1 border-t border-line pt-1 text-center text-meta text-muted">
              {printDay(Date.parse(from))
                .split(" ")
                .map((part, index) => (
                  // The month goes where there is no room for it; the table for readers has all of it.
                  <span key={part} className={index === 0 ? "" : "max-wide:hidden"}>
                    {index === 0 ? part : ` ${part}`}
                  </span>
                ))}
            </span>
          </div>
        ))}
      </div>
      <p aria-hidden="true" className="mt-2 flex flex-wrap gap-4 text-meta text-muted">
        {used.map((look) => (
          <span key={look} className="inline-flex items-center gap-1.5">
            <span className={classNames("size-2.5 rounded-sm", backOf[look])} />
            {words[look]}
          </span>
        ))}
      </p>
      <table className="sr-only">
        <caption>Runs by day</caption>
        <tbody>
          {counted.map(({ from, classes }) => (
            <tr key={from}>
              <th scope="row">{printDay(Date.parse(from))}</th>
              <td>{describe(from, classes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function describe(from: string, classes: ReadonlyMap<StateClass, number>): string {
  const parts = order.flatMap((look) => {
    const count = classes.get(look) ?? 0;
    return count === 0 ? [] : [`${printCount(count)} ${words[look].slice(2)}`];
  });
  return `${printDay(Date.parse(from))}: ${parts.length === 0 ? "none" : parts.join(", ")}`;
}
