/** A compose project under podman: the tool, what it needs on this machine, and the services in it. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.ts";
import { root } from "../steps.ts";
import { prepareStandIn } from "./base-image.ts";
import { giveUp, run, type Said } from "./podman.ts";

const toolVersion = "1.6.0";
/** What the compose file asks for; `docker.io/library` is where both tools look for such a name. */
const postgresImage = "docker.io/library/postgres:17";
const postgresStandIn = "localhost/leat-check-postgres:debian";

/** A compose project. What its commands say is kept, so that secrets can be looked for in it. */
export type Compose = Readonly<{
  /** `podman-compose <words>`. */
  compose: (...words: readonly string[]) => Said;
  podman: (...words: readonly string[]) => Said;
  /** The first container of a service. */
  container: (service: string) => string;
  /** Everything that commands have said. */
  said: () => string;
  controlUrl: string;
  apiUrl: string;
  secrets: Readonly<{ postgresPassword: string; token: string }>;
}>;

/** The tool from the path, or from Python's registry in a cache folder. */
function findTool(): string {
  if (run("podman-compose", ["version"]).status === 0) return "podman-compose";
  const folder = join(homedir(), ".cache", "leat", `podman-compose-${toolVersion}`);
  const tool = join(folder, "bin", "podman-compose");
  if (existsSync(tool)) return tool;
  mkdirSync(dirname(folder), { recursive: true });
  const isMade =
    run("python3", ["-m", "venv", folder]).status === 0 &&
    run(join(folder, "bin", "pip"), ["-q", "install", `podman-compose==${toolVersion}`]).status === 0;
  return isMade ? tool : giveUp("podman-compose is not there and cannot be installed by pip.");
}

/**
 * Sees to it that the image of Postgres is there under its name.
 *
 * @returns removes the name where a stand-in has it, so that nothing else takes it for the real one.
 */
export function preparePostgres(folder: string): () => void {
  if (run("podman", ["image", "exists", postgresImage]).status === 0) return () => {};
  if (run("podman", ["pull", "--quiet", postgresImage]).status === 0) return () => {};
  if (run("podman", ["image", "exists", postgresStandIn]).status !== 0) {
    const base = prepareStandIn(folder);
    const place = fileURLToPath(new URL("postgres-stand-in", import.meta.url));
    const how = [
      "--layers=false",
      "--pull=never",
      "--isolation=chroot",
      "--network=host",
      "--build-arg",
      `BASE_IMAGE=${base}`,
    ];
    const built = run("podman", [
      "build",
      ...how,
      "-f",
      join(place, "server.dockerfile"),
      "-t",
      postgresStandIn,
      place,
    ]);
    if (built.status !== 0)
      giveUp(`a stand-in for ${postgresImage} cannot be built: ${built.stderr.slice(-2000)}`);
  }
  if (run("podman", ["tag", postgresStandIn, postgresImage]).status !== 0) giveUp("podman cannot tag.");
  const look = ["run", "--rm", "--runtime=runc", "--network=none", "--entrypoint", "sh", postgresStandIn];
  const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
  const version = run("podman", [
    ...look.slice(0, 1),
    ...limits,
    ...look.slice(1),
    "-c",
    "ls /usr/lib/postgresql",
  ]);
  console.error(
    `\n${postgresImage} CANNOT BE PULLED: a stand-in has its name, Postgres ${version.stdout.trim()} of this machine's ` +
      "Debian. What compose starts is checked with that.\n",
  );
  return () => void run("podman", ["untag", postgresImage, postgresImage]);
}

/**
 * Writes the compose file, as it is but for free ports, and the `.env` that its page tells to write.
 *
 * @param base - what stands for the Dockerfile's base.
 */
export async function openCompose(project: string, base: string): Promise<Compose> {
  const tool = findTool();
  for (const helper of ["netavark", "aardvark-dns"])
    if (!["/usr/lib/podman", "/usr/libexec/podman"].some((folder) => existsSync(join(folder, helper))))
      giveUp(`podman has no ${helper}. Debian: apt-get install netavark aardvark-dns catatonit.`);
  const [control, api] = [await freePort(), await freePort()];
  const text = readFileSync(join(root, "templates/container/compose.yaml"), "utf8");
  writeFileSync(
    join(project, "compose.yaml"),
    text.replace("127.0.0.1:4004:", `127.0.0.1:${control}:`).replace("127.0.0.1:8080:", `127.0.0.1:${api}:`),
  );
  const secrets = {
    postgresPassword: randomBytes(16).toString("hex"),
    token: randomBytes(16).toString("hex"),
  };
  writeFileSync(
    join(project, ".env"),
    `POSTGRES_PASSWORD=${secrets.postgresPassword}\nLEAT_TOKEN=${secrets.token}\n`,
  );
  // Names are looked up by netavark's own server; numeric limits, since a nested runtime may not set the host's.
  const settings = join(project, "..", "containers.conf");
  writeFileSync(
    settings,
    '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n' +
      '[engine]\nruntime = "runc"\n[network]\nnetwork_backend = "netavark"\n',
  );
  const npmrc = join(homedir(), ".npmrc");
  const lent = existsSync(npmrc) ? ` --secret id=npmrc,src=${npmrc}` : "";
  const build = `--layers=false --pull=never --isolation=chroot --network=host --build-arg NODE_IMAGE=${base}${lent}`;
  const env = { CONTAINERS_CONF: settings };
  const heard: string[] = [];
  const keep = (said: Said): Said => {
    heard.push(said.stdout, said.stderr);
    return said;
  };
  const podman: Compose["podman"] = (...words) => keep(run("podman", words, { env, cwd: project }));
  return {
    podman,
    compose: (...words) => keep(run(tool, ["--podman-build-args", build, ...words], { env, cwd: project })),
    container: (service) => {
      const filter = ["--filter", `label=com.docker.compose.service=${service}`];
      const here = ["--filter", `label=com.docker.compose.project.working_dir=${project}`];
      return podman("ps", "-a", ...filter, ...here, "--format", "{{.Names}}")
        .stdout.trim()
        .split("\n")[0]!;
    },
    said: () => heard.join("\n"),
    controlUrl: `http://127.0.0.1:${control}`,
    apiUrl: `http://127.0.0.1:${api}`,
    secrets,
  };
}
