/** `leat deploy`: what the project becomes on Google Cloud, told and written down for Terraform. */
import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import type { DeployChoice } from "./plan-deploy.ts";
import { readNumber } from "./read-number.ts";

type DeployOptions = GlobalOptions &
  Readonly<{
    project?: string;
    region: string;
    image?: string;
    dispatch?: string;
    alertEmail?: string;
    out: string;
    runSeconds: string;
    concurrency: string;
    cpu: string;
    memory: string;
    landedGb: string;
    warehouseGib: string;
    scannedTib: string;
    /** `false`: --no-free-tier. */
    freeTier: boolean;
  }>;

const after = `
Examples:
  leat deploy --project my-project --region europe-west1 --out infra/terraform.tfvars.json
  leat deploy --project my-project --run-seconds 5 --landed-gb 40 --json

Nothing is sent anywhere: it writes one file and says what Terraform will make of it. When the project is synced is
read off its syncFlow; which secrets it needs, by asking its sources. Run it again after tenants or schedules changed.`;

export function addDeploy(program: Command, invocation: Invocation): void {
  const command = program
    .command("deploy")
    .summary("Write Terraform's variables, and tell what will exist and what it costs.")
    .description(
      "Writes the values of Terraform's variables for this project on Google Cloud, and tells what will exist, who may call it and what it costs a month.",
    )
    .option("--project <id>", "Id of the project on Google Cloud. Default: GOOGLE_CLOUD_PROJECT.")
    .option("--region <name>", "Region of everything, tables included.", "europe-west1")
    .option(
      "--image <reference>",
      "The container image, best by digest. Default: latest of the repository that Terraform makes.",
    )
    .option(
      "--dispatch <how>",
      "scheduler: a job of Cloud Scheduler for each stream and tenant; planner: one job, and tasks. Default: scheduler up to 300.",
    )
    .option("--alert-email <address>", "Who is told of failures.")
    .option("--out <file>", "File to write; its folder is there already.", "terraform.tfvars.json")
    .option("--run-seconds <n>", "For the cost: seconds of one sync.", "20")
    .option("--concurrency <n>", "Syncs of one instance at the same time.", "4")
    .option("--cpu <n>", "vCPUs of an instance: 1, 2, 4 or 8.", "1")
    .option("--memory <mib>", "Memory of an instance, MiB.", "1024")
    .option("--landed-gb <n>", "For the cost: GB of files kept.", "10")
    .option("--warehouse-gib <n>", "For the cost: GiB of tables.", "10")
    .option("--scanned-tib <n>", "For the cost: TiB that queries read in a month.", "1")
    .option("--no-free-tier", "For the cost: what is free for the billing account is used up by others.")
    .addHelpText("after", after)
    .action(async () => {
      invocation.finish(await deploy(invocation, command.optsWithGlobals<DeployOptions>()));
    });
}

async function deploy(invocation: Invocation, options: DeployOptions): Promise<ExitCode> {
  const choice = readChoice(options, invocation.environment);
  const [
    { openProject },
    { readRegistry },
    { listWorkSchedules },
    { findSecrets },
    { planDeploy, toName },
    { deployJson, printDeploy },
    { systemClock },
  ] = await Promise.all([
    import("./open-project.ts"),
    import("./open-flows.ts"),
    import("../flow/ready-made.ts"),
    import("./find-secrets.ts"),
    import("./plan-deploy.ts"),
    import("./print-deploy.ts"),
    import("./system-world.ts"),
  ]);
  const { terminal, cwd } = invocation;
  const opened = await openProject(invocation, options);
  const { project } = opened;
  const tenants = opened.readTenants();
  const schedules = listWorkSchedules(readRegistry(project).deployments);
  const secrets = await findSecrets(project, tenants, opened.places);
  const name = toName(project.name);
  const image = choice.image ?? `${choice.region}-docker.pkg.dev/${choice.projectId}/${name}/${name}:latest`;
  const plan = planDeploy(
    { project, tenants, schedules, secrets },
    { ...choice, image },
    systemClock.nowMs(),
  );
  const path = resolve(cwd, options.out);
  await writeVariables(path, `${JSON.stringify(plan.variables, null, 2)}\n`);
  if (options.json) terminal.out(`${JSON.stringify(deployJson(plan, path), null, 2)}\n`);
  else terminal.out(printDeploy(plan, path, cwd));
  return 0;
}

async function writeVariables(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new LeatError("USAGE", {
      message: `${path} cannot be written.`,
      hint: `Is there a folder ${dirname(path)}? Copy the modules there first, or name another file with --out.`,
      cause,
    });
  }
}

type ReadChoice = Omit<DeployChoice, "image"> & Readonly<{ image: string | undefined }>;

function readChoice(options: DeployOptions, environment: Invocation["environment"]): ReadChoice {
  const projectId = options.project ?? environment["GOOGLE_CLOUD_PROJECT"] ?? "";
  if (!/^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(projectId)) {
    throw usage(
      projectId === ""
        ? "No project on Google Cloud is named."
        : `"${projectId}" is no id of a project on Google Cloud.`,
      "Say --project my-project; `gcloud projects list` shows those that you have.",
    );
  }
  if (!/^[a-z]+-[a-z]+\d{1,2}$/.test(options.region)) {
    throw usage(
      `"${options.region}" is no region.`,
      "Say --region europe-west1, or another of `gcloud run regions list`.",
    );
  }
  const { dispatch } = options;
  if (dispatch !== undefined && dispatch !== "scheduler" && dispatch !== "planner") {
    throw usage(
      `--dispatch "${dispatch}" is neither scheduler nor planner.`,
      "Leave it out to have it chosen.",
    );
  }
  const cpu = readNumber("--cpu", options.cpu, 1, 8);
  if (![1, 2, 4, 8].includes(cpu))
    throw usage(`--cpu "${options.cpu}" is none of 1, 2, 4 and 8.`, "Say --cpu 1.");
  return {
    projectId,
    region: options.region,
    image: options.image,
    dispatch,
    alertEmail: options.alertEmail,
    volumes: {
      runSeconds: readAmount("--run-seconds", options.runSeconds, 0.1, 1800),
      concurrency: readNumber("--concurrency", options.concurrency, 1, 80),
      cpu,
      memoryGib: readNumber("--memory", options.memory, 512, 32_768) / 1024,
      landedGb: readAmount("--landed-gb", options.landedGb, 0, 1e7),
      warehouseGib: readAmount("--warehouse-gib", options.warehouseGib, 0, 1e7),
      scannedTib: readAmount("--scanned-tib", options.scannedTib, 0, 1e6),
      isFreeTier: options.freeTier,
    },
  };
}

/** A number that need not be whole. */
function readAmount(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw usage(`${option} "${text}" is not a number from ${least} to ${most}.`, "Write it such as 0.5 or 20.");
}

const usage = (message: string, hint: string): LeatError => new LeatError("USAGE", { message, hint });
