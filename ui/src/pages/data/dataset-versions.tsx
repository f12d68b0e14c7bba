/** Versions of a dataset, and what differs between two of them. */
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import type { GetApiDatasetsByIdDiffResponse } from "../../api/types.gen.ts";
import { DataTable } from "../../components/data-table.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { Select } from "../../components/select.tsx";
import type { DataColumn } from "../../components/table-columns.ts";
import { TimeText } from "../../components/time-text.tsx";
import { plural, printCount } from "../../format/duration.ts";
import { diffQuery, type Version, versionsQuery } from "./data-queries.ts";
import { printValue } from "./row-cell.tsx";

export type DatasetVersionsProps = Readonly<{
  name: string;
  before: string | undefined;
  after: string | undefined;
  onChange: (changed: Readonly<{ before?: string | undefined; after?: string | undefined }>) => void;
}>;

export const shortVersion = (version: string): string => version.slice(0, 16);

const columns: readonly DataColumn<Version>[] = [
  { id: "seq", name: "Number", width: 90, align: "end", cell: (one) => one.seq },
  {
    id: "version",
    name: "Version",
    width: 180,
    cell: (one) => <span className="font-mono text-log">{shortVersion(one.version)}</span>,
  },
  { id: "rows", name: "Rows", width: 120, align: "end", cell: (one) => printCount(one.rows) },
  { id: "built", name: "Built", width: 140, cell: (one) => <TimeText at={one.built_at} /> },
  { id: "columns", name: "Columns", width: 100, align: "end", cell: (one) => one.columns.length },
  { id: "state", name: "Rows kept", cell: (one) => (one.is_collected ? "no, thrown away since" : "yes") },
];

export function DatasetVersions({ name, before, after, onChange }: DatasetVersionsProps): ReactElement {
  const { data, error, isPending, refetch } = useQuery(versionsQuery(name));
  if (isPending) return <LoadingState what="versions" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const kept = data.versions.filter((one) => !one.is_collected);
  const [newest, previous] = kept;
  const [from, to] = [before ?? previous?.version, after ?? newest?.version];
  const options = kept.map(({ version, seq }) => ({
    value: version,
    name: `${seq} · ${shortVersion(version)}`,
  }));
  return (
    <div className="flex flex-col gap-4 overflow-y-auto p-4">
      <section className="card flex min-w-0 flex-col">
        <DataTable
          label="Versions"
          columns={columns}
          rows={data.versions}
          rowId={(one) => String(one.seq)}
          heightMax={320}
        />
      </section>
      <section className="card min-w-0 p-4">
        <h2 className="mb-3 text-section">What differs</h2>
        {from === undefined || to === undefined ? (
          <EmptyState kind="none" title="There is but one version">
            When another is published, what differs between the two is shown here.
          </EmptyState>
        ) : (
          <>
            <div className="mb-3 flex flex-wrap gap-2">
              <Select
                label="From"
                options={options}
                value={from}
                onChange={(next) => onChange({ before: next })}
              />
              <Select
                label="To"
                options={options}
                value={to}
                onChange={(next) => onChange({ after: next })}
              />
            </div>
            <VersionDiff name={name} before={from} after={to} />
          </>
        )}
      </section>
    </div>
  );
}

type Changed = GetApiDatasetsByIdDiffResponse["rows"][number];

const words: Readonly<Record<Changed["change"], string>> = {
  added: "+ added",
  removed: "− removed",
  changed: "~ changed",
};

const changedColumns: readonly DataColumn<Changed>[] = [
  { id: "change", name: "Change", width: 120, cell: (one) => <b>{words[one.change]}</b> },
  { id: "key", name: "Key", width: 300, cell: (one) => printFields(one.key) },
  {
    id: "cells",
    name: "Values",
    width: 500,
    cell: (one) => <span title={printCells(one)}>{printCells(one)}</span>,
  },
];

const printFields = (fields: Readonly<Record<string, unknown>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `${name}: ${printValue(value) || "empty"}`)
    .join(", ");

/** A cell of a row that differs: what it was and what it is, where that is not the same. */
function printCell(change: Changed["change"], value: unknown): string {
  const { before, after } = value as Readonly<{ before?: unknown; after?: unknown }>; // As the API compares them.
  const [old, now] = [printValue(before) || "empty", printValue(after) || "empty"];
  if (change === "changed") return `${old} → ${now}`;
  return change === "added" ? now : old;
}

const printCells = ({ change, cells }: Changed): string =>
  Object.entries(cells)
    .map(([name, value]) => `${name}: ${printCell(change, value)}`)
    .join(", ");

function VersionDiff({
  name,
  before,
  after,
}: Readonly<{ name: string; before: string; after: string }>): ReactElement {
  const { data, error, isPending, refetch } = useQuery(diffQuery(name, before, after));
  if (before === after) return <EmptyState kind="unselected" title="Choose two different versions" />;
  if (isPending) return <LoadingState what="what differs" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const counted = Object.entries(data.columns).filter(([, count]) => count > 0);
  return (
    <>
      <p className="mb-2">
        <b>{printCount(data.added)}</b> added, <b>{printCount(data.removed)}</b> removed,{" "}
        <b>{printCount(data.changed)}</b> changed, {plural(data.unchanged, "row")} as before.
      </p>
      {data.schema.length > 0 && (
        <ul className="mb-2 list-disc pl-5">
          {data.schema.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {counted.length > 0 && (
        <p className="mb-2 text-muted">
          Changed values by column:{" "}
          {counted.map(([column, count]) => `${column} ${printCount(count)}`).join(", ")}.
        </p>
      )}
      <DataTable
        label="Rows that differ"
        columns={changedColumns}
        rows={data.rows}
        rowId={(one) => `${one.change} ${JSON.stringify(one.key)}`}
        heightMax={360}
        empty={<EmptyState kind="none" title="No row differs" />}
      />
    </>
  );
}
