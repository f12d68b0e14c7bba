/**
 * What the project has taken of BigQuery's daily quotas, read off its list of jobs: everybody's, since the service counts
 * everybody's. Free of charge.
 *
 * @see https://docs.cloud.google.com/bigquery/quotas and
 *   https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/jobs/list (read 2026-11-21)
 */
import { LeatError } from "../../errors/leat-error.ts";
import type { QuotaLine } from "../../ports/warehouse.ts";
import type { Answer, GoogleApi } from "./google-api.ts";

/** What the service lets a project have in 24 hours; none of them can be raised. */
const limits = { loadJobs: 100_000, tableChanges: 1_500, partitionChanges: 30_000 } as const;
/** Jobs of one answer, and answers: a project's whole quota of load jobs, and as many queries. */
const pageJobs = 1_000;
const pagesMax = 200;

type Counts = {
  loadJobs: number;
  failedLoads: number;
  refused: number;
  bytesBilled: number;
  leatBytesBilled: number;
  /** Loads, copies and queries that write, by table. */
  readonly changes: Map<string, number>;
  /** leat's commits by stream. */
  readonly commits: Map<string, number>;
};

/** Reads the quotas. @param sinceMs - ms since the epoch; the service's own span is the 24 hours before now. */
export async function readQuotas(
  api: GoogleApi,
  sinceMs: number,
  signal: AbortSignal,
): Promise<readonly QuotaLine[]> {
  const counts: Counts = {
    loadJobs: 0,
    failedLoads: 0,
    refused: 0,
    bytesBilled: 0,
    leatBytesBilled: 0,
    changes: new Map(),
    commits: new Map(),
  };
  let pageToken: string | undefined;
  for (let page = 1; ; page += 1) {
    const answer = await api.call(
      {
        method: "GET",
        path: "/jobs",
        query: {
          allUsers: "true",
          projection: "full",
          minCreationTime: String(sinceMs),
          maxResults: String(pageJobs),
          ...(pageToken !== undefined && { pageToken }),
        },
        what: "list the project's jobs",
      },
      signal,
    );
    for (const job of (answer["jobs"] ?? []) as readonly Answer[]) count(counts, job);
    pageToken = answer["nextPageToken"] as string | undefined; // Absent on the last page.
    if (pageToken === undefined || pageToken === "") return toLines(counts);
    if (page === pagesMax)
      throw new LeatError("NOT_SUPPORTED", {
        message: `The project has had more than ${pagesMax * pageJobs} jobs in this span; they were not all looked at.`,
        hint: "Ask the service's own view INFORMATION_SCHEMA.JOBS.",
      });
  }
}

function count(counts: Counts, job: Answer): void {
  const configuration = (job["configuration"] ?? {}) as Answer;
  const status = (job["status"] ?? {}) as Answer;
  const failure = status["errorResult"] as { reason?: string } | undefined;
  const labels = (configuration["labels"] ?? {}) as Readonly<Record<string, string>>;
  if (failure?.reason === "quotaExceeded") counts.refused += 1;
  const load = configuration["load"] as Answer | undefined;
  const query = configuration["query"] as Answer | undefined;
  if (load !== undefined) {
    counts.loadJobs += 1;
    if (failure !== undefined) counts.failedLoads += 1; // They count as well.
  }
  const target = (load ?? query ?? (configuration["copy"] as Answer | undefined))?.["destinationTable"];
  const { datasetId = "_", tableId = "" } = (target ?? {}) as { datasetId?: string; tableId?: string };
  // Results of queries are kept in datasets of the service's own, whose names begin so.
  if (!datasetId.startsWith("_")) raise(counts.changes, `${datasetId}.${tableId}`);
  if (query === undefined) return;
  const statistics = ((job["statistics"] ?? {}) as Answer)["query"] as Answer | undefined;
  const bytes = Number(statistics?.["totalBytesBilled"] ?? 0);
  counts.bytesBilled += bytes;
  if (labels["leat"] === undefined) return;
  counts.leatBytesBilled += bytes;
  const { source, stream } = labels;
  if (labels["leat"] === "commit" && source !== undefined) raise(counts.commits, `${source}.${stream}`);
}

const raise = (counts: Map<string, number>, key: string): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1);

function toLines(counts: Counts): readonly QuotaLine[] {
  const table = most(counts.changes);
  const stream = most(counts.commits);
  const mib = (bytes: number): number => Math.round(bytes / 1024 ** 2);
  return [
    {
      what: "load jobs of the project",
      used: counts.loadJobs,
      limit: limits.loadJobs,
      note: counts.failedLoads === 0 ? "" : `${counts.failedLoads} of them failed, and count`,
    },
    { what: "changes of one table by jobs", used: table.count, limit: limits.tableChanges, note: table.name },
    {
      what: "changes of one stream's partitions",
      used: stream.count,
      limit: limits.partitionChanges,
      note: stream.name === "" ? "" : `${stream.name}, by statements: never refused`,
    },
    {
      what: "MiB billed",
      used: mib(counts.bytesBilled),
      limit: null,
      note: `${mib(counts.leatBytesBilled)} of them for leat`,
    },
    { what: "jobs refused for a quota", used: counts.refused, limit: null, note: "" },
  ];
}

/** The key counted most often. */
function most(counts: ReadonlyMap<string, number>): Readonly<{ name: string; count: number }> {
  let found = { name: "", count: 0 };
  for (const [name, count] of counts) if (count > found.count) found = { name, count };
  return found;
}
