/** One dataset: its rows, a chart of them, what its columns mean, whether it is right, how it changed and what it is made of. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { lazy, type ReactElement, Suspense, useEffect, useMemo } from "react";
import { datasetsQuery } from "../../client/queries.ts";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { plural } from "../../format/duration.ts";
import { ColumnFacts } from "./column-facts.tsx";
import { versionsQuery } from "./data-queries.ts";
import { DatasetLineage } from "./dataset-lineage.tsx";
import { DatasetVersions } from "./dataset-versions.tsx";
import { QualityRules, readRules } from "./quality-rules.tsx";
import { RowBrowser } from "./row-browser.tsx";
import { type RowFilter, readFilter, toSql } from "./row-filter.ts";
import { type DatasetFacts, datasetSource, factsQuery } from "./row-source.ts";

// The library for drawings is loaded by those who look at one.
const DatasetChart = lazy(async () => ({ default: (await import("./dataset-chart.tsx")).DatasetChart }));

const route = getRouteApi("/datasets/$name");
const tabs = ["table", "chart", "columns", "quality", "versions", "lineage"] as const;

/** What a server takes to read a cell, µs: 0.5 to 0.9 of CPU were measured. Waits shorter than a step are not told. */
const cellUs = 0.6;
const toldStepS = 5;

/** Said while the server has only the first rows of a version. */
function tellReading({ rowCount, columns }: DatasetFacts): string {
  const seconds = Math.round((rowCount * columns.length * cellUs) / 1e6 / toldStepS) * toldStepS;
  return `First rows are shown; the server is reading all ${plural(rowCount, "row")}${
    seconds === 0 ? "" : `, which takes about ${seconds} s`
  }. Conditions, order and facets are answered as soon as it has.`;
}

export function DatasetPage(): ReactElement {
  const { name } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const open = useNavigate();
  const datasets = useQuery(datasetsQuery);
  const line = datasets.data?.find((one) => one.name === name);
  const facts = useQuery({ ...factsQuery(name), enabled: line?.version != null });
  const versions = useQuery({ ...versionsQuery(name, 1), enabled: line?.version != null });
  const source = useMemo(
    () => (facts.data === undefined ? undefined : datasetSource(facts.data)),
    [facts.data],
  );
  // What was asked too early is asked again when the version is there.
  const client = useQueryClient();
  const isLoading = facts.data?.loading === true;
  useEffect(() => {
    if (!isLoading)
      void client.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "error" });
  }, [client, isLoading]);
  const change = (changed: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const above = <Link to="/datasets">Datasets</Link>;
  const header = (
    <PageHeader title={name} above={above} {...(line !== undefined && { about: line.description })} />
  );
  if (line === undefined || line.version === null) {
    return (
      <>
        {header}
        {datasets.isPending ? (
          <LoadingState what="the dataset" />
        ) : datasets.data === undefined ? (
          <ErrorState error={datasets.error} onRetry={() => void datasets.refetch()} />
        ) : line === undefined ? (
          <EmptyState kind="none" title={`The project has no dataset "${name}"`}>
            It may have been renamed or taken out of <code>leat.config.ts</code>. See{" "}
            <Link to="/datasets" className="underline">
              all datasets
            </Link>
            .
          </EmptyState>
        ) : (
          <EmptyState kind="none" title="No version has been built yet">
            Run the flow that builds it, or <code>leat build {name}</code>.
          </EmptyState>
        )}
      </>
    );
  }
  if (facts.isPending) {
    return (
      <>
        {header}
        <LoadingState what="the newest version" />
      </>
    );
  }
  if (facts.data === undefined || source === undefined) {
    return (
      <>
        {header}
        <ErrorState error={facts.error} onRetry={() => void facts.refetch()} />
      </>
    );
  }
  const { data } = facts;
  const newest = versions.data?.versions[0];
  const bad = newest === undefined ? 0 : readRules(newest).filter((rule) => !rule.isPassed).length;
  const tab = search.tab ?? "table";
  const names = data.columns.map((column) => column.name);
  const filters = (search.filter ?? []).flatMap((one) => readFilter(one, names) ?? []);
  const openSql = (asked: Readonly<{ filters: readonly RowFilter[]; sort: string | undefined }>): void =>
    void open({
      to: "/sql",
      search: {
        q: toSql(
          name,
          asked.filters,
          asked.sort,
          (column) => data.columns.find((one) => one.name === column)?.type ?? "",
        ),
      },
    });
  return (
    <>
      <PageHeader
        title={name}
        above={above}
        state={
          bad > 0 ? (
            <StateBadge state="warning" word={`${plural(bad, "rule")} not kept`} />
          ) : (
            <StateBadge state="succeeded" word="Rules kept" />
          )
        }
        about={
          <>
            {line.description} {plural(data.rowCount, "row")}, version <code>{data.shortVersion}</code>, built{" "}
            <TimeText at={data.builtAt} />.
          </>
        }
      />
      <Tabs
        label="Parts of the dataset"
        items={[
          { id: "table", name: "Table" },
          { id: "chart", name: "Chart" },
          { id: "columns", name: "Columns", count: data.columns.length },
          { id: "quality", name: "Quality" },
          { id: "versions", name: "Versions", count: line.versions },
          { id: "lineage", name: "Lineage" },
        ]}
        value={tab}
        onChange={(id) => change({ tab: tabs.find((one) => one === id) })}
      >
        {tab === "table" && (
          <RowBrowser
            source={source}
            label={`Rows of ${name}`}
            search={search}
            onChange={change}
            columns={data.columns.map((column) => ({ name: column.name, type: column.type }))}
            {...(data.loading === true && { notice: tellReading(data) })}
            openSql={openSql}
            none={
              <EmptyState kind="none" title="The newest version has no rows">
                What it is made of is told under Lineage.
              </EmptyState>
            }
          />
        )}
        {tab === "chart" && (
          <Suspense fallback={<LoadingState what="the chart" />}>
            <DatasetChart facts={data} filters={filters} search={search} onChange={change} />
          </Suspense>
        )}
        {tab === "columns" && <ColumnFacts facts={data} />}
        {tab === "quality" && <QualityRules name={name} />}
        {tab === "versions" && (
          <DatasetVersions name={name} before={search.before} after={search.after} onChange={change} />
        )}
        {tab === "lineage" && <DatasetLineage name={name} />}
      </Tabs>
    </>
  );
}
