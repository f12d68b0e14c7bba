/** Home: is anything broken? */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import type { GetApiHomeResponse, Run } from "../../api/types.gen.ts";
import { request } from "../../client/request.ts";
import { useRunNews } from "../../client/run-news.ts";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { Duration, TimeText } from "../../components/time-text.tsx";
import { useNow } from "../../components/use-now.ts";
import { plural, printDuration } from "../../format/duration.ts";
import { zoneShown } from "../../format/instant.ts";
import { RunLink } from "./run-columns.tsx";
import { RunDays } from "./run-days.tsx";

/** How often what only time changes is asked again, ms: lateness, next fires. */
const againMs = 30_000;

export function HomePage(): ReactElement {
  useRunNews();
  const zone = zoneShown(); // Days begin and are named by the same clock.
  const { data, error, refetch } = useQuery({
    queryKey: ["home", zone],
    queryFn: ({ signal }) => request<GetApiHomeResponse>("home", { query: { time_zone: zone }, signal }),
    refetchInterval: againMs,
  });
  if (data === undefined) {
    return (
      <>
        <PageHeader title="Home" />
        {error === null ? (
          <LoadingState what="what is the matter" />
        ) : (
          <ErrorState error={error} onRetry={() => void refetch()} />
        )}
      </>
    );
  }
  return (
    <>
      <PageHeader title="Home" about={<Summary home={data} />} />
      <div className="wide:grid-cols-2 grid gap-4 px-4 pb-4">
        <Failing home={data} />
        <Late home={data} />
        <Running home={data} />
        <Next home={data} />
        <section className="card wide:col-span-2 min-w-0 p-4">
          <h2 className="mb-3 text-section">Runs of 14 days</h2>
          <RunDays days={data.days} />
        </section>
      </div>
    </>
  );
}

function Summary({ home }: Readonly<{ home: GetApiHomeResponse }>): ReactNode {
  if (!home.has_workers) {
    return (
      <span className="font-semibold text-attention">
        ! No worker is alive: queued runs wait. Start one with <code>leat worker</code>.
      </span>
    );
  }
  if (home.failing_count === 0 && home.late_count === 0) {
    return <span className="text-succeeded">✓ Nothing fails, nothing is late.</span>;
  }
  const parts = [
    home.failing_count > 0 && plural(home.failing_count, "failing flow"),
    home.late_count > 0 && plural(home.late_count, "late stream"),
  ].filter(Boolean);
  return <span className="font-semibold text-failed">✕ {parts.join(", ")}</span>;
}

function Card({
  title,
  count,
  more,
  children,
}: Readonly<{ title: string; count: number; more?: ReactNode; children: ReactNode }>): ReactElement {
  return (
    <section className="card min-w-0 p-4">
      <div className="mb-2 flex items-baseline gap-2">
        <h2 className="text-section">{title}</h2>
        <span className="figures text-muted">{count}</span>
        <span className="flex-1" />
        {more}
      </div>
      {children}
    </section>
  );
}

/** Rows of one list before it is cut. */
const rowsMax = 8;

function Rows<Row>({
  rows,
  count,
  none,
  keyOf,
  children,
}: Readonly<{
  rows: readonly Row[];
  count: number;
  none: string;
  keyOf: (row: Row) => string;
  children: (row: Row) => ReactNode;
}>): ReactElement {
  if (rows.length === 0) return <p className="text-muted">{none}</p>;
  return (
    <>
      <ul className="flex flex-col">
        {rows.slice(0, rowsMax).map((row) => (
          <li
            key={keyOf(row)}
            className="flex min-h-8 flex-wrap items-center gap-x-3 border-t border-line py-1 [overflow-wrap:anywhere] first:border-t-0"
          >
            {children(row)}
          </li>
        ))}
      </ul>
      {count > rowsMax && <p className="mt-1 text-meta text-muted">and {count - rowsMax} more</p>}
    </>
  );
}

function Failing({ home }: Readonly<{ home: GetApiHomeResponse }>): ReactElement {
  return (
    <Card
      title="Failing now"
      count={home.failing_count}
      more={
        <Link to="/runs" search={{ state: ["failed"], since: "24h" }}>
          Failed in 24 h
        </Link>
      }
    >
      <Rows
        rows={home.failing}
        count={home.failing_count}
        none="✓ No flow's last run failed."
        keyOf={(run: Run) => run.id}
      >
        {(run) => (
          <>
            <StateBadge state={run.state} />
            <RunLink run={run} />
            <span className="text-muted">
              <TimeText at={run.ended_at} />
            </span>
            <span className="min-w-0 basis-full truncate text-muted" title={run.error?.message}>
              {run.error?.message}
            </span>
          </>
        )}
      </Rows>
    </Card>
  );
}

function Late({ home }: Readonly<{ home: GetApiHomeResponse }>): ReactElement {
  const nowMs = useNow();
  return (
    <Card title="Late" count={home.late_count} more={<Link to={"/sources" as string}>Sources</Link>}>
      <Rows
        rows={home.late}
        count={home.late_count}
        none="✓ Every stream that is expected has come."
        keyOf={(one) => `${one.stream} ${one.tenant}`}
      >
        {(one) => (
          <>
            <StateBadge
              state="late"
              word={one.late_at === null ? "Late" : `Late ${printDuration(nowMs - Date.parse(one.late_at))}`}
            />
            <Link
              to={
                `/sources/${encodeURIComponent(one.source)}/${encodeURIComponent(one.tenant)}/${encodeURIComponent(one.name)}` as string
              }
              className="font-semibold"
            >
              {one.stream}
            </Link>
            <span>{one.tenant}</span>
            <span className="text-muted">
              {one.synced_at === null ? (
                "never read"
              ) : (
                <>
                  read <TimeText at={one.synced_at} />
                </>
              )}
              {one.run?.state === "failed" && ", its last run failed"}
            </span>
          </>
        )}
      </Rows>
    </Card>
  );
}

function Running({ home }: Readonly<{ home: GetApiHomeResponse }>): ReactElement {
  const waiting = [
    home.queued_count > 0 && `${home.queued_count} queued`,
    home.waiting_count > 0 && `${home.waiting_count} waiting`,
  ].filter(Boolean);
  return (
    <Card
      title="Running"
      count={home.running_count}
      more={
        waiting.length > 0 && (
          <Link to="/runs" search={{ state: ["queued", "waiting"] }}>
            {waiting.join(", ")}
          </Link>
        )
      }
    >
      <Rows rows={home.running} count={home.running_count} none="Nothing runs." keyOf={(run: Run) => run.id}>
        {(run) => (
          <>
            <StateBadge state={run.state} />
            <RunLink run={run} />
            <span className="text-muted">
              <Duration from={run.started_at} to={null} />
            </span>
          </>
        )}
      </Rows>
    </Card>
  );
}

function Next({ home }: Readonly<{ home: GetApiHomeResponse }>): ReactElement {
  const schedules = [...Map.groupBy(home.next, ({ schedule }) => schedule).values()].flatMap((fires) => {
    const [first] = fires;
    return first === undefined ? [] : [{ ...first, count: fires.length }];
  });
  return (
    <Card title="Next 24 h" count={home.next_count} more={<Link to="/schedules">Schedules</Link>}>
      <Rows
        rows={schedules}
        count={schedules.length}
        none="No schedule fires within a day."
        keyOf={(one) => one.schedule}
      >
        {(one) => (
          <>
            <StateBadge state="scheduled" />
            <Link to="/deployments/$name" params={{ name: one.deployment }} className="font-semibold">
              {one.schedule}
            </Link>
            <span className="text-muted">
              <TimeText at={one.at} />
              {one.count > 1 && `, and ${one.count - 1} more`}
            </span>
          </>
        )}
      </Rows>
      {home.paused.length > 0 && (
        <p className="mt-2 text-attention">
          ‖ {plural(home.paused.length, "schedule")} paused: {home.paused.slice(0, 5).join(", ")}
        </p>
      )}
      {home.next.length === 0 &&
        home.paused.length === 0 &&
        home.days.every((day) => Object.keys(day.states).length === 0) && (
          <EmptyState kind="none" title="Nothing has run yet">
            Open a deployment and press Run.
          </EmptyState>
        )}
    </Card>
  );
}
