/**
 * `npm run check:container`: builds the image of a new project by `templates/container/Dockerfile` with podman, and runs
 * it. Tells loudly where there is no podman, and fails then: nothing was checked.
 *
 * Then the compose file is brought up by podman-compose: a run, deaths of the worker and of Postgres, a restart.
 *
 * `--arm64` checks the image for that processor, without the compose file: on another one its programs are run by
 * qemu-user-static, slowly.
 *
 * Where an image cannot be pulled, one is made of this machine's Debian packages and Node. What is found out is the same:
 * what the Dockerfile does, who the process is, how it starts and stops, and what the services make of each other.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { ownProcessor, prepareBase } from "./container/base-image.ts";
import { checkCompose } from "./container/check-compose.ts";
import { countFailed, giveUp, NotChecked, run, type Said, tell } from "./container/podman.ts";
import { makeProject, packLeat } from "./container/project.ts";

const image = "localhost/leat-check:test";
const processor = process.argv.includes("--arm64") ? "arm64" : ownProcessor;
const isEmulated = processor !== ownProcessor;
const container = `leat-check-${process.pid}`;
/** What Cloud Run gives a process after SIGTERM, ms. */
const stopMsMax = 10_000;
/** Size above which somebody should look, bytes: Debian and Node are 270 MB of it, DuckDB 70. */
const imageBytesMax = 700e6;

/** What the kernel calls those that run another processor's programs. */
const emulators = { amd64: "qemu-x86_64", arm64: "qemu-aarch64" } as const;

/** Resolves once the address answers. */
async function waitFor(url: string, tries = isEmulated ? 1500 : 150): Promise<Response | undefined> {
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

async function checkImage(project: string, base: string): Promise<void> {
  const npmrc = join(homedir(), ".npmrc");
  const secret = existsSync(npmrc) ? ["--secret", `id=npmrc,src=${npmrc}`] : [];
  const build = [
    "build",
    `--platform=linux/${processor}`,
    "--layers=false", // Nothing of one build may help the next, and no layer is to stay.
    "--timestamp=1767225600", // Any time that is the same twice: what SOURCE_DATE_EPOCH is to BuildKit.
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
  const idOf = (): string => run("podman", ["image", "inspect", image, "--format", "{{.Id}}"]).stdout;
  const first = idOf();
  const again = run("podman", build);
  tell(
    again.status === 0 && idOf() === first,
    "built again from the same files it is the same image",
    again.stderr,
  );

  const made = run("podman", ["image", "inspect", image, "--format", "{{.Os}}/{{.Architecture}}"]).stdout;
  tell(made.trim() === `linux/${processor}`, `it is for ${made.trim()}`);
  const size = Number(run("podman", ["image", "inspect", image, "--format", "{{.Size}}"]).stdout.trim());
  tell(size > 0 && size < imageBytesMax, `the image has ${Math.round(size / 1e6)} MB`);
  const user = run("podman", ["image", "inspect", image, "--format", "{{.Config.User}}"]).stdout.trim();
  tell(user === "1000:1000", "the process is not root", user);

  const once = (...args: readonly string[]): Said =>
    run("podman", ["run", "--rm", ...runtime, image, ...args]);
  const version = once("--version");
  tell(/^\d+\.\d+\.\d+/.test(version.stdout), "it tells its version", version.stderr);
  const asked = ["run", "--rm", ...runtime, "--entrypoint", "node", image, "-p", "process.arch"];
  const arch = run("podman", asked).stdout.trim();
  tell(arch === (processor === "amd64" ? "x64" : processor), `its Node runs on ${arch}`);
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
}

const folder = mkdtempSync(join(tmpdir(), "leat-container-"));
try {
  for (const tool of ["podman", "buildah", "runc"])
    if (run("sh", ["-c", `command -v ${tool}`]).status !== 0)
      giveUp(`there is no ${tool}. Debian: apt-get install podman buildah runc debootstrap.`);
  if (isEmulated && !existsSync(`/proc/sys/fs/binfmt_misc/${emulators[processor]}`))
    giveUp(
      `this machine does not run programs for ${processor}. Debian: apt-get install qemu-user-static binfmt-support.`,
    );
  const base = prepareBase(folder, processor);
  const tarball = await packLeat(folder);
  const project = join(folder, "shop");
  makeProject(project, tarball);
  await checkImage(project, base);
  if (!isEmulated) await checkCompose(folder, tarball, base);
  const failed = countFailed();
  console.log(failed === 0 ? "The container is as it should be." : `${failed} checks failed.`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  if (!(error instanceof NotChecked)) throw error;
  console.error(`\nTHE CONTAINER WAS NOT CHECKED TO THE END: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  run("podman", ["rm", "-f", container]);
  run("podman", ["rmi", "-f", image]);
  rmSync(folder, { recursive: true, force: true });
}
