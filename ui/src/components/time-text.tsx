/** An instant: how long ago, and exactly on hover and focus, with the zone. */
import type { ReactElement } from "react";
import { printDuration } from "../format/duration.ts";
import { printAge, printInstant } from "../format/instant.ts";
import { Tooltip } from "./tooltip.tsx";
import { useNow } from "./use-now.ts";

/** `at`: ISO text or epoch ms; nothing shows as a dash. */
export function TimeText({ at }: Readonly<{ at: string | number | null | undefined }>): ReactElement {
  const nowMs = useNow();
  if (at === null || at === undefined) return <span className="text-muted">–</span>;
  const atMs = typeof at === "number" ? at : Date.parse(at);
  if (Number.isNaN(atMs)) return <span>{at}</span>;
  return (
    <Tooltip text={printInstant(atMs)}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the exact time is there for keyboards, too */}
      <time tabIndex={0} dateTime={new Date(atMs).toISOString()} className="figures whitespace-nowrap">
        {printAge(atMs, nowMs)}
      </time>
    </Tooltip>
  );
}

/** How long something took, or has taken so far. */
export function Duration({
  from,
  to,
}: Readonly<{ from: string | null | undefined; to: string | null | undefined }>): ReactElement {
  const nowMs = useNow();
  if (!from) return <span className="text-muted">–</span>;
  const endMs = to ? Date.parse(to) : nowMs;
  return <span className="figures whitespace-nowrap">{printDuration(endMs - Date.parse(from))}</span>;
}
