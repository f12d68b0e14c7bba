/** What a project becomes on Google Cloud: variables for Terraform, and what they mean. Pure. */
import { hash } from "node:crypto";
import { LeatError } from "../errors/leat-error.ts";
import type { WorkSchedule } from "../flow/ready-made.ts";
import type { Project } from "../ports/project.ts";
import type { Tenant } from "../ports/source.ts";
import { type CostLine, estimateCost, type Volumes } from "./deploy-cost.ts";
import { countMonthly, listPairs, type SyncPair, toCloudCron } from "./deploy-schedules.ts";
import type { FoundSecrets } from "./find-secrets.ts";
import { planTransfers, type TransferVariables } from "./plan-deploy-transfers.ts";

/** What a person says of the deployment. */
export type DeployChoice = Readonly<{
  projectId: string;
  region: string;
  image: string;
  dispatch: "scheduler" | "planner" | undefined;
  alertEmail: string | undefined;
  volumes: Readonly<
    Pick<
      Volumes,
      | "runSeconds"
      | "concurrency"
      | "cpu"
      | "memoryGib"
      | "landedGb"
      | "warehouseGib"
      | "scannedTib"
      | "isFreeTier"
    >
  >;
}>;

/** Values of the module's variables, by name; see `terraform/variables.tf`. No value of a secret is among them. */
export type DeployVariables = Readonly<{
  project_id: string;
  region: string;
  name: string;
  image: string;
  dispatch: "scheduler" | "planner";
  syncs: Readonly<
    Record<
      string,
      Readonly<{ source: string; stream: string; tenant_id: string; schedule: string; time_zone: string }>
    >
  >;
  share_schedule: string | null;
  builds: Readonly<
    Record<string, Readonly<{ schedule: string; time_zone: string; datasets: readonly string[] }>>
  >;
  sources: readonly string[];
  /** With `load: "dts"`: what Google's own transfer needs; see `plan-deploy-transfers.ts`. */
  tables: TransferVariables["tables"];
  views: TransferVariables["views"];
  transfers: TransferVariables["transfers"];
  landing_days?: 0;
  secrets: Readonly<Record<string, string>>;
  readable_secrets: readonly string[];
  service: Readonly<{ cpu: string; memory: string; concurrency: number }>;
  serve_api: boolean;
  alert_email: string | null;
}>;

/** A deployment, planned. */
export type DeployPlan = Readonly<{
  variables: DeployVariables;
  pairs: readonly SyncPair[];
  /** Why it is dispatched so. */
  why: string;
  cost: readonly CostLine[];
}>;

/**
 * Streams and tenants up to which each has a job of Cloud Scheduler, which people can see and pause. Beyond, a region's
 * 1,000 jobs come near, and each costs 10 cents a month.
 */
export const schedulerPairsMax = 300;
/** Variables of a service that may be secrets: Cloud Run takes 1,000 variables in all. */
const secretVariablesMax = 900;
/** A load every 15 minutes. */
const loadsPerMonth = 2880;
/** Shares a few minutes after each load, though they read the landing: both at once would want memory for two. */
const shareSchedule = "7-59/15 * * * *";
const sharesPerMonth = 2880;
/** A plan every five minutes. */
const plansPerMonth = 8640;

/** Jobs beside those of the pairs, and how often they call in a month. */
function ownCalls(
  dispatch: "scheduler" | "planner",
  isTransferred: boolean,
  hasShares: boolean,
): Readonly<{ jobs: number; calls: number }> {
  const calls = [
    ...(isTransferred ? [] : [loadsPerMonth]),
    ...(dispatch === "planner" ? [plansPerMonth] : []),
    ...(hasShares ? [sharesPerMonth] : []),
  ];
  return { jobs: calls.length, calls: calls.reduce((sum, one) => sum + one, 0) };
}

/**
 * Plans a deployment.
 *
 * @throws LeatError `CONFIG_INVALID` where the project says nothing of its schedules, or more than can be deployed.
 */
export function planDeploy(
  work: Readonly<{
    project: Project;
    tenants: readonly Tenant[];
    schedules: readonly WorkSchedule[];
    secrets: FoundSecrets;
  }>,
  choice: DeployChoice,
  nowMs: number,
): DeployPlan {
  const { project, schedules, secrets } = work;
  const pairs = listPairs(work, nowMs);
  if (pairs.length === 0) {
    throw new LeatError("CONFIG_INVALID", {
      message: `The project "${project.name}" says nowhere when its streams are synced.`,
      hint: 'Add it to the project: flows: [syncFlow({ schedules: [{ cron: "0 * * * *" }] })].',
    });
  }
  if (secrets.variables.length > secretVariablesMax) {
    throw new LeatError("CONFIG_INVALID", {
      message: `The project needs ${secrets.variables.length} secrets as variables; a service has room for ${secretVariablesMax}.`,
      hint: "Refer to tenants' secrets as gcp-secret:projects/…/secrets/… in the tenants file: those are read when needed.",
    });
  }
  const { dispatch, why } = chooseDispatch(pairs, choice.dispatch);
  const name = toName(project.name);
  const builds = schedules.filter(({ kind }) => kind === "build");
  const isTransferred = project.load === "dts";
  const transfers = isTransferred
    ? planTransfers(project, { projectId: choice.projectId, name })
    : { tables: {}, views: {}, transfers: {} };
  const hasShares = project.shares.length > 0;
  const own = ownCalls(dispatch, isTransferred, hasShares);
  const variables: DeployVariables = {
    project_id: choice.projectId,
    region: choice.region,
    name,
    image: choice.image,
    dispatch,
    syncs: dispatch === "scheduler" ? Object.fromEntries(pairs.map(toSync)) : {},
    share_schedule: hasShares ? shareSchedule : null,
    builds: Object.fromEntries(builds.map(toBuild)),
    sources: viewDatasets(project),
    ...transfers,
    secrets: Object.fromEntries(secrets.variables.map((variable) => [variable, secretId(name, variable)])),
    readable_secrets: [...new Set(secrets.google.map((one) => one.replace(/\/versions\/.*$/, "")))],
    service: {
      cpu: String(choice.volumes.cpu),
      memory: `${Math.round(choice.volumes.memoryGib * 1024)}Mi`,
      concurrency: choice.volumes.concurrency,
    },
    serve_api: project.datasets.length > 0,
    alert_email: choice.alertEmail ?? null,
  };
  const cost = estimateCost({
    ...choice.volumes,
    runs: pairs.reduce((sum, pair) => sum + pair.runsPerMonth, 0),
    works: builds.reduce((sum, { ticks }) => sum + countMonthly(ticks, nowMs), own.calls),
    looks: isTransferred ? 0 : loadsPerMonth * pairs.length,
    commits: isTransferred ? 0 : countCommits(pairs),
    schedulerJobs: (dispatch === "scheduler" ? pairs.length : 0) + own.jobs + builds.length,
    isPlanned: dispatch === "planner",
    secrets: secrets.variables.length,
  });
  return { variables, pairs, why, cost };
}

/** Loads that find something of their stream: at most each of them, at most one a sync. */
function countCommits(pairs: readonly SyncPair[]): number {
  const syncs = new Map<string, number>();
  for (const { source, stream, runsPerMonth } of pairs) {
    const name = JSON.stringify([source, stream]);
    syncs.set(name, (syncs.get(name) ?? 0) + runsPerMonth);
  }
  return [...syncs.values()].reduce((sum, runs) => sum + Math.min(runs, loadsPerMonth), 0);
}

/** Names of BigQuery datasets: of the sources' views, and of what `warehouseSchema` says of datasets. */
function viewDatasets({ sources, datasets }: Project): readonly string[] {
  const schemas = datasets.map(({ warehouseSchema }) => warehouseSchema).filter((name) => name !== "main");
  return [...new Set([...sources.map(({ name }) => name), ...schemas])];
}

function chooseDispatch(
  pairs: readonly SyncPair[],
  wanted: "scheduler" | "planner" | undefined,
): Readonly<{ dispatch: "scheduler" | "planner"; why: string }> {
  const unsaid = pairs.find(({ cron }) => cron === undefined);
  if (wanted === "scheduler" && unsaid !== undefined) {
    throw new LeatError("CONFIG_INVALID", {
      message: `Cloud Scheduler has no words for the schedule "${unsaid.schedule}": it knows five fields of cron and nothing else.`,
      hint: "Leave --dispatch out or say planner: the planner reads schedules as leat does.",
    });
  }
  if (wanted !== undefined) return { dispatch: wanted, why: "as --dispatch says" };
  if (unsaid !== undefined) {
    return { dispatch: "planner", why: `Cloud Scheduler has no words for the schedule "${unsaid.schedule}"` };
  }
  return pairs.length <= schedulerPairsMax
    ? {
        dispatch: "scheduler",
        why: `${pairs.length} of at most ${schedulerPairsMax} jobs, each seen and paused by itself`,
      }
    : { dispatch: "planner", why: `${pairs.length} jobs would be more than ${schedulerPairsMax}` };
}

function toSync(pair: SyncPair): [string, DeployVariables["syncs"][string]] {
  const { cron, timezone } = pair.cron!; // With dispatch "scheduler" each has one.
  const { key, source, stream, tenant } = pair;
  return [key, { source, stream, tenant_id: tenant, schedule: cron, time_zone: timezone }];
}

/** @throws LeatError `CONFIG_INVALID`: nothing would ever build by a schedule that Cloud Scheduler cannot say. */
function toBuild({ id, ticks, names }: WorkSchedule): [string, DeployVariables["builds"][string]] {
  const cron = toCloudCron(ticks);
  if (cron !== undefined) {
    const key = id.replace(/[^A-Za-z0-9_-]+/g, "-");
    return [key, { schedule: cron.cron, time_zone: cron.timezone, datasets: names }];
  }
  throw new LeatError("CONFIG_INVALID", {
    message: `Cloud Scheduler has no words for the schedule "${id}" of a build: it knows five fields of cron and nothing else.`,
    hint: "Give the build a schedule such as 30 6 * * *.",
  });
}

/** Longest name: service accounts have 30 characters, of which `-scheduler` and its like take up to 10. */
const nameMax = 20;

/** A name for resources: small letters, digits and hyphens, beginning with a letter. */
export function toName(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  if (plain.length >= 3 && plain.length <= nameMax) return plain;
  const digest = hash("sha256", text, "hex").slice(0, 6);
  return `${plain.slice(0, nameMax - digest.length - 1).replace(/-+$/, "") || "leat"}-${digest}`;
}

/** Name of a secret, `<name>-<variable>` in small letters; Secret Manager takes 255 characters. */
function secretId(name: string, variable: string): string {
  const plain = variable.toLowerCase().replaceAll("_", "-");
  return (plain.startsWith(`${name}-`) ? plain : `${name}-${plain}`).slice(0, 255);
}
