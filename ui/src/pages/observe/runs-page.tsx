/** Runs: a list to act on, or a timeline to look over. */

import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { deploymentsQuery } from "../../client/queries.ts";
import { useRunNews } from "../../client/run-news.ts";
import type { RunFilter } from "../../client/run-queries.ts";
import { CheckMenu } from "../../components/check-menu.tsx";
import { Combobox } from "../../components/combobox.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Select } from "../../components/select.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { lookOf, runStatesShown } from "../../format/state-look.ts";
import { RunList } from "./run-list.tsx";
import { RunTimeline } from "./run-timeline.tsx";

const route = getRouteApi("/runs");

/** Spans of time that people ask for. */
const spans = [
  { value: "", name: "Any time" },
  { value: "1h", name: "Last hour" },
  { value: "24h", name: "Last 24 h" },
  { value: "7d", name: "Last 7 days" },
  { value: "30d", name: "Last 30 days" },
] as const;

export function RunsPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  useRunNews();
  const { data: deployments } = useQuery(deploymentsQuery);
  const { flow, deployment, state, since, key, parent, tenant } = search;
  const filter: RunFilter = { flow, deployment, state, since, key, parent, tenant };
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const clear = (): void =>
    change({
      flow: undefined,
      deployment: undefined,
      state: undefined,
      since: undefined,
      key: undefined,
      parent: undefined,
      tenant: undefined,
    });
  const view = search.view ?? "list";
  return (
    <>
      <PageHeader title="Runs" />
      <div className="flex flex-wrap items-center gap-2 px-4 pb-3">
        <CheckMenu
          label={`State: ${state?.map((one) => lookOf(one).word).join(", ") ?? "any"}`}
          options={runStatesShown.map((one) => ({ value: one, name: <StateBadge state={one} /> }))}
          chosen={state ?? []}
          onChange={(chosen) => change({ state: chosen.length === 0 ? undefined : [...chosen] })}
        >
          State{state !== undefined && `: ${state.map((one) => lookOf(one).word).join(", ")}`}
        </CheckMenu>
        <Combobox
          label="Flow"
          placeholder="Any flow"
          options={[...new Set((deployments ?? []).map((one) => one.flow))]}
          value={flow ?? ""}
          onChange={(chosen) => change({ flow: chosen || undefined })}
        />
        <Combobox
          label="Deployment"
          placeholder="Any deployment"
          options={(deployments ?? []).map((one) => one.name)}
          value={deployment ?? ""}
          onChange={(chosen) => change({ deployment: chosen || undefined })}
        />
        <Select
          label="Created"
          options={spans}
          value={since ?? ""}
          onChange={(chosen) => change({ since: chosen || undefined })}
        />
        {parent !== undefined && <span className="text-muted">Runs that {parent} began</span>}
        {tenant !== undefined && (
          <span className="text-muted">Runs for tenant {tenant}, also those that other runs began</span>
        )}
      </div>
      <Tabs
        label="Views of runs"
        items={[
          { id: "list", name: "List" },
          { id: "timeline", name: "Timeline" },
        ]}
        value={view}
        onChange={(id) => change({ view: id === "timeline" ? "timeline" : undefined })}
      >
        {view === "list" ? (
          <RunList
            filter={filter}
            isFiltered={isFiltered}
            onClear={clear}
            sort={search.sort}
            onSort={(sort) => change({ sort })}
            hidden={search.hide}
            onHide={(hide) => change({ hide })}
          />
        ) : (
          <RunTimeline
            filter={filter}
            isFiltered={isFiltered}
            onClear={clear}
            group={search.group ?? "flow"}
            onGroup={(group) => change({ group: group === "flow" ? undefined : group })}
          />
        )}
      </Tabs>
    </>
  );
}
