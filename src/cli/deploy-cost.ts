/** What a deployment costs a month, at volumes that a person states. Pure; list prices in USD, without taxes. */

/** Volumes of a month. */
export type Volumes = Readonly<{
  /** Syncs, of all streams and tenants. */
  runs: number;
  /** Loads, plans and builds: requests for all tenants at once. */
  works: number;
  /** Looks of loads at a log: each load looks at each stream and tenant. */
  looks: number;
  /** Loads of one stream that find something. */
  commits: number;
  /** Jobs of Cloud Scheduler. */
  schedulerJobs: number;
  /** Whether each sync is a task of Cloud Tasks. */
  isPlanned: boolean;
  /** One sync, from request to answer. */
  runSeconds: number;
  /** Syncs that one instance does at the same time, on average. */
  concurrency: number;
  cpu: number;
  memoryGib: number;
  /** Files of the landing, GB. */
  landedGb: number;
  /** Tables of the warehouse, GiB. */
  warehouseGib: number;
  /** What queries read, TiB. */
  scannedTib: number;
  /** Secrets with one active version each. */
  secrets: number;
  /** Whether what is free for a billing account is left for this project. */
  isFreeTier: boolean;
}>;

/** One line of a bill. */
export type CostLine = Readonly<{ what: string; how: string; usd: number }>;

/**
 * Prices of Tier 1 regions, read in November 2026; some regions cost up to 40 % more.
 *
 * @see https://cloud.google.com/run/pricing https://cloud.google.com/scheduler/pricing
 *   https://cloud.google.com/storage/pricing https://cloud.google.com/bigquery/pricing
 */
const prices = {
  vcpuSecond: 0.000024,
  gibSecond: 0.0000025,
  request: 0.4e-6,
  schedulerJob: 0.1,
  task: 0.4e-6,
  writeOperation: 5e-6,
  readOperation: 0.4e-6,
  landedGb: 0.02,
  warehouseGib: 0.02,
  scannedTib: 6.25,
  secretVersion: 0.06,
} as const;

/** What is free each month, for a billing account. */
const free = {
  vcpuSeconds: 180_000,
  gibSeconds: 360_000,
  requests: 2_000_000,
  schedulerJobs: 3,
  tasks: 1_000_000,
  scannedTib: 1,
  secretVersions: 6,
} as const;

/** Objects that a sync writes: part, manifest and head. */
const writesPerRun = 3;
/** What it reads: head, manifest and a probe; and the load of its package: the manifest loaded last, the part's checksum. */
const readsPerRun = 5;
/** What a load asks of the log of each stream and tenant: head, manifest and a probe. */
const readsPerLook = 3;
/**
 * What a load of one stream is billed for at least, TiB: each table of each of its statements counts as 10 MiB. Counted
 * were 86 MiB over a day, and 148 where the first loads of a stream were many (decision 015).
 */
const tibPerCommit = 150 / 1024 ** 2;

/** One load, plan or build, seconds; it has its instance to itself, since others are seldom due at the same time. */
const workSeconds = 5;

/** Writes the bill; its sum is {@link sumCost}. */
export function estimateCost(volumes: Volumes): readonly CostLine[] {
  const { runs, looks, cpu, memoryGib } = volumes;
  const scannedTib = volumes.scannedTib + volumes.commits * tibPerCommit;
  const beyond = (amount: number, isFree: number): number =>
    Math.max(0, amount - (volumes.isFreeTier ? isFree : 0));
  const seconds = (runs * volumes.runSeconds) / volumes.concurrency + volumes.works * workSeconds;
  const compute =
    beyond(seconds * cpu, free.vcpuSeconds) * prices.vcpuSecond +
    beyond(seconds * memoryGib, free.gibSeconds) * prices.gibSecond;
  const lines: readonly CostLine[] = [
    {
      what: "Cloud Run",
      how: `${count(runs)} syncs of ${volumes.runSeconds} s, ${volumes.concurrency} at once on ${cpu} vCPU and ${memoryGib} GiB; ${count(volumes.works)} loads, plans and builds`,
      usd: compute + beyond(runs + volumes.works, free.requests) * prices.request,
    },
    {
      what: "Cloud Scheduler",
      how: `${count(volumes.schedulerJobs)} jobs`,
      usd: beyond(volumes.schedulerJobs, free.schedulerJobs) * prices.schedulerJob,
    },
    {
      what: "Cloud Tasks",
      how: volumes.isPlanned ? `${count(runs)} tasks` : "none",
      usd: volumes.isPlanned ? beyond(runs, free.tasks) * prices.task : 0,
    },
    {
      what: "Cloud Storage",
      how: `${count(runs * (writesPerRun + readsPerRun))} operations of syncs, ${count(looks * readsPerLook)} of loads, ${volumes.landedGb} GB kept`,
      usd:
        runs * (writesPerRun * prices.writeOperation + readsPerRun * prices.readOperation) +
        looks * readsPerLook * prices.readOperation +
        volumes.landedGb * prices.landedGb,
    },
    {
      what: "BigQuery",
      how: `${volumes.warehouseGib} GiB kept, ${volumes.scannedTib} TiB read by queries, ${count(volumes.commits)} commits of loads; load jobs are free`,
      usd:
        volumes.warehouseGib * prices.warehouseGib + beyond(scannedTib, free.scannedTib) * prices.scannedTib,
    },
    {
      what: "Secret Manager",
      how: `${count(volumes.secrets)} secrets`,
      usd: beyond(volumes.secrets, free.secretVersions) * prices.secretVersion,
    },
  ];
  return lines.map((line) => ({ ...line, usd: Math.round(line.usd * 100) / 100 }));
}

/** The whole bill, USD. */
export const sumCost = (lines: readonly CostLine[]): number =>
  Math.round(lines.reduce((sum, line) => sum + line.usd, 0) * 100) / 100;

const count = (value: number): string => value.toLocaleString("en-US");
