/** One deployment: what it is, its runs and schedules, and the dialog that runs it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactElement, useMemo, useState } from "react";
import type { Schedule } from "../../api/types.gen.ts";
import { deploymentsQuery, schedulesQuery } from "../../client/queries.ts";
import { useRunNews } from "../../client/run-news.ts";
import { buttonClass } from "../../components/button.tsx";
import { JsonView } from "../../components/code-block.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { TimeText } from "../../components/time-text.tsx";
import type { Deployment } from "./deployments-page.tsx";
import { MissingThing } from "./missing-thing.tsx";
import { OwnRuns } from "./own-runs.tsx";
import { printTicks } from "./print-ticks.ts";
import { RunDialog } from "./run-dialog.tsx";
import { ScheduleDialogs } from "./schedule-dialogs.tsx";
import { type ScheduleAct, scheduleColumns } from "./schedules-page.tsx";

const route = getRouteApi("/deployments/$name");

export function DeploymentPage(): ReactElement {
  const { name } = route.useParams();
  const { data, error, refetch } = useQuery(deploymentsQuery);
  const deployment = data?.find((one) => one.name === name);
  if (deployment !== undefined) return <LoadedDeployment key={name} deployment={deployment} />;
  return (
    <MissingThing
      kind="deployment"
      name={name}
      isGone={data !== undefined}
      error={error}
      onRetry={() => void refetch()}
    />
  );
}

function LoadedDeployment({ deployment }: Readonly<{ deployment: Deployment }>): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  useRunNews();
  const schedules = useQuery(schedulesQuery);
  const [act, setAct] = useState<ScheduleAct>();
  const columns = useMemo(() => scheduleColumns(setAct), []);
  const own = (schedules.data ?? []).filter((one) => one.deployment === deployment.name);
  const tab = search.tab ?? "overview";
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  return (
    <>
      <PageHeader
        title={deployment.name}
        above={<Link to="/deployments">Deployments</Link>}
        about={deployment.description}
        actions={
          <Link
            to="/deployments/$name"
            params={{ name: deployment.name }}
            search={{ ...search, run: true }}
            className={buttonClass("primary")}
          >
            Run …
          </Link>
        }
      />
      <Tabs
        label="Views of the deployment"
        items={[
          { id: "overview", name: "Overview" },
          { id: "runs", name: "Runs" },
          { id: "schedules", name: "Schedules", count: own.length },
          { id: "parameters", name: "Parameters" },
        ]}
        value={tab}
        onChange={(next) => change({ tab: next === "overview" ? undefined : (next as typeof tab) })}
      >
        {tab === "overview" && <Overview deployment={deployment} schedules={own} />}
        {tab === "runs" && <OwnRuns of={{ deployment: deployment.name }} search={search} onChange={change} />}
        {tab === "schedules" && (
          <DataTable
            label="Schedules"
            columns={columns}
            rows={own}
            rowId={(one) => one.id}
            sort={search.sort}
            onSort={(sort) => change({ sort })}
            empty={<EmptyState kind="none" title="It has no schedule" />}
          />
        )}
        {tab === "parameters" && (
          <div className="flex flex-col gap-5 p-4">
            <section>
              <h2 className="mb-2 text-section">Its own parameters</h2>
              <JsonView value={deployment.params} what="parameters of the deployment" />
            </section>
            <section>
              <h2 className="mb-2 text-section">What its flow takes</h2>
              <JsonView value={deployment.params_schema} what="schema of the parameters" />
            </section>
          </div>
        )}
      </Tabs>
      {act !== undefined && <ScheduleDialogs act={act} onClose={() => setAct(undefined)} />}
      {search.run && (
        <RunDialog
          deployment={deployment}
          fromRun={search.from}
          onClose={() => change({ run: undefined, from: undefined })}
        />
      )}
    </>
  );
}

function Overview({
  deployment: one,
  schedules: own,
}: Readonly<{ deployment: Deployment; schedules: readonly Schedule[] }>): ReactElement {
  return (
    <div className="flex flex-col gap-5 p-4">
      <KeyValue
        facts={[
          [
            "Flow",
            <Link key="flow" to="/flows/$name" params={{ name: one.flow }}>
              {one.flow}
            </Link>,
          ],
          ["Pool", one.pool],
          ["Deployed", <TimeText key="saved" at={one.saved_at} />],
          ["Code version", <code key="code">{one.code_version ?? "–"}</code>],
          [
            "Schedules",
            own.length === 0
              ? "none"
              : own
                  .map((schedule) => `${printTicks(schedule.ticks)}${schedule.is_paused ? " (paused)" : ""}`)
                  .join(", "),
          ],
        ]}
      />
      <section className="max-w-240">
        <h2 className="mb-2 text-section">Limits, triggers and notices</h2>
        <JsonView value={one.about} what="limits, triggers and notices" />
      </section>
    </div>
  );
}
