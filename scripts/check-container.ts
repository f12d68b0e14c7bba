/**
 * `npm run check:container`: builds the image of a new project by `templates/container/Dockerfile` with podman, and runs
 * it. Tells loudly where there is no podman, and fails then: nothing was checked.
 *
 * Where the base image cannot be pulled, one of the same name is made of this machine's Debian packages and Node. What is
 * found out is the same: what the Dockerfile does, who the process is, how it starts and stops.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packPackage } from "./pack.ts";
import { root } from "./steps.ts";

/** The base that the Dockerfile names, and what stands for it where it cannot be pulled. */
const baseImage = "docker.io/library/node:24-bookworm-slim";
const standInImage = "localhost/leat-check-base:24";
const image = "localhost/leat-check:test";
const container = `leat-check-${process.pid}`;
/** What one step may take, ms: a base on a slow machine. */
const stepMsMax = 15 * 60_000;
/** What Cloud Run gives a process after SIGTERM, ms. */
const stopMsMax = 10_000;
/** Size above which somebody should look, bytes: Debian and Node are 270 MB of it, DuckDB 70. */
const imageBytesMax = 700e6;

type Said = Readonly<{ status: number; stdout: string; stderr: string }>;

function run(
  command: string,
  args: readonly string[],
  options: { input?: string; isShown?: boolean } = {},
): Said {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: stepMsMax,
    maxBuffer: 64 * 1024 * 1024,
    ...(options.input !== undefined && { input: options.input }),
    ...(options.isShown === true && { stdio: ["ignore", "inherit", "inherit"] as const }),
  });
  return { status: status ?? 1, stdout: stdout ?? "", stderr: stderr ?? "" };
}

let failed = 0;
function tell(isGood: boolean, what: string, seen = ""): void {
  if (!isGood) failed += 1;
  console.log(`${isGood ? "ok" : "FAILED"}: ${what}${isGood || seen === "" ? "" : `\n${seen}`}`);
}

/** Stops here, loudly: a check that did not run must not look like one that passed. */
function giveUp(reason: string): never {
  console.error(`\nTHE CONTAINER WAS NOT CHECKED: ${reason}\n`);
  process.exit(1);
}

for (const tool of ["podman", "buildah", "runc"]) {
  if (run("sh", ["-c", `command -v ${tool}`]).status !== 0)
    giveUp(`there is no ${tool}. Debian: apt-get install podman buildah runc debootstrap.`);
}

/** Finds, pulls or makes the base. @returns its name. */
function prepareBase(folder: string): string {
  if (run("podman", ["image", "exists", baseImage]).status === 0) return baseImage;
  if (run("podman", ["pull", "--quiet", baseImage]).status === 0) return baseImage;
  if (run("podman", ["image", "exists", standInImage]).status === 0) return standInImage;
  console.log(`${baseImage} cannot be pulled; a stand-in is made of this machine's packages, once.`);
  const place = join(folder, "base");
  const made = run("debootstrap", ["--variant=minbase", "--include=ca-certificates", "bookworm", place]);
  if (made.status !== 0) giveUp(`debootstrap failed: ${made.stdout.slice(-2000)}${made.stderr}`);
  mkdirSync(join(place, "usr/local/bin"), { recursive: true });
  cpSync(realpathSync(process.execPath), join(place, "usr/local/bin/node"));
  const npm = run("sh", ["-c", 'realpath "$(command -v npm)"']).stdout.trim();
  const npmFolder = dirname(dirname(npm));
  cpSync(npmFolder, join(place, "usr/local/lib/node_modules/npm"), { recursive: true });
  writeFileSync(
    join(place, "usr/local/bin/npm"),
    '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n',
    { mode: 0o755 },
  );
  // Whom this machine trusts, the steps of the build trust as well: it may stand behind a proxy of its own.
  const certificates = "/etc/ssl/certs/ca-certificates.crt";
  if (existsSync(certificates)) cpSync(realpathSync(certificates), join(place, certificates));
  const change = `--change 'ENV NODE_EXTRA_CA_CERTS=${certificates}'`;
  const packed = run("sh", ["-c", `tar -C '${place}' -c . | podman import ${change} - ${standInImage}`]);
  if (packed.status !== 0) giveUp(`the stand-in cannot be imported: ${packed.stderr}`);
  return standInImage;
}

/** A new project as its owner has it, with leat as it would be published. */
async function prepareProject(folder: string): Promise<string> {
  const project = join(folder, "shop");
  mkdirSync(project);
  const tarball = await packPackage(folder);
  if (tarball === undefined) giveUp("leat cannot be packed.");
  cpSync(tarball, join(project, "leat.tgz"));
  const manifest = { name: "shop", private: true, type: "module", dependencies: { leat: "file:leat.tgz" } };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  const init = run(process.execPath, [join(root, "bin/leat.js"), "init", project]);
  if (init.status !== 0) giveUp(`leat init failed: ${init.stderr}`);
  execFileSync("npm", ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: project,
    stdio: "inherit",
  });
  cpSync(join(root, "templates/container/Dockerfile"), join(project, "Dockerfile"));
  cpSync(join(root, "templates/container/dockerignore"), join(project, ".dockerignore"));
  writeFileSync(join(project, ".env"), "SECRET_OF_THE_LAPTOP=never-in-an-image\n");
  return project;
}

/** Has the compose file read by whatever reads such files here. Tells loudly what was not done. */
function readCompose(project: string): void {
  const tools = [
    ["podman-compose", []],
    ["docker", ["compose"]],
  ] as const;
  const found = tools.find(([tool, first]) => run(tool, [...first, "version"]).status === 0);
  if (found === undefined) {
    console.error(
      "\nTHE COMPOSE FILE WAS NOT READ: there is no podman-compose (pip install podman-compose).\n",
    );
    return;
  }
  const [tool, first] = found;
  cpSync(join(root, "templates/container/compose.yaml"), join(project, "compose.yaml"));
  writeFileSync(join(project, ".env"), "POSTGRES_PASSWORD=only-a-check\nLEAT_TOKEN=only-a-check\n");
  const read = run("sh", ["-c", `cd '${project}' && ${[tool, ...first].join(" ")} config`]);
  const services = ["postgres:", "data:", "control:", "worker:", "api:"];
  const isWhole = services.every((name) => read.stdout.includes(`\n  ${name}`));
  tell(read.status === 0 && isWhole, `${tool} reads the compose file`, read.stderr);
  console.error("\nTHE COMPOSE FILE WAS NOT STARTED: its services need a network and Postgres's image.\n");
}

/** Resolves once the address answers. */
async function waitFor(url: string, tries = 150): Promise<Response | undefined> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return undefined;
}

// Numeric limits, since those of the host may be above what a nested runtime may set.
const runtime = [
  "--runtime=runc",
  "--network=host",
  "--ulimit",
  "nofile=1024:1024",
  "--ulimit",
  "nproc=1024:1024",
];

const folder = mkdtempSync(join(tmpdir(), "leat-container-"));
try {
  const base = prepareBase(folder);
  const project = await prepareProject(folder);
  const npmrc = join(homedir(), ".npmrc");
  const secret = run("test", ["-f", npmrc]).status === 0 ? ["--secret", `id=npmrc,src=${npmrc}`] : [];
  const build = [
    "build",
    "--pull=never",
    "--isolation=chroot",
    "--network=host",
    "--build-arg",
    `NODE_IMAGE=${base}`,
    ...secret,
    "-t",
    image,
    project,
  ];
  tell(run("podman", build, { isShown: true }).status === 0, "the image is built");

  const size = Number(run("podman", ["image", "inspect", image, "--format", "{{.Size}}"]).stdout.trim());
  tell(size > 0 && size < imageBytesMax, `the image has ${Math.round(size / 1e6)} MB`);
  const user = run("podman", ["image", "inspect", image, "--format", "{{.Config.User}}"]).stdout.trim();
  tell(user === "1000:1000", "the process is not root", user);

  readCompose(project);

  const once = (...args: readonly string[]): Said =>
    run("podman", ["run", "--rm", ...runtime, image, ...args]);
  const version = once("--version");
  tell(/^\d+\.\d+\.\d+/.test(version.stdout), "it tells its version", version.stderr);
  const sync = once("sync", "--json");
  tell(
    sync.status === 0 && JSON.parse(sync.stdout).ok === true,
    "role by command: `sync` lands and loads",
    sync.stderr,
  );
  const look = run("podman", [
    "run",
    "--rm",
    ...runtime,
    "--entrypoint",
    "sh",
    image,
    "-c",
    "ls -A; id -u; touch x 2>&1",
  ]);
  const seen = look.stdout;
  tell(!/^\.env$/m.test(seen) && /^1000$/m.test(seen), "no secret of the laptop is in it", seen);
  tell(
    !/^x$/m.test(run("podman", ["run", "--rm", ...runtime, "--entrypoint", "ls", image]).stdout),
    "code stays as it was built",
  );

  const port = 20_000 + (process.pid % 10_000);
  const started = run("podman", ["run", "-d", "--name", container, ...runtime, "-e", `PORT=${port}`, image]);
  tell(started.status === 0, "it starts", started.stderr);
  const ready = await waitFor(`http://127.0.0.1:${port}/ready`);
  tell(ready?.status === 200, "it listens on $PORT and is ready", run("podman", ["logs", container]).stderr);
  const synced = await fetch(`http://127.0.0.1:${port}/orders?tenant_id=berlin`, { method: "POST" }).catch(
    () => undefined,
  );
  tell(synced?.status === 200, "it syncs", synced === undefined ? "no answer" : await synced.text());
  const startedAt = performance.now();
  run("podman", ["stop", "-t", "30", container]);
  const stopMs = Math.round(performance.now() - startedAt);
  const code = run("podman", ["inspect", container, "--format", "{{.State.ExitCode}}"]).stdout.trim();
  tell(stopMs < stopMsMax && code === "0", `SIGTERM ends it well, after ${stopMs} ms`, `exit code ${code}`);
} finally {
  run("podman", ["rm", "-f", container]);
  run("podman", ["rmi", "-f", image]);
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed === 0 ? "The container is as it should be." : `${failed} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
