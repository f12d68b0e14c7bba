/** What the hours took of each service, beside what there is of it, and what that costs a month. */
import { type CostLine, estimateCost, sumCost, type Volumes } from "../../../src/cli/deploy-cost.ts";
import type { Exchange as QueryExchange } from "../../fakes/bigquery/bigquery-server.ts";
import type { FakeJobs } from "../../fakes/bigquery/fake-jobs.ts";
import type { FakeBuckets } from "../../fakes/fake-objects.ts";
import type { Exchange } from "../../fakes/fault-server.ts";
import type { DaySize } from "./play-day.ts";

/** One quota. */
export type QuotaLine = Readonly<{ what: string; used: number; limit: number }>;

/** What was played, and what it took. */
export type DayTraffic = Readonly<{
  counts: Readonly<Record<string, number>>;
  /** Requests by verb. */
  storage: Readonly<Record<string, number>>;
  /** Of them: of one sync, and of one load for each stream and tenant. */
  perSync: string;
  perLook: string;
  warehouse: Readonly<Record<string, number>>;
  bytes: Readonly<{ sent: number; kept: number; billed: number }>;
  /** Of one day. */
  quotas: readonly QuotaLine[];
  /** The formula of `leat deploy`, and what was counted, USD a month. */
  bill: readonly CostLine[];
  total: number;
  operations: Readonly<{ formula: number; counted: number }>;
}>;

type Played = Readonly<{
  storage: readonly Exchange[];
  /** Those of them that loads have sent. */
  ofLoads: ReadonlySet<Exchange>;
  buckets: FakeBuckets;
  exchanges: readonly QueryExchange[];
  jobs: ReturnType<FakeJobs["list"]>;
  requestsToPartner: number;
}>;

/** Verbs of class A; all others are of class B, and deletions are free. */
const writes: ReadonlySet<string> = new Set(["insert", "begin", "list"]);
const hoursOfMonth = 720;
/** A table as leat's statements name it. */
const tablePath = /`[^`]+`\.`[^`]+`\.`[^`]+`/g;

export function measureDay(
  { tenants, streams, hours }: DaySize,
  counts: Readonly<Record<string, number>>,
  { storage, ofLoads, buckets, exchanges, jobs, requestsToPartner }: Played,
): DayTraffic {
  const verbs = tally(storage, ({ verb }) => verb);
  const loads = jobs.filter(({ body }) => body.configuration.load !== undefined);
  const intoTable = tally(loads, ({ body }) => body.configuration.load!.destinationTable.tableId);
  const uris = loads.map(({ body }) => body.configuration.load!.sourceUris.length);
  const commits = jobs.filter(({ id }) => id.startsWith("leat_commit_"));
  const scripts = commits.map(({ body }) => Buffer.byteLength(body.configuration.query?.query ?? ""));
  const ofStream = tally(commits, ({ labels }) => String((labels as { stream?: string }).stream));
  const overwritten = tally(
    storage.filter(({ verb }) => verb === "insert"),
    ({ path }) => new URLSearchParams(path.split("?")[1]).get("name") ?? path,
  );
  const perDay = (count: number): number => Math.ceil((count / hours) * 24);
  const queries = jobs.length - loads.length;
  // The least that it costs: each table of a statement is billed for 10 MiB.
  const named = jobs.map(({ body }) => body.configuration.query?.query.match(tablePath)?.length ?? 0);
  const billed = named.reduce((sum, count) => sum + count, 0) * 10 * 1024 ** 2;
  const month = (count: number): number => Math.round((count / hours) * hoursOfMonth);
  const volumes: Volumes = {
    runs: tenants * streams * hoursOfMonth,
    works: 2880 + 8640,
    looks: 2880 * tenants * streams,
    commits: month(commits.length),
    schedulerJobs: 2,
    isPlanned: true,
    runSeconds: 20,
    concurrency: 4,
    cpu: 1,
    memoryGib: 0.5,
    landedGb: 0,
    warehouseGib: 50,
    scannedTib: 0,
    secrets: 100,
    isFreeTier: false,
  };
  const cost = estimateCost({ ...volumes, landedGb: 50 });
  const classA = storage.filter(({ verb }) => writes.has(verb)).length;
  const classB = storage.filter(({ verb }) => !writes.has(verb) && verb !== "delete").length;
  return {
    counts: { ...counts, requestsToPartner, loadJobs: loads.length, commits: commits.length, queries },
    storage: verbs,
    perSync: perOne(
      storage.filter((one) => !ofLoads.has(one)),
      counts["deliveries"] ?? 0,
    ),
    perLook: perOne([...ofLoads], (counts["loads"] ?? 0) * tenants * streams),
    warehouse: tally(exchanges, ({ method, path }) => `${method} ${kindOf(path)}`),
    bytes: {
      sent: storage.reduce((sum, { requestBytes }) => sum + requestBytes, 0),
      kept: buckets.keys("shop").reduce((sum, key) => sum + (buckets.read("shop", key)?.byteLength ?? 0), 0),
      billed,
    },
    quotas: [
      { what: "load jobs of the project", used: perDay(loads.length), limit: 100_000 },
      { what: "load jobs into one table", used: Math.max(0, ...Object.values(intoTable)), limit: 1_500 },
      {
        what: "commits of one stream (statements, which that limit does not count)",
        used: perDay(Math.max(0, ...Object.values(ofStream))),
        limit: 1_500,
      },
      { what: "files of one load job", used: Math.max(0, ...uris), limit: 10_000 },
      { what: "bytes of one script", used: Math.max(0, ...scripts), limit: 1024 ** 2 },
      {
        what: "writes of one object (one a second)",
        used: perDay(Math.max(0, ...Object.values(overwritten))),
        limit: 86_400,
      },
      {
        what: "tasks of one hour (500 a second)",
        used: Math.ceil((counts["tasks"] ?? 0) / hours),
        limit: 1_800_000,
      },
      { what: "jobs of Cloud Scheduler", used: 2, limit: 1_000 },
    ],
    bill: cost,
    total: sumCost(cost),
    operations: {
      formula: estimateCost(volumes).find(({ what }) => what === "Cloud Storage")?.usd ?? Number.NaN,
      counted: cents(month(classA) * 5e-6 + month(classB) * 0.4e-6),
    },
  };
}

const perOne = (exchanges: readonly Exchange[], count: number): string =>
  Object.entries(tally(exchanges, ({ verb }) => verb))
    .map(([verb, n]) => `${verb} ${(n / count).toFixed(1)}`)
    .join(", ");

/** The day as text. */
export function printDay(day: DayTraffic): string {
  const { counts, storage, warehouse, bytes, quotas, bill, total, operations } = day;
  const list = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([what, n]) => `${what} ${n.toLocaleString("en-US")}`)
      .join(", ");
  return [
    list(counts),
    `Cloud Storage: ${list(storage)}; ${(bytes.sent / 1e6).toFixed(1)} MB sent, ${(bytes.kept / 1e6).toFixed(1)} MB kept`,
    `  one sync: ${day.perSync}; one load, for each stream and tenant: ${day.perLook}`,
    `BigQuery: ${list(warehouse)}; at least ${(bytes.billed / 1024 ** 2).toFixed(0)} MiB billed, ${(bytes.billed / 1024 ** 2 / (counts["commits"] ?? 1)).toFixed(0)} a commit`,
    "of a day's quotas:",
    ...quotas.map(
      ({ what, used, limit }) =>
        `  ${what}: ${used.toLocaleString("en-US")} of ${limit.toLocaleString("en-US")}`,
    ),
    `a month: ${total} USD (${bill.map(({ what, usd }) => `${what} ${usd}`).join(", ")}), without what is free`,
    `of which operations of Cloud Storage: ${operations.formula} USD by the formula, ${operations.counted} USD as counted`,
  ].join("\n");
}

function tally<One>(all: readonly One[], keyOf: (one: One) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of all) counts[keyOf(one)] = (counts[keyOf(one)] ?? 0) + 1;
  return counts;
}

/** Kind of a request to BigQuery: its path without names. */
const kindOf = (path: string): string => {
  const [area = "", , kind, , data] = path.replace(/^.*\/projects\/[^/]+\//, "").split("/");
  return area === "datasets" ? (data ?? kind ?? "datasets") : area;
};

const cents = (usd: number): number => Math.round(usd * 100) / 100;
