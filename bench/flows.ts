/** Flows: what a task costs beside nothing, how soon and how often runs begin, what waiting costs; and Prefect 3 beside it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { systemClock } from "../src/cli/system-world.ts";
import { openSqliteLedger } from "../src/ledgers/sqlite/open-sqlite-ledger.ts";
import { newFlowRunId } from "../src/model/run-ids.ts";
import type { FlowRun, NewRun } from "../src/model/run-record.ts";
import type { Ledger } from "../src/ports/ledger.ts";
import { median, runJob } from "./processes.ts";
import { installPython } from "./python-environment.ts";

/** Pinned, so that the figures say of what they are. */
const prefectPackages = ["prefect==3.8.8", "fastapi==0.139.0"]; // Newer ones of the latter lack what this one calls.

const bin = join(import.meta.dirname, "../bin/leat.js");

/** The same flows as in `prefect_flow.py`. */
const config = `
import { defineProject, flow, task, z } from "leat";
const noop = task("noop", {}, async (_ctx, n: number) => n);
const empty = flow("empty", {}, async () => {});
const chain = flow("chain", { params: z.object({ count: z.int() }) }, async (ctx, { count }) => {
  let total = 0;
  for (let n = 0; n < count; n++) total += await noop(ctx, n);
  return total;
});
export default defineProject({ name: "bench", flows: [empty, chain] });
`;

/** Clock ticks of /proc a second; the same on every Linux that Node supports. */
const ticksPerSecond = 100;

export type FlowsBench = Readonly<{
  tasks: number;
  /** Wall time of `leat run empty`, process and all. */
  startMs: number;
  /** A no-op task more, in the process of `leat run`, and in that of a worker. */
  taskMs: number;
  queuedTaskMs: number;
  /** From the request to the run's first moment: the first run, and one whose process is there already. */
  firstStartMs: number;
  nextStartMs: number;
  runsPerSecond: Readonly<{ one: number; two: number }>;
  idle: Readonly<{ megabytes: number; cpuShare: number }>;
  peer: Readonly<{ taskMs: number; tasks: number }> | string;
}>;

export async function benchFlows(
  options: Readonly<{ tasks: number; starts: number; runs: number; idleMs: number; peerTasks: number }>,
): Promise<FlowsBench> {
  const folder = await mkdtemp(join(tmpdir(), "leat-bench-flows-"));
  try {
    await writeFile(join(folder, "leat.config.ts"), config);
    const starts: number[] = [];
    await leat(folder, "run", "empty", "--quiet"); // Compiled code is kept from the first time on.
    for (let turn = 0; turn < options.starts; turn++) {
      const beganMs = performance.now();
      await leat(folder, "run", "empty", "--quiet");
      starts.push(performance.now() - beganMs);
    }
    const chain = await leat(
      folder,
      "run",
      "chain",
      "--quiet",
      "--json",
      "--param",
      `count=${options.tasks}`,
    );
    const up = await benchUp(folder, options);
    const one = await benchWorkers(folder, options.runs, 1);
    const two = await benchWorkers(folder, options.runs, 2);
    return {
      tasks: options.tasks,
      startMs: median(starts),
      taskMs: spanOf(JSON.parse(chain).run) / options.tasks,
      ...up,
      runsPerSecond: { one, two },
      peer: await benchPrefect(folder, options.peerTasks),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type PrintedRun = Readonly<{
  id: string;
  state: string;
  created_at: string;
  started_at: string;
  ended_at: string;
}>;

const spanOf = (run: PrintedRun): number => Date.parse(run.ended_at) - Date.parse(run.started_at);

function start(folder: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [bin, ...args], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
}

async function leat(folder: string, ...args: readonly string[]): Promise<string> {
  const child = start(folder, args);
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk));
  const [code] = (await once(child, "close")) as [number | null]; // The first argument of "close" is the exit code.
  if (code !== 0) throw new Error(`leat ${args.join(" ")} ended with ${code}`);
  return text;
}

/** What `leat up` costs while nothing happens, and how soon it begins what it is asked for. */
async function benchUp(
  folder: string,
  options: Readonly<{ tasks: number; starts: number; idleMs: number }>,
): Promise<Pick<FlowsBench, "idle" | "firstStartMs" | "nextStartMs" | "queuedTaskMs">> {
  const up = start(folder, ["up", "--port", "0", "--json"]);
  try {
    const [line] = (await once(up.stdout!, "data")) as [Buffer]; // Its output is a pipe; it prints one line.
    const { url } = JSON.parse(line.toString()) as { url: string };
    await wait(options.idleMs / 2); // What it does at its beginning is over.
    const before = cpuSeconds(up.pid!); // It has begun, so it has an id.
    await wait(options.idleMs);
    const cpuShare = (cpuSeconds(up.pid!) - before) / (options.idleMs / 1000);
    const idle = { megabytes: residentMb(up.pid!), cpuShare };
    const delays: number[] = [];
    for (let turn = 0; turn <= options.starts; turn++) {
      const run = await runOver(url, "empty", {});
      delays.push(Date.parse(run.started_at) - Date.parse(run.created_at));
    }
    const [firstStartMs = Number.NaN, ...next] = delays;
    const chain = await runOver(url, "chain", { count: options.tasks });
    return { idle, firstStartMs, nextStartMs: median(next), queuedTaskMs: spanOf(chain) / options.tasks };
  } finally {
    up.kill("SIGTERM");
    await once(up, "exit");
  }
}

/** Asks for a run over the API, and waits for its end. */
async function runOver(url: string, flow: string, params: object): Promise<PrintedRun> {
  const made = await fetch(`${url}/api/deployments/${flow}/runs`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ params }),
  });
  const { run } = (await made.json()) as { run: PrintedRun };
  for (;;) {
    const { run: now } = (await (await fetch(`${url}/api/runs/${run.id}`)).json()) as { run: PrintedRun };
    if (now.state === "succeeded") return now;
    if (now.state === "failed") throw new Error(`the run ${run.id} of ${flow} failed`);
    await wait(20);
  }
}

/** Many runs at once, when the workers' processes have loaded the project; from the first start to the last end. */
async function benchWorkers(folder: string, count: number, workerCount: number): Promise<number> {
  const ledger = await openSqliteLedger(join(folder, ".leat/ledger.db"), systemClock);
  const workers = Array.from({ length: workerCount }, () =>
    start(folder, ["worker", "--slots", "1", "--quiet"]),
  );
  try {
    while ((await ledger.listWorkers()).filter(({ kind }) => kind === "worker").length < workerCount) {
      await wait(50);
    }
    await untilOver(ledger, await submitMany(ledger, workerCount * 10));
    const runs = await untilOver(ledger, await submitMany(ledger, count));
    const begun = Math.min(...runs.map(({ startedAtMs }) => startedAtMs ?? 0));
    const ended = Math.max(...runs.map(({ endedAtMs }) => endedAtMs ?? 0));
    return (count * 1000) / (ended - begun);
  } finally {
    for (const worker of workers) worker.kill("SIGTERM");
    await Promise.all(workers.map((worker) => once(worker, "exit")));
    await ledger.close();
  }
}

async function submitMany(ledger: Ledger, count: number): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  while (ids.size < count) ids.add(await submit(ledger));
  return ids;
}

async function untilOver(ledger: Ledger, ids: ReadonlySet<string>): Promise<readonly FlowRun[]> {
  for (;;) {
    const runs = await ledger.listRuns({ deployment: "empty", limit: ids.size });
    const own = runs.filter(({ id }) => ids.has(id));
    if (own.length === ids.size && own.every(({ state }) => state === "succeeded")) return own;
    await wait(100);
  }
}

async function submit(ledger: Ledger): Promise<string> {
  const run: NewRun = {
    id: newFlowRunId(),
    flow: "empty",
    deployment: "empty",
    pool: "default",
    params: {},
    priority: 0,
    startAtMs: ledger.nowMs(),
    scheduledAtMs: null,
    lateAtMs: null,
    cause: { kind: "manual", by: "bench" },
    keyLimit: null,
    idempotencyKey: null,
    coalesceKey: null,
  };
  return (await ledger.submitRun(run)).run.id;
}

async function benchPrefect(folder: string, tasks: number): Promise<FlowsBench["peer"]> {
  const python = installPython("prefect", prefectPackages);
  if (python.path === undefined) return `Prefect did not run: ${python.reason}`;
  // A home of its own, no word to its makers, and no line for each task.
  process.env["PREFECT_HOME"] = join(folder, "prefect");
  process.env["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false";
  process.env["DO_NOT_TRACK"] = "1";
  process.env["PREFECT_LOGGING_LEVEL"] = "ERROR";
  process.env["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "120"; // Its own server takes more than 20 s on a busy machine.
  try {
    const { taskSeconds = Number.NaN } = await runJob(python.path, [
      join(import.meta.dirname, "prefect_flow.py"),
      String(tasks),
    ]);
    return { taskMs: taskSeconds * 1000, tasks };
  } catch (error) {
    return `Prefect did not run: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Processor time of a process so far, from /proc. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
