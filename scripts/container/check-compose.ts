/** Starts the compose file's services and works with them: a run, deaths, a restart, and what they said of secrets. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../steps.ts";
import { type Compose, openCompose, preparePostgres } from "./compose.ts";
import { composeConfig, pagesMs, rowCount, valueSum } from "./compose-project.ts";
import { giveUp, tell, until } from "./podman.ts";
import { makeProject } from "./project.ts";

/** What services have to come up, ms: on a busy machine Node alone takes seconds. */
const upMsMax = 120_000;
/** What a run of the project has, ms: six seconds of pages, and 20 s of silence after which a worker counts as dead. */
const runMsMax = 180_000;
/** `stop_grace_period` of the compose file, ms. */
const stopMsMax = 30_000;

type Run = Readonly<{ id: string; flow: string; state: string; attempt: number; error: unknown }>;

/** Versions of the repository's own tests: the newest of a registry cannot always be installed. */
function testedVersions(names: readonly string[]): string[] {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    devDependencies: Readonly<Record<string, string>>;
  }; // The repository's own.
  return names.map((name) => `${name}@${devDependencies[name]}`);
}

/** Checks the compose file. @throws NotChecked where something is missing on this machine. */
export async function checkCompose(folder: string, tarball: string, base: string): Promise<void> {
  const project = join(folder, "compose", "shop");
  makeProject(project, tarball, testedVersions(["pg", "pg-boss"]));
  writeFileSync(join(project, "leat.config.ts"), composeConfig);
  const forgetPostgres = preparePostgres(folder);
  let opened: Compose | undefined;
  try {
    opened = await openCompose(project, base);
    await checkServices(opened);
  } finally {
    opened?.compose("down", "--volumes");
    opened?.podman("rmi", "-f", "localhost/shop-project");
    forgetPostgres();
  }
}

async function checkServices(place: Compose): Promise<void> {
  await start(place, ["--build"]);
  const run = await startRun(place);
  await isUnderWay(place, run);
  await kill(place, "worker");
  await ends(place, run, "kill -9 of the worker's container: it comes back, and the run ends well");
  await holdsAllRows(place, "nothing is lost and nothing is there twice");
  await servesTotals(place, "api: the dataset that was built of it is served");

  const second = await startRun(place);
  await isUnderWay(place, second);
  await kill(place, "postgres");
  await ends(
    place,
    second,
    "kill -9 of Postgres's container: what was queued is kept, and the run ends well",
  );
  await holdsAllRows(place, "nothing is lost and nothing is there twice after that");

  const startedAt = performance.now();
  // Before Postgres, on which they depend: that is Docker's order, and podman-compose stops all at once.
  place.compose("stop", "control", "worker", "api");
  const stopMs = Math.round(performance.now() - startedAt);
  const codes = ["control", "worker", "api"].map((name) => {
    const said = place.podman("inspect", place.container(name), "--format", "{{.State.ExitCode}}");
    return `${name} ${said.stdout.trim()}`;
  });
  const isWell = codes.join() === "control 0,worker 0,api 0" && stopMs < stopMsMax;
  tell(isWell, `SIGTERM ends every service well, after ${stopMs} ms`, codes.join());
  keepLogs(place);
  place.compose("down");
  await start(place, []);
  const kept = (await listRuns(place)).find(({ id }) => id === run);
  tell(kept?.state === "succeeded", "data survive: the run is in the ledger", JSON.stringify(kept));
  await holdsAllRows(place, "data survive: all rows are in the warehouse");
  await servesTotals(place, "data survive: the dataset is served");
  keepLogs(place);
  tellSecrets(place);
}

/** Brings all services up. */
async function start(place: Compose, options: readonly string[]): Promise<void> {
  const upped = place.compose("up", "--detach", "postgres");
  tell(upped.status === 0, "Postgres starts", upped.stderr.slice(-3000));
  // Where podman has no systemd nobody looks after its health: this does, by the test that the file declares.
  const isHealthy = () => place.podman("healthcheck", "run", place.container("postgres")).status === 0;
  tell(await until(isHealthy, upMsMax), "Postgres is healthy", "its test never passed");
  const all = place.compose("up", ...options, "--detach");
  tell(all.status === 0, "all services start", all.stderr.slice(-3000));
  const isLive = await until(
    async () => (await answerOf(`${place.controlUrl}/live`))?.status === 200,
    upMsMax,
  );
  tell(isLive, "control answers", place.podman("logs", place.container("control")).stderr);
}

/**
 * Kills the container's first process from outside, as the kernel would: `podman kill` counts as a wish to stop.
 *
 * What comes after it is done by conmon, which starts podman for it; so it is waited for before podman is asked.
 */
async function kill(place: Compose, service: string): Promise<void> {
  const name = place.container(service);
  const look = (what: "Pid" | "ConmonPid"): number =>
    Number(place.podman("inspect", name, "--format", `{{.State.${what}}}`).stdout.trim());
  const [pid, watcher] = [look("Pid"), look("ConmonPid")];
  if (!(pid > 1) || !(watcher > 1)) giveUp(`the ${service}'s process is not known: ${pid}, ${watcher}`);
  process.kill(pid, "SIGKILL");
  await until(() => !existsSync(`/proc/${watcher}`), upMsMax);
  const isBack = await until(() => ![pid, 0].includes(look("Pid")), upMsMax);
  tell(isBack, `${service}: killed, and started again by its restart policy`, String(look("Pid")));
}

const answerOf = (url: string, init?: RequestInit): Promise<Response | undefined> =>
  fetch(url, init).catch(() => undefined);

async function ask<T>(
  { controlUrl, secrets }: Compose,
  path: string,
  init: RequestInit = {},
): Promise<T | undefined> {
  const headers = { authorization: `Bearer ${secrets.token}`, "content-type": "application/json" };
  const answer = await answerOf(`${controlUrl}/api${path}`, { ...init, headers });
  return answer?.ok === true ? ((await answer.json()) as T) : undefined; // As the control API documents it.
}

async function startRun(place: Compose): Promise<string> {
  const made = await ask<{ run: Run }>(place, "/deployments/sync/runs", { method: "POST", body: "{}" });
  return made?.run.id ?? giveUp("control takes no run.");
}

const listRuns = async (place: Compose): Promise<readonly Run[]> =>
  (await ask<{ runs: readonly Run[] }>(place, "/runs?limit=100"))?.runs ?? [];

async function ends(place: Compose, id: string, what: string): Promise<void> {
  let seen: Run | undefined;
  const isOver = await until(async () => {
    seen = (await listRuns(place)).find((run) => run.id === id);
    return ["succeeded", "failed", "cancelled"].includes(seen?.state ?? "");
  }, runMsMax);
  tell(isOver && seen?.state === "succeeded", what, JSON.stringify(seen));
}

/** Waits until the worker has the run, and then for a part of its pages. */
async function isUnderWay(place: Compose, id: string): Promise<void> {
  const isRunning = async () =>
    (await listRuns(place)).some((run) => run.id === id && run.state === "running");
  tell(await until(isRunning, runMsMax), "worker: takes the run", JSON.stringify(await listRuns(place)));
  await new Promise((resolve) => setTimeout(resolve, pagesMs / 3));
}

const leat = (place: Compose, ...words: readonly string[]) =>
  place.podman("exec", place.container("worker"), "node", "node_modules/leat/bin/leat.js", ...words);

/** Each row once: in the view, and in the landing table below it, which has all that was ever loaded. */
async function holdsAllRows(place: Compose, what: string): Promise<void> {
  const asked =
    "select count(*) as rows, count(distinct (tenant_id, id)) as keys, sum(value)::bigint as total, " +
    "(select count(*) from meters_readings) as loaded from meters.readings";
  const told = leat(place, "query", asked, "--json");
  const expected = JSON.stringify([{ rows: rowCount, keys: rowCount, total: valueSum, loaded: rowCount }]);
  tell(told.stdout.replaceAll(/\s/g, "") === expected, what, told.stdout + told.stderr);
}

async function servesTotals({ apiUrl, podman, container }: Compose, what: string): Promise<void> {
  let seen = "no answer";
  const isServed = await until(async () => {
    seen = (await (await answerOf(`${apiUrl}/datasets/totals/rows`))?.text()) ?? "no answer";
    return seen.includes(`"readings":${rowCount},"total":${valueSum}`);
  }, upMsMax);
  tell(isServed, what, `${seen}${podman("logs", container("api")).stdout}`);
}

/** What containers have said is in `said` from now on. */
function keepLogs(place: Compose): void {
  for (const service of ["postgres", "control", "worker", "api"])
    place.podman("logs", place.container(service));
}

function tellSecrets({ said, secrets }: Compose): void {
  const all = said();
  const isTold = Object.entries(secrets).filter(([, secret]) => all.includes(secret));
  const length = `${Math.round(all.length / 1000)} kB`;
  tell(isTold.length === 0, `no secret is in what commands and services said (${length})`, isTold.join());
}
