/** `leat up` and `leat worker`: processes that stay, and execute what is queued. */
import assert from "node:assert/strict";
import type { Command } from "commander";
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { DataApi } from "../serve/data-api.ts";
import type { ControlAddress } from "../server/control/serve-control.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import type { OpenFlows } from "./open-flows.ts";
import { readNumber } from "./read-number.ts";
import type { ServeOptions } from "./serve.ts";

type WorkOptions = GlobalOptions & Readonly<{ slots: string }>;
type UpOptions = WorkOptions &
  Readonly<{
    port: string;
    host: string;
    token?: string;
    basePath: string;
    pool?: readonly string[];
    keep: string;
    serve: boolean;
    servePort: string;
    api?: string;
  }>;
type WorkerOptions = WorkOptions & Readonly<{ pool: readonly string[] }>;

/** Runs of one worker at once, unless said otherwise: each has a process of its own. */
const slotsUsual = "4";

/** How often old runs are looked for, ms. */
const pruneMs = 3_600_000;

/** Runs that one look throws away at most, and those that stay of each deployment however old. */
const prunedMax = 1000;
const keptPerDeployment = 20;

const dayMs = 86_400_000;

const upAfter = `
Everything on one machine: schedules and triggers make runs, a worker executes them, each in a process of its own,
people are told, the console is at http://HOST:PORT/, and the control API that it uses at /api (its description:
/api/openapi.json).
Where the project declares APIs of its datasets, \`leat serve\` answers in the same process, at --serve-port.
With the ledger on Postgres (LEAT_LEDGER), \`leat worker\` on other machines executes the same queue.

Requests need a token as \`Authorization: Bearer ...\`, people sign in with it or at a provider (LEAT_OIDC_ISSUER). Without
either it only listens on this machine.
SIGTERM stops: runs under way are given back to the queue, and go on from what is finished.`;

export function addUp(program: Command, invocation: Invocation): void {
  const command = program
    .command("up")
    .summary("Run schedules, triggers, a worker and the control API.")
    .description("Runs the project: its schedules, triggers and notices, a worker, and the control API.")
    .option("-p, --port <n>", "Port of the control API; 0 takes a free one.", "4004")
    .option("--host <address>", "Address to listen on; one that others reach needs a token.", "127.0.0.1")
    .option(
      "--token <reference>",
      "Where the API's token is: env:NAME or file:PATH. Default: LEAT_TOKEN where it is set.",
    )
    .option("--base-path <path>", "What addresses begin with where a proxy leads here, such as /leat.", "/")
    .option("--slots <n>", "Runs that are executed at once.", slotsUsual)
    .option("--pool <name...>", "Pools to work for. Default: all of the project.")
    .option("--keep <days>", "Runs that ended so long ago are thrown away.", "90")
    .option("--serve-port <n>", "Port of the project's data API; 0 takes a free one.", "8080")
    .option("--api <name>", "Which of the project's data APIs, where it declares several.")
    .option("--no-serve", "Do not serve the project's data API.")
    .addHelpText("after", upAfter)
    .action(async () => {
      const defaults = program.commands.find((one) => one.name() === "serve")?.opts<ServeOptions>();
      assert(defaults !== undefined, "there is a command that serves");
      const options = command.optsWithGlobals<UpOptions>();
      invocation.finish(await up(invocation, options, { defaults, version: program.version() ?? "" }));
    });
}

export function addWorker(program: Command, invocation: Invocation): void {
  const command = program
    .command("worker")
    .summary("Execute queued runs, beside `leat up`.")
    .description(
      "Executes queued runs of some pools. Any number of workers, on any number of machines, share a ledger on Postgres; on one machine they share a file.",
    )
    .option("--pool <name...>", "Names of the pools to work for.", ["default"])
    .option("--slots <n>", "Runs that are executed at once.", slotsUsual)
    .action(async () => {
      invocation.finish(await worker(invocation, command.optsWithGlobals<WorkerOptions>()));
    });
}

async function worker(invocation: Invocation, options: WorkerOptions): Promise<ExitCode> {
  const slots = readNumber("--slots", options.slots, 1, 1000);
  const [{ openFlows, openDispatcher }] = await Promise.all([import("./open-flows.ts")]);
  const flows = await openFlows(invocation, options, { connectionsMax: slots + 3 });
  const dispatcher = await openDispatcher(invocation, flows);
  const tellProblem = await openTeller(invocation);
  const { stop } = await startWork(invocation, flows, dispatcher, {
    pools: options.pool,
    slots,
    tellProblem,
  });
  await trim();
  invocation.terminal.err(`works for ${options.pool.join(", ")}, ${slots} runs at once\n`);
  await untilStopped(invocation.signal);
  await stop();
  return 0;
}

/** How `leat serve` is called where nothing else is said. */
type ServeUsual = Readonly<{ defaults: ServeOptions; version: string }>;

async function up(invocation: Invocation, options: UpOptions, usual: ServeUsual): Promise<ExitCode> {
  const slots = readNumber("--slots", options.slots, 1, 1000);
  const port = readNumber("--port", options.port, 0, 65_535);
  const keepDays = readNumber("--keep", options.keep, 1, 36_500);
  const keepMs = keepDays * dayMs;
  const basePath = readBasePath(options.basePath);
  readNumber("--serve-port", options.servePort, 0, 65_535);
  const [{ openFlows, openDispatcher, publishDeployments, whoAmI }, { serveControl }, { openControlPorts }] =
    await Promise.all([
      import("./open-flows.ts"),
      import("../server/control/serve-control.ts"),
      import("./open-control.ts"),
    ]);
  const [{ readConsoleAccess }, { isOpen }, { findUiFolder }, { systemClock }] = await Promise.all([
    import("./read-console-access.ts"),
    import("../server/access/access.ts"),
    import("../server/console/ui-folder.ts"),
    import("./system-world.ts"),
  ]);
  const flows = await openFlows(invocation, options, { connectionsMax: slots + 5 });
  const { opened, registry } = flows;
  const { terminal, environment } = invocation;
  const { token } = options;
  const { secrets } = opened;
  const ui = { folder: findUiFolder(), basePath };
  const access = await readConsoleAccess({
    environment,
    token,
    secrets,
    clock: systemClock,
    localName: whoAmI(),
  });
  refuseOpenDoor(options.host, isOpen(access));
  const dispatcher = await openDispatcher(invocation, flows);
  const tellProblem = await openTeller(invocation);
  const [{ openConsoleData }, { startAlerts }] = await Promise.all([
    import("./open-console-data.ts"),
    import("../server/control/check-alerts.ts"),
  ]);
  let publicApi: DataApi | undefined;
  const consoleData = openConsoleData(invocation, opened, {
    onProblem: tellProblem,
    served: () => publicApi,
  });
  const ports = openControlPorts(flows, dispatcher, { access, ui, data: consoleData, keepDays }, tellProblem);
  const address: ControlAddress = { host: options.host, port };
  const served = await serveControl(ports, address);
  const data =
    opened.project.apis.length > 0 && options.serve ? startServing(invocation, options, usual) : undefined;
  const serving = await data?.serving;
  publicApi = serving?.api;
  const dataUrl = serving?.url ?? null;
  await publishDeployments(flows); // Not by one that cannot be up, because another has its port.
  const pools = options.pool ?? [...new Set(["default", ...registry.deployments.map(({ pool }) => pool)])];
  const work = await startWork(invocation, flows, dispatcher, { pools, slots, tellProblem });
  const home = access.publicUrl?.href.replace(/\/$/, "") ?? `${served.url}${basePath}`;
  const runUrl = (runId: string): string => `${home}/runs/${runId}`;
  const loops = await startLoops(invocation, flows, dispatcher, { keepMs, tellProblem, runUrl });
  const alerts = startAlerts({ ...ports, runUrl });
  await trim();
  if (options.json) terminal.out(`${JSON.stringify({ url: served.url, data_url: dataUrl, pools, slots })}\n`);
  else {
    const what = `${registry.deployments.length} flows, ${pools.length} pools, ${slots} runs at once`;
    terminal.err(`up at ${served.url}: ${what}\n`);
    if (dataUrl !== null) terminal.err(`serves at ${dataUrl}\n`);
  }
  await untilStopped(invocation.signal);
  await served.stop();
  await alerts.stop();
  await loops.stop();
  await work.stop();
  await data?.ended;
  return 0;
}

/** The data API as it listens. */
type Serving = Readonly<{ url: string; api: DataApi }>;

/** What `leat serve` does, in this process; it ends with the invocation. */
function startServing(
  invocation: Invocation,
  options: UpOptions,
  { defaults, version }: ServeUsual,
): Readonly<{ serving: Promise<Serving>; ended: Promise<unknown> }> {
  const { promise: serving, resolve, reject } = Promise.withResolvers<Serving>();
  const { config, servePort: port, host, api } = options;
  const serveOptions: ServeOptions = {
    ...defaults,
    ...(config !== undefined && { config }),
    ...(api !== undefined && { api }),
    port,
    host,
    quiet: true, // What it says stands beside what flows say.
    accessLog: false,
  };
  const ended = import("./serve.ts").then(({ serve }) =>
    serve(invocation, undefined, serveOptions, version, (url, own) => resolve({ url, api: own })),
  );
  ended.catch((error: unknown) => reject(withOwnHint(error)));
  return { serving, ended };
}

/** The options of this command have other names than those of `leat serve`. */
function withOwnHint(error: unknown): unknown {
  if (!isLeatError(error) || error.code !== "SERVE_FAILED") return error;
  return new LeatError("SERVE_FAILED", {
    message: `The data API, ${error.message}`,
    hint: "Take another --serve-port, 0 for a free one, or leave it out: --no-serve.",
    details: error.details,
    cause: error.cause,
  });
}

/** `/leat` as addresses begin with it: empty for the root. */
function readBasePath(text: string): string {
  const path = text.replace(/\/+$/, "");
  if (path === "" || /^(\/[A-Za-z0-9_~.-]+)+$/.test(path)) return path;
  throw new LeatError("USAGE", {
    message: `--base-path "${text}" is no path.`,
    hint: "Write it such as /leat.",
  });
}

/** Strangers must not run flows. */
function refuseOpenDoor(host: string, isOpen: boolean): void {
  if (!isOpen || ["127.0.0.1", "::1", "localhost"].includes(host)) return;
  throw new LeatError("USAGE", {
    message: `--host ${host} can be reached by others, and nobody has to sign in.`,
    hint: "Set LEAT_TOKEN, name where the token is (--token env:NAME), or set up a provider: LEAT_OIDC_ISSUER.",
  });
}

type Stoppable = Readonly<{ stop: () => Promise<void> }>;

async function startWork(
  invocation: Invocation,
  flows: OpenFlows,
  dispatcher: Dispatcher,
  {
    tellProblem,
    ...options
  }: Readonly<{ pools: readonly string[]; slots: number; tellProblem: TellProblem }>,
): Promise<Stoppable> {
  const [{ startWorker }, { openLane }, { systemClock }, { newWorkerId }] = await Promise.all([
    import("../flow/worker.ts"),
    import("./open-lane.ts"),
    import("./system-world.ts"),
    import("../model/run-ids.ts"),
  ]);
  const { ledger, opened } = flows;
  const executor = openLane(invocation, flows);
  return startWorker(
    { ledger, dispatcher, clock: systemClock, executor, onProblem: tellProblem },
    { id: newWorkerId(), ...options, codeVersion: opened.codeVersion },
  );
}

/** Schedules, events, and the end of old runs. */
async function startLoops(
  invocation: Invocation,
  { ledger, registry, opened }: OpenFlows,
  dispatcher: Dispatcher,
  options: Readonly<{ keepMs: number; runUrl: (runId: string) => string; tellProblem: TellProblem }>,
): Promise<Stoppable> {
  const [{ startScheduler }, { startEventLoop }, { deleteResults }, { systemClock: clock }] =
    await Promise.all([
      import("../flow/scheduler.ts"),
      import("../flow/event-loop.ts"),
      import("../flow/results.ts"),
      import("./system-world.ts"),
    ]);
  const { tellProblem } = options;
  const { secrets } = opened;
  const { redact } = invocation.terminal;
  const scheduler = startScheduler({ ledger, dispatcher, clock, registry, onProblem: tellProblem });
  const events = startEventLoop({
    ledger,
    dispatcher,
    registry,
    notices: { secrets, clock, redact, runUrl: options.runUrl },
    onProblem: tellProblem,
  });
  const prune = async (): Promise<void> => {
    const endedBeforeMs = ledger.nowMs() - options.keepMs;
    const gone = await ledger.prune({
      endedBeforeMs,
      keepPerDeployment: keptPerDeployment,
      runsMax: prunedMax,
    });
    await deleteResults(opened.store, gone);
  };
  const pruning = setInterval(() => prune().catch(tellProblem), pruneMs);
  pruning.unref();
  return {
    async stop() {
      clearInterval(pruning);
      await Promise.all([scheduler.stop(), events.stop()]);
    },
  };
}

/** What went wrong beside runs is told, and work goes on. */
type TellProblem = (error: unknown) => void;

async function openTeller({ terminal }: Invocation): Promise<TellProblem> {
  const [{ openProblems }, { systemClock }] = await Promise.all([
    import("./tell-problems.ts"),
    import("./system-world.ts"),
  ]);
  return openProblems(terminal, systemClock);
}

const trim = async (): Promise<void> => (await import("./trim-memory.ts")).trimMemory();

const untilStopped = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
