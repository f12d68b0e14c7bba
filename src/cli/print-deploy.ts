/** A planned deployment in words: what will exist, who may call it, what it costs. */
import { dirname, relative } from "node:path";
import { transferLimits } from "../warehouses/bigquery/plan-transfer.ts";
import { sumCost } from "./deploy-cost.ts";
import type { DeployPlan, DeployVariables } from "./plan-deploy.ts";
import { printable, printCount } from "./terminal.ts";

/** One thing that will exist, or one that may call another. */
type Line = readonly [what: string, name: string];

/** What will exist, in the order in which data meets it. */
export function listResources(plan: DeployPlan): readonly Line[] {
  const { variables: v } = plan;
  const { name, project_id: project } = v;
  const secretCount = Object.keys(v.secrets).length;
  const transfers = Object.keys(v.transfers);
  const dispatch: readonly Line[] =
    v.dispatch === "scheduler"
      ? [
          [
            "Cloud Scheduler",
            `${printCount(plan.pairs.length)} jobs ${name}-…, one for each stream and tenant`,
          ],
        ]
      : [
          ["Cloud Scheduler", `job ${name}-plan, every five minutes`],
          [
            "Cloud Tasks",
            `queue ${name}-syncs, into which it puts ${printCount(plan.pairs.length)} streams and tenants when they are due`,
          ],
        ];
  return [
    ["Artifact Registry", `repository ${name}, for the image`],
    ...dispatch,
    transfers.length === 0
      ? ["Cloud Scheduler", `job ${name}-load, every 15 minutes: one load a stream`]
      : ["Data Transfer Service", `${transfers.length} transfers, every 15 minutes, in place of leat's load`],
    ...listShares(v),
    ...listBuilds(v),
    [
      "Cloud Run",
      `service ${name}-sync, ${v.service.cpu} vCPU, ${v.service.memory}, no instance while nothing runs`,
    ],
    ["Cloud Run", `job ${name}-backfill, for what takes longer than half an hour`],
    ...(v.serve_api ? ([["Cloud Run", `service ${name}-api, which serves the datasets`]] as const) : []),
    ["Cloud Storage", `bucket ${project}-${name}-landing, private, never deleted with the rest`],
    ["BigQuery", `dataset ${name.replaceAll("-", "_")}_landing of tables; of views: ${v.sources.join(", ")}`],
    ["Secret Manager", secretCount === 0 ? "no secrets" : `${secretCount} secrets, without their values`],
    [
      "Monitoring",
      v.alert_email === null ? "alerts without a receiver: see --alert-email" : `alerts to ${v.alert_email}`,
    ],
  ];
}

/** The job that fills customers' warehouses. */
function listShares({ name, share_schedule: schedule }: DeployVariables): readonly Line[] {
  if (schedule === null) return [];
  return [["Cloud Scheduler", `job ${name}-share, ${schedule} (UTC): customers' warehouses`]];
}

/** Jobs that build; where none does although there are datasets, that is said. */
function listBuilds({ name, builds, serve_api: hasDatasets }: DeployVariables): readonly Line[] {
  const jobs = Object.entries(builds);
  if (jobs.length === 0 && hasDatasets) {
    return [
      ["Cloud Scheduler", "no job for builds: datasets are built by nobody until buildFlow has a schedule"],
    ];
  }
  return jobs.map(([key, { schedule, time_zone: zone, datasets }]) => [
    "Cloud Scheduler",
    `job ${name}-build-${key}, ${schedule} (${zone}): ${datasets.length === 0 ? "all datasets" : datasets.join(", ")}`,
  ]);
}

/** Who may do what; nobody else may. */
export function listRights({ variables: v }: DeployPlan): readonly Line[] {
  const account = (role: string): string => `${v.name}-${role}@${v.project_id}.iam.gserviceaccount.com`;
  return [
    [
      account("caller"),
      `calls ${v.name}-sync, as ${v.dispatch === "scheduler" ? "Cloud Scheduler" : "Cloud Scheduler and Cloud Tasks"}; nobody else does`,
    ],
    [account("sync"), "reads and writes the bucket and the tables, reads the project's secrets"],
    ...(v.serve_api
      ? ([
          [
            account("api"),
            `reads the bucket; ${v.name}-api is called by accounts that you name, until you set api_is_public`,
          ],
        ] as const)
      : []),
  ];
}

/** The plan as text. */
export function printDeploy(plan: DeployPlan, path: string, cwd: string): string {
  const { variables: v } = plan;
  const secrets = Object.values(v.secrets);
  const total = sumCost(plan.cost);
  const folder = relative(cwd, dirname(path));
  const terraform = folder === "" ? "terraform" : `terraform -chdir=${folder}`;
  const parts = [
    `${v.name} in ${v.region} of the project ${v.project_id}, from the image ${v.image}`,
    `\nWhat will exist\n${align(listResources(plan))}`,
    `\nDispatched by ${v.dispatch}: ${plan.why}.`,
    ...(Object.keys(v.transfers).length === 0
      ? []
      : ["\nWhat Google's transfer cannot do", ...transferLimits.map((limit) => `  - ${limit}`)]),
    `\nWho may do what\n${align(listRights(plan))}`,
    `\nWhat it costs a month, list prices in USD\n${align([
      ...plan.cost.map(({ what, how, usd }): Line => [what, `${printUsd(usd)}  ${how}`]),
      ["together", printUsd(total)],
    ])}`,
    `\nWritten: ${path}. No secret is in it. Next (see the recipe "From laptop to Cloud Run"):`,
    `  ${terraform} init`,
    // The service does not start before its image and its secrets are there.
    `  ${terraform} apply -target=module.apis -target=module.registry${secrets.length === 0 ? "" : " -target=module.secrets"}`,
    ...secrets.map((id) => `  gcloud secrets versions add ${id} --project=${v.project_id} --data-file=-`),
    `  docker build --platform linux/amd64 -t ${v.image} . && docker push ${v.image}`,
    `  ${terraform} apply`,
  ];
  return `${parts.map((part) => part.split("\n").map(printable).join("\n")).join("\n")}\n`;
}

/** Lines with their second parts below each other. */
function align(lines: readonly Line[]): string {
  const width = Math.max(...lines.map(([what]) => what.length));
  return lines.map(([what, text]) => `  ${what.padEnd(width)}  ${text}`).join("\n");
}

const printUsd = (usd: number): string => usd.toFixed(2).padStart(9);

/** The plan as JSON. */
export const deployJson = (plan: DeployPlan, path: string): Readonly<Record<string, unknown>> => ({
  ok: true,
  file: path,
  dispatch: { by: plan.variables.dispatch, why: plan.why },
  pairs: plan.pairs.length,
  resources: listResources(plan).map(([service, what]) => ({ service, what })),
  rights: listRights(plan).map(([account, may]) => ({ account, may })),
  limits: Object.keys(plan.variables.transfers).length === 0 ? [] : transferLimits,
  cost: { currency: "USD", lines: plan.cost, total: sumCost(plan.cost) },
  variables: plan.variables satisfies DeployVariables,
});
