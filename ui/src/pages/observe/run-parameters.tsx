/** With what, by whom and by which code a run was executed. */
import type { ReactElement } from "react";
import type { Attempt, Run } from "../../api/types.gen.ts";
import { JsonView } from "../../components/code-block.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { Duration, TimeText } from "../../components/time-text.tsx";
import { printCause } from "./run-columns.tsx";

/** What became of an attempt, by the move that ended it: as states of runs are called everywhere. */
const ends: Readonly<Record<string, Readonly<{ state: string; word?: string }>>> = {
  succeed: { state: "succeeded" },
  fail: { state: "failed" },
  retry: { state: "failed", word: "Failed, tried again" },
  suspend: { state: "waiting" },
  stop: { state: "cancelled" },
  release: { state: "queued", word: "Given back by its worker" },
  lose: { state: "failed", word: "Its worker died" },
  abandon: { state: "failed", word: "Given up" },
};

/** How an attempt stands; an end this console does not know, of a newer server, is shown by its own name. */
const endOf = (end: string | null): Readonly<{ state: string; word?: string }> =>
  end === null ? { state: "running" } : (ends[end] ?? { state: end });

export function RunParameters({
  run,
  attempts,
}: Readonly<{ run: Run; attempts: readonly Attempt[] }>): ReactElement {
  return (
    <div className="flex flex-col gap-5 p-4">
      <section>
        <h2 className="mb-2 text-section">Parameters</h2>
        <JsonView value={run.params} what="parameters" />
      </section>
      <section>
        <h2 className="mb-2 text-section">Run</h2>
        <KeyValue
          facts={[
            ["Id", <code key="id">{run.id}</code>],
            ["Cause", printCause(run)],
            ["Pool", run.pool],
            ["Created", <TimeText key="created" at={run.created_at} />],
            ["Scheduled for", <TimeText key="scheduled" at={run.scheduled_at} />],
            ["Code version", <code key="code">{run.code_version ?? "–"}</code>],
          ]}
        />
      </section>
      <section>
        <h2 className="mb-2 text-section">Attempts</h2>
        <ol className="flex flex-col gap-2">
          {attempts.map((one) => (
            <li key={one.attempt} className="card flex flex-wrap gap-x-4 p-2">
              <span className="font-semibold">{one.attempt}</span>
              <span>
                <TimeText at={one.started_at} />
              </span>
              <Duration from={one.started_at} to={one.ended_at} />
              <StateBadge {...endOf(one.end)} />
              <span className="text-muted">worker {one.worker}</span>
              <code className="text-muted">{one.code_version}</code>
            </li>
          ))}
          {attempts.length === 0 && <li className="text-muted">No worker has taken it yet.</li>}
        </ol>
      </section>
    </div>
  );
}
