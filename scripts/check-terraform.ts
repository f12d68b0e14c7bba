/**
 * `npm run check:terraform`: formats, validates and tests the modules under `terraform/`, with no account and no network
 * but the package registry. Tells loudly when there is no Terraform, and fails then: nothing was checked.
 *
 * `--real`: with the provider that `terraform init` fetches, as CI of the public does.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./steps.ts";

/** What the stand-in provider needs; installed for this command alone. */
const packages = { "@grpc/grpc-js": "1.14.1", "@grpc/proto-loader": "0.8.0" } as const;
/** The version whose arguments were extracted. */
const providerVersion = "6.50.0";

const isReal = process.argv.includes("--real");
const said = spawnSync("terraform", ["version"], { encoding: "utf8" });
if (said.status !== 0) {
  console.error(
    "\nTERRAFORM WAS NOT CHECKED: there is no `terraform` in the path. Install it, 1.7 or newer.\n",
  );
  process.exit(1);
}

/** Node's and npm's name of this machine's processor, as Terraform has it. */
const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;

/** Installs the packages once. @returns their folder. */
function prepareCache(): string {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "leat", "terraform-stub");
  const isThere = Object.keys(packages).every((name) => existsSync(join(cache, "node_modules", name)));
  if (isThere) return cache;
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "package.json"), JSON.stringify({ private: true, dependencies: packages }));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: cache,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  return cache;
}

/** The provider's whole address, as this Terraform completes it: a mirror's folders are named by it. */
function providerAddress(folder: string): string {
  const place = join(folder, "address");
  mkdirSync(place);
  const source =
    'terraform {\n  required_providers {\n    google = { source = "hashicorp/google" }\n  }\n}\n';
  writeFileSync(join(place, "versions.tf"), source);
  const told = execFileSync("terraform", ["providers", "-no-color"], { cwd: place, encoding: "utf8" });
  const address = /provider\[([^\]]+)\]/.exec(told)?.[1];
  if (address === undefined) throw new Error(`\`terraform providers\` names no provider:\n${told}`);
  return address;
}

/** Lays out a mirror with the stand-in as the one provider. @returns variables that have Terraform use it. */
function prepareStub(folder: string): Readonly<Record<string, string>> {
  const place = join(folder, "mirror", providerAddress(folder), providerVersion, platform);
  mkdirSync(place, { recursive: true });
  const program = join(place, `terraform-provider-google_v${providerVersion}`);
  const stub = join(root, "scripts/terraform/stub-provider.ts");
  const words = [process.execPath, stub, prepareCache()].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  writeFileSync(program, `#!/bin/sh\nexec ${words.join(" ")}\n`);
  chmodSync(program, 0o755);
  const config = join(folder, "terraformrc");
  writeFileSync(
    config,
    `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(join(folder, "mirror"))}\n  }\n}\n`,
  );
  return { TF_CLI_CONFIG_FILE: config, TF_DISABLE_PLUGIN_TLS: "1" };
}

let failed = 0;

/** Mistakes, and what Terraform says of each: a check that finds none of them would say nothing of the modules either. */
const mistakes: readonly (readonly [text: string, said: RegExp])[] = [
  ['schedul = "* * * * *"\n  name = "x"', /Unsupported argument[\s\S]*schedule/],
  ['schedule = "* * * * *"', /Missing required argument[\s\S]*"name" is required/],
  ['name = "x"\n  http_target {}', /Missing required argument[\s\S]*"uri" is required/],
  ['name = "x"\n  paused = "perhaps"', /Incorrect attribute value type|a bool is required/],
];

/**
 * Projects that are deployed, and what must be there then. The example has three tenants of four streams, or the planner,
 * beside the load and the shares; the other is loaded by Google's own transfer, and so has no load of leat's.
 */
const deployments = {
  scheduler: { dispatch: "scheduler", jobs: 14, secrets: 5, transfers: 0 },
  planner: { dispatch: "planner", jobs: 3, secrets: 5, transfers: 0 },
  transfers: { dispatch: "scheduler", jobs: 1, secrets: 0, transfers: 1 },
} as const;

const transferredProject = `
import { defineProject, defineSource, syncFlow } from ${JSON.stringify(join(root, "src/index.ts"))};

const shop = defineSource({
  name: "shop",
  streams: {
    orders: { primaryKey: "id", columns: { id: "bigint", note: "text" }, pages: async function* () {} },
  },
});
export default defineProject({
  name: "shop",
  sources: [shop],
  load: "dts",
  flows: [syncFlow({ schedules: [{ cron: "0 * * * *" }] })],
});
`;

/** The modules beside what `leat deploy` writes for an example, as its owner would have them. */
function prepareDeployed(place: string, name: keyof typeof deployments): void {
  const { dispatch, jobs, secrets, transfers } = deployments[name];
  cpSync(join(root, "terraform"), place, { recursive: true });
  rmSync(join(place, "tests"), { recursive: true });
  const own = `${place}-project`;
  mkdirSync(own);
  writeFileSync(join(own, "leat.config.ts"), transferredProject);
  const project = [
    "-c",
    transfers === 0 ? join(root, "examples/stashstock") : own,
    "--project",
    "my-project",
    "--dispatch",
    dispatch,
  ];
  const args = [
    join(root, "bin/leat.js"),
    "deploy",
    ...project,
    "--out",
    join(place, "terraform.tfvars.json"),
  ];
  execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  mkdirSync(join(place, "tests"));
  const test = `mock_provider "google" {
  mock_resource "google_service_account" {
    defaults = {
      email  = "account@my-project.iam.gserviceaccount.com"
      member = "serviceAccount:account@my-project.iam.gserviceaccount.com"
      name   = "projects/my-project/serviceAccounts/account@my-project.iam.gserviceaccount.com"
    }
  }
}

run "a_deployed_project" {
  assert {
    condition     = length(module.dispatch.jobs) == ${jobs} && length(output.secrets_to_fill) == ${secrets} && length(module.transfer) == ${transfers}
    error_message = "Each stream and tenant is called, each secret has a place, and one of two loads."
  }
}
`;
  writeFileSync(join(place, "tests/deployed.tftest.hcl"), test);
}

/** Whether mistakes are found, each by its name. */
function findsMistakes(place: string, environment: NodeJS.ProcessEnv): void {
  for (const [index, [text, said]] of mistakes.entries()) {
    const wrong = join(place, String(index));
    mkdirSync(wrong, { recursive: true });
    cpSync(join(root, "terraform/versions.tf"), join(wrong, "versions.tf"));
    writeFileSync(join(wrong, "main.tf"), `resource "google_cloud_scheduler_job" "job" {\n  ${text}\n}\n`);
    const options = { cwd: wrong, env: environment, encoding: "utf8" } as const;
    spawnSync("terraform", ["init", "-backend=false", "-input=false"], options);
    const { status, stdout, stderr } = spawnSync("terraform", ["validate", "-no-color"], options);
    const isFound = status !== 0 && said.test(stdout + stderr);
    if (!isFound) failed += 1;
    console.log(
      `${isFound ? "ok" : "FAILED"}: a mistake is found (${text.split("\n")[0]})${isFound ? "" : stdout + stderr}`,
    );
  }
}

const folder = mkdtempSync(join(tmpdir(), "leat-terraform-"));
try {
  // A copy: `init` writes a lock and a folder, which are not ours to keep.
  const modules = join(folder, "terraform");
  cpSync(join(root, "terraform"), modules, { recursive: true });
  const environment = {
    ...process.env,
    ...(isReal ? {} : prepareStub(folder)),
    ...(process.stdout.isTTY ? {} : { TF_CLI_ARGS: "-no-color" }),
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
  const run = (name: string, cwd: string, args: readonly string[]): void => {
    const startedAt = performance.now();
    const { status } = spawnSync("terraform", args, {
      cwd,
      env: environment,
      stdio: ["ignore", "inherit", "inherit"],
    });
    if (status !== 0) failed += 1;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${status === 0 ? "ok" : "FAILED"}: ${name} (${seconds} s)`);
  };
  run("format", modules, ["fmt", "-check", "-recursive", "-diff"]);
  run("init", modules, ["init", "-backend=false", "-input=false"]);
  run("validate", modules, ["validate"]);
  for (const example of readdirSync(join(modules, "examples"))) {
    const place = join(modules, "examples", example);
    run(`init of examples/${example}`, place, ["init", "-backend=false", "-input=false"]);
    run(`validate of examples/${example}`, place, ["validate"]);
  }
  findsMistakes(join(folder, "wrong"), environment);
  for (const name of Object.keys(deployments) as (keyof typeof deployments)[]) {
    const place = join(folder, `deployed-${name}`);
    prepareDeployed(place, name);
    run(`init of a deployed project (${name})`, place, ["init", "-backend=false", "-input=false"]);
    run(`what \`leat deploy\` writes is taken (${name})`, place, ["test"]);
  }
  // Beside a project's own variables, as whoever follows the recipe has them: no test may depend on their absence.
  cpSync(join(folder, "deployed-scheduler", "terraform.tfvars.json"), join(modules, "terraform.tfvars.json"));
  run("test", modules, ["test"]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  isReal
    ? "Checked with the provider of the registry."
    : `Checked with a stand-in that knows the arguments of version ${providerVersion}: values that only Google refuses are not found by it.`,
);
process.exitCode = failed === 0 ? 0 : 1;
