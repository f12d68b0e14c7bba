/** Which of the runs that a run began have failed: what its own graph, of its own tasks, does not show. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Run } from "../../api/types.gen.ts";
import { StateBadge } from "../../components/state-badge.tsx";
import { RunLink } from "./run-columns.tsx";

/** Runs named; the others are in the list. */
const namedMax = 5;

export function FailedChildren({
  runs,
  parent,
}: Readonly<{ runs: readonly Run[]; parent: string }>): ReactElement | null {
  const failed = runs.filter(({ state }) => state === "failed");
  if (failed.length === 0) return null;
  return (
    <ul aria-label="Failed runs that it began" className="mt-1 flex flex-col gap-1">
      {failed.slice(0, namedMax).map((run) => (
        <li key={run.id} className="flex flex-wrap items-center gap-x-3">
          <StateBadge state={run.state} /> <RunLink run={run} />
          <span className="min-w-0 text-muted [overflow-wrap:anywhere]">{run.key}</span>
        </li>
      ))}
      <li>
        <Link to="/runs" search={{ parent }}>
          {failed.length > namedMax
            ? `${failed.length} failed of all runs that it began`
            : "All runs that it began"}
        </Link>
      </li>
    </ul>
  );
}
