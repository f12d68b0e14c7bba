/** What a dataset is made of, and what is made of it. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { datasetsQuery } from "../../client/queries.ts";
import { CodeBlock } from "../../components/code-block.tsx";
import { EmptyState, ErrorState, LoadingState } from "../../components/empty-state.tsx";
import { KeyValue } from "../../components/key-value.tsx";
import { printCount } from "../../format/duration.ts";
import { EndpointLink, LoadLink, PackageFilesLink } from "../ingest/stream-links.tsx";
import { type Version, versionsQuery } from "./data-queries.ts";
import { shortVersion } from "./dataset-versions.tsx";

type StreamPart = Readonly<{ stream: string; tenant: string; seq: number }>;
type FilePart = StreamPart & Readonly<{ id: string; name: string; rows: number }>;
type Lineage = Readonly<{
  files: readonly FilePart[];
  streams: readonly StreamPart[];
  datasets: readonly Readonly<{ dataset: string; version: string }>[];
  sql: string | null;
  code: Readonly<{ sha256: string; version: string | null }> | null;
  reader: string | null;
  leat: string;
}>;

/** The API describes it as any object; it is the lineage of the dataset's manifest. */
const readLineage = ({ lineage }: Version): Lineage => lineage as unknown as Lineage;

/** Files and streams that are listed of each. */
const listedMax = 200;

export function DatasetLineage({ name }: Readonly<{ name: string }>): ReactElement {
  const { data, error, isPending, refetch } = useQuery(versionsQuery(name, 1));
  const datasets = useQuery(datasetsQuery);
  const others = (datasets.data ?? []).filter((one) => one.name !== name && one.version !== null);
  const newestOfOthers = useQueries({ queries: others.map((one) => versionsQuery(one.name, 1)) });
  if (isPending) return <LoadingState what="lineage" />;
  if (data === undefined) return <ErrorState error={error} onRetry={() => void refetch()} />;
  const newest = data.versions[0];
  if (newest === undefined) return <EmptyState kind="none" title="No version has been built yet" />;
  const { files, streams, datasets: parts, sql, code, reader, leat } = readLineage(newest);
  const usedBy = others.filter((_, at) => {
    const version = newestOfOthers[at]?.data?.versions[0];
    return version !== undefined && readLineage(version).datasets.some((one) => one.dataset === name);
  });
  return (
    <div className="flex flex-col gap-4 overflow-y-auto p-4">
      <div className="wide:grid-cols-3 grid items-start gap-4">
        <Part title="Made of">
          {parts.map((one) => (
            <li key={`${one.dataset} ${one.version}`}>
              <Link to="/datasets/$name" params={{ name: one.dataset }} search={{ tab: "versions" }}>
                {one.dataset}
              </Link>{" "}
              <code className="text-muted">{shortVersion(one.version)}</code>
            </li>
          ))}
          {streams.slice(0, listedMax).map((one) => (
            <li key={`${one.stream} ${one.tenant}`}>
              <EndpointLink at={one}>
                {one.stream} of {one.tenant}
              </EndpointLink>
              , up to{" "}
              <LoadLink at={one} seq={one.seq}>
                package {one.seq}
              </LoadLink>
            </li>
          ))}
          {files.slice(0, listedMax).map((one) => (
            <li key={`${one.stream} ${one.id}`} className="[overflow-wrap:anywhere]">
              <PackageFilesLink at={one} seq={one.seq}>
                {one.name}
              </PackageFilesLink>
              , {printCount(one.rows)} rows
            </li>
          ))}
          {parts.length + streams.length + files.length === 0 && (
            <li className="text-muted">the project's own rows</li>
          )}
          {Math.max(streams.length, files.length) > listedMax && (
            <li className="text-muted">
              and {printCount(Math.max(streams.length, files.length) - listedMax)} more
            </li>
          )}
        </Part>
        <Part title="By">
          <li>
            <KeyValue
              facts={[
                ["Dataset", <b key="name">{name}</b>],
                ["Version", <code key="version">{shortVersion(newest.version)}</code>],
                [
                  "Code",
                  code === null ? "–" : <code key="code">{code.version ?? code.sha256.slice(0, 16)}</code>,
                ],
                ["Reader", reader ?? "–"],
                ["leat", leat],
              ]}
            />
          </li>
        </Part>
        <Part title="Used by">
          {usedBy.map((one) => (
            <li key={one.name}>
              <Link to="/datasets/$name" params={{ name: one.name }}>
                {one.name}
              </Link>
            </li>
          ))}
          {usedBy.length === 0 && <li className="text-muted">no other dataset</li>}
        </Part>
      </div>
      {sql !== null && <CodeBlock code={sql} what="query" />}
    </div>
  );
}

function Part({ title, children }: Readonly<{ title: string; children: ReactNode }>): ReactElement {
  return (
    <section className="card min-w-0 p-4">
      <h2 className="mb-2 text-section">{title}</h2>
      <ul className="flex flex-col gap-1 [&_a]:underline">{children}</ul>
    </section>
  );
}
