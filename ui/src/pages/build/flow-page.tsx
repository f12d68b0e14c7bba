/** One flow: the graph of its newest run, its runs, its deployments, and the code they run. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { deploymentsQuery, flowsQuery } from "../../client/queries.ts";
import { useRunNews } from "../../client/run-news.ts";
import { recentRunsQuery, runQuery } from "../../client/run-queries.ts";
import { buttonClass } from "../../components/button.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { RunLink } from "../observe/run-columns.tsx";
import { TaskGraph } from "../observe/task-graph.tsx";
import type { Deployment } from "./deployments-page.tsx";
import { MissingThing } from "./missing-thing.tsx";
import { OwnRuns } from "./own-runs.tsx";

const route = getRouteApi("/flows/$name");

export function FlowPage(): ReactElement {
  const { name } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  useRunNews();
  const { data: flows, error, refetch } = useQuery(flowsQuery);
  const { data: all } = useQuery(deploymentsQuery);
  const flow = flows?.find((one) => one.name === name);
  const deployments = (all ?? []).filter((one) => one.flow === name);
  const tab = search.tab ?? "graph";
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  if (flow === undefined) {
    return (
      <MissingThing
        kind="flow"
        name={name}
        isGone={flows !== undefined}
        error={error}
        onRetry={() => void refetch()}
      />
    );
  }
  const [first] = deployments;
  return (
    <>
      <PageHeader
        title={flow.name}
        above={<Link to="/flows">Flows</Link>}
        about={flow.description}
        actions={
          first !== undefined && (
            <Link
              to="/deployments/$name"
              params={{ name: first.name }}
              search={{ run: true }}
              className={buttonClass("primary")}
            >
              Run {first.name} …
            </Link>
          )
        }
      />
      <Tabs
        label="Views of the flow"
        items={[
          { id: "graph", name: "Graph" },
          { id: "runs", name: "Runs" },
          { id: "deployments", name: "Deployments", count: deployments.length },
          { id: "code", name: "Code version" },
        ]}
        value={tab}
        onChange={(next) => change({ tab: next === "graph" ? undefined : (next as typeof tab) })}
      >
        {tab === "graph" && (
          <NewestGraph flow={name} node={search.node} onNode={(node) => change({ node })} />
        )}
        {tab === "runs" && <OwnRuns of={{ flow: name }} search={search} onChange={change} />}
        {(tab === "deployments" || tab === "code") && (
          <DeploymentRows deployments={deployments} isCode={tab === "code"} />
        )}
      </Tabs>
    </>
  );
}

/** A flow is a function: what it calls is known when it has run. */
function NewestGraph({
  flow,
  node,
  onNode,
}: Readonly<{
  flow: string;
  node: string | undefined;
  onNode: (node: string | undefined) => void;
}>): ReactElement {
  const { data: runs, error, refetch } = useQuery(recentRunsQuery({ flow }, 1));
  const newest = runs?.[0];
  const run = useQuery({ ...runQuery(newest?.id ?? ""), enabled: newest !== undefined });
  const failure = error ?? run.error;
  if (failure !== null) return <ErrorState error={failure} onRetry={() => void refetch()} />;
  if (runs !== undefined && newest === undefined) {
    return (
      <EmptyState kind="none" title="It has never run">
        A flow is a function: what it calls is drawn when it has been called.
      </EmptyState>
    );
  }
  if (run.data === undefined) return <LoadingState what="its newest run" />;
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <p className="flex flex-wrap items-center gap-3 px-4 py-2 text-muted">
        As its newest run has called it: <RunLink run={run.data.run} />{" "}
        <StateBadge state={run.data.run.state} />
      </p>
      {run.data.graph.nodes.length === 0 ? (
        <EmptyState kind="none" title="That run has called no task" />
      ) : (
        <TaskGraph
          graph={run.data.graph}
          chosen={node}
          onChoose={(name) => onNode(name === node ? undefined : name)}
        />
      )}
      {node !== undefined && (
        <p className="border-t border-line px-4 py-2">
          <Link to="/runs/$id" params={{ id: run.data.run.id }} search={{ node }}>
            {node} in that run
          </Link>
        </p>
      )}
    </div>
  );
}

function DeploymentRows({
  deployments,
  isCode,
}: Readonly<{ deployments: readonly Deployment[]; isCode: boolean }>): ReactElement {
  if (deployments.length === 0) return <EmptyState kind="none" title="It is not deployed" />;
  return (
    <ul className="p-4">
      {deployments.map((one) => (
        <li key={one.name} className="flex flex-wrap gap-x-4 border-b border-line py-2">
          <Link to="/deployments/$name" params={{ name: one.name }} className="font-semibold">
            {one.name}
          </Link>
          {isCode ? (
            <>
              <code>{one.code_version ?? "no version known"}</code>
              <span className="text-muted">
                deployed <TimeText at={one.saved_at} />
              </span>
            </>
          ) : (
            <span className="text-muted">{one.description}</span>
          )}
        </li>
      ))}
    </ul>
  );
}
