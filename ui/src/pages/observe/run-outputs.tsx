/** What a run shows people and what it has made: tables, text, links, progress, its result, and the runs it began. */
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import type { Artifact, GetApiRunsByIdResponse } from "../../api/types.gen.ts";
import { JsonView } from "../../components/code-block.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { StateBadge } from "../../components/state-badge.tsx";
import { TimeText } from "../../components/time-text.tsx";
import { RunLink } from "./run-columns.tsx";
import { ThingLinks } from "./thing-links.tsx";

export function RunOutputs({ detail }: Readonly<{ detail: GetApiRunsByIdResponse }>): ReactElement {
  const { run, artifacts, children, tasks } = detail;
  const made = [...new Set(tasks.flatMap(({ produces }) => produces))];
  const isEmpty = artifacts.length === 0 && children.length === 0 && made.length === 0 && run.result === null;
  if (isEmpty) return <EmptyState kind="none" title="This run has shown and made nothing" />;
  return (
    <div className="flex flex-col gap-5 p-4">
      {artifacts.map((artifact) => (
        <section key={artifact.name} className="min-w-0">
          <h2 className="mb-2 text-section">
            {artifact.name}{" "}
            <span className="text-meta font-normal text-muted">
              <TimeText at={artifact.updated_at} />
              {artifact.task !== null && `, by ${artifact.task}`}
            </span>
          </h2>
          <ArtifactView artifact={artifact} />
        </section>
      ))}
      {made.length > 0 && (
        <section>
          <h2 className="mb-2 text-section">Made</h2>
          <ThingLinks things={made} />
        </section>
      )}
      {children.length > 0 && (
        <section>
          <h2 className="mb-2 text-section">
            Runs it began{" "}
            <Link to="/runs" search={{ parent: run.id }} className="text-body font-normal">
              all
            </Link>
          </h2>
          <ul className="flex flex-col gap-1">
            {children.slice(0, 50).map((child) => (
              <li key={child.id} className="flex flex-wrap items-center gap-x-3 py-0.5">
                <StateBadge state={child.state} /> <RunLink run={child} />
                <span className="text-muted">{child.key}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {run.result !== null && run.result !== undefined && (
        <section className="min-w-0">
          <h2 className="mb-2 text-section">Result</h2>
          <JsonView value={run.result} what="result of the run" />
        </section>
      )}
    </div>
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const printCell = (value: unknown): string =>
  value === null || value === undefined
    ? "–"
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);

/** Rows of a table that are shown. */
const rowsMax = 200;

function ArtifactView({ artifact: { kind, name, data } }: Readonly<{ artifact: Artifact }>): ReactElement {
  if (kind === "table" && Array.isArray(data) && data.every(isRecord))
    return <ArtifactTable name={name} rows={data} />;
  if (kind === "markdown" && typeof data === "string") {
    // As it was written: what a flow says is not to become elements of this page.
    return <p className="card max-w-prose p-3 whitespace-pre-wrap [overflow-wrap:anywhere]">{data}</p>;
  }
  if (
    kind === "link" &&
    isRecord(data) &&
    typeof data["url"] === "string" &&
    /^https?:\/\//.test(data["url"])
  ) {
    return (
      <a href={data["url"]} target="_blank" rel="noreferrer noopener">
        {typeof data["title"] === "string" ? data["title"] : data["url"]}
      </a>
    );
  }
  if (kind === "progress" && isRecord(data)) {
    const [done, total] = [Number(data["done"] ?? data["value"]), Number(data["total"] ?? 1)];
    if (Number.isFinite(done) && Number.isFinite(total) && total > 0) {
      return (
        <p className="flex items-center gap-3">
          <progress aria-label={name} value={done} max={total} className="w-60 accent-accent" />
          <span className="figures">{Math.round((done / total) * 100)} %</span>
        </p>
      );
    }
  }
  return <JsonView value={data} what={name} />;
}

function ArtifactTable({
  name,
  rows,
}: Readonly<{ name: string; rows: readonly Readonly<Record<string, unknown>>[] }>): ReactElement {
  const columns = [...new Set(rows.slice(0, rowsMax).flatMap((row) => Object.keys(row)))];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboards
    <section tabIndex={0} aria-label={name} className="card max-h-96 overflow-auto">
      <table className="w-full text-start">
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column}
                scope="col"
                className="border-b border-line px-3 py-1.5 text-start text-meta text-muted"
              >
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, rowsMax).map((row, at) => (
            <tr key={at}>
              {columns.map((column) => (
                <td key={column} className="figures border-b border-line px-3 py-1">
                  {printCell(row[column])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > rowsMax && <p className="p-2 text-muted">and {rows.length - rowsMax} more rows</p>}
    </section>
  );
}
