/**
 * Syncs of the shop into gs:// and BigQuery that break at every place where they can: each HTTP exchange with either
 * service is cut before or after it took effect, takes effect twice or late; the process is killed at each await after
 * which the world differs, and at each request that then takes effect late; two processes sync at the same moment, and an
 * exchange of theirs is broken as well. Afterwards every row is there once.
 *
 * `node test/torture/google-matrix.ts [--faults N] [--kills N] [--races N] [--seed S] [--workers N] [--whole]`:
 * all of them, or so many drawn. A stream is synced after the others, and only its sync is broken; with `--whole` a case
 * syncs all streams.
 */
import { type ChildProcess, fork } from "node:child_process";
import { on } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  type Case,
  faultsOf,
  lateKillsOf,
  nameCase,
  playCase,
  recordDeaths,
  recordExchanges,
  services,
} from "./google-cases.ts";
import { GoogleWorld, type Step, stepsOf } from "./google-world.ts";
import { draw } from "./kill-matrix.ts";

/** How much is played; `undefined`: all. */
export type GoogleMatrixOptions = Readonly<{
  scenarios: readonly Step["scenario"][];
  /** Whether a case syncs all streams, and not one. */
  isWhole: boolean;
  faultsMax: number | undefined;
  killsMax: number | undefined;
  races: number;
  seed: number;
  /** Processes that play cases; 0: this one does. */
  workers: number;
  say: (line: string) => void;
}>;

export type GoogleMatrixReport = Readonly<{
  /** Exchanges with each service, all steps together. */
  exchanges: Readonly<Record<(typeof services)[number], number>>;
  /** Passings of awaits, all steps together. */
  passings: number;
  /** What was played. */
  faults: number;
  kills: number;
  races: number;
  wrong: readonly string[];
}>;

export async function runGoogleMatrix(options: GoogleMatrixOptions): Promise<GoogleMatrixReport> {
  const folder = await mkdtemp(join(tmpdir(), "leat-google-"));
  const workers: Worker[] = [];
  try {
    const world = new GoogleWorld(folder);
    const { cases, exchanges, passings } = await listCases(world, folder, options);
    if (options.workers === 0) workers.push({ play: (one) => playCase(world, one) });
    while (workers.length < options.workers) workers.push(await startWorker(folder, workers.length));
    const wrong = await playAll(workers, cases, options.say);
    const count = (kind: Case["kind"]): number => cases.filter((one) => one.kind === kind).length;
    return {
      exchanges,
      passings,
      faults: count("fault"),
      kills: count("kill") + count("late kill"),
      races: count("race"),
      wrong,
    };
  } finally {
    for (const { child } of workers) child?.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** In the order in which they are played, which the seed decides. */
async function listCases(
  world: GoogleWorld,
  folder: string,
  { scenarios, isWhole, faultsMax, killsMax, races, seed, say }: GoogleMatrixOptions,
) {
  const exchanges = { storage: 0, warehouse: 0 };
  let passings = 0;
  const [allFaults, allKills]: [Case[], Case[]] = [[], []];
  for (const step of stepsOf(isWhole).filter(({ scenario }) => scenarios.includes(scenario))) {
    const recorded = await recordExchanges(world, step);
    for (const service of services) exchanges[service] += recorded[service].length;
    allFaults.push(...faultsOf(step, recorded));
    if (killsMax === 0) continue;
    const deaths = await recordDeaths(world, folder, step);
    allKills.push(...deaths.kills, ...lateKillsOf(step, recorded));
    passings += deaths.passings;
  }
  const faults = draw(allFaults, faultsMax ?? allFaults.length, seed);
  const kills = draw(allKills, killsMax ?? allKills.length, seed);
  say(
    `${exchanges.storage} and ${exchanges.warehouse} exchanges: ${faults.length} of ${allFaults.length} faults; ` +
      `${passings} passings of awaits: ${kills.length} of ${allKills.length} deaths; ${races} races`,
  );
  const raced: Case[] = [];
  for (const step of stepsOf(true).filter(({ scenario }) => scenarios.includes(scenario))) {
    const peaceful: Case = { kind: "race", step: step.name, site: "", phase: "", nth: 0 };
    const count = Math.ceil(races / scenarios.length);
    const broken = races > scenarios.length ? faultsOf(step, await recordExchanges(world, step)) : [];
    const drawn = draw(broken, Math.floor(count / 2), seed).map(
      (fault): Case => ({ ...fault, kind: "race" }),
    );
    raced.push(...Array.from({ length: count - drawn.length }, () => peaceful), ...drawn);
  }
  return { cases: [...faults, ...kills, ...raced], exchanges, passings };
}

/** Who plays cases, one at a time. */
type Worker = Readonly<{ play: (one: Case) => Promise<readonly string[]>; child?: ChildProcess }>;

async function startWorker(folder: string, at: number): Promise<Worker> {
  const own = join(folder, `worker-${at}`);
  await mkdir(own);
  const child = fork(join(import.meta.dirname, "google-worker.ts"), [own]);
  const answers = on(child, "message", { close: ["exit"] });
  return {
    child,
    async play(one) {
      child.send(one);
      const { value } = await answers.next();
      if (value === undefined) throw new Error(`a worker ended while it played: ${nameCase(one)}`);
      return value[0] as string[]; // As google-worker.ts sends it.
    },
  };
}

/** How often it is said how far it is. */
const saidEach = 100;

async function playAll(
  workers: readonly Worker[],
  cases: readonly Case[],
  say: (line: string) => void,
): Promise<readonly string[]> {
  const wrong: string[] = [];
  const waiting = cases.values();
  let played = 0;
  const work = async ({ play }: Worker): Promise<void> => {
    for (const one of waiting) {
      for (const found of await play(one)) {
        wrong.push(`${nameCase(one)}: ${found}`);
        say(wrong.at(-1)!);
      }
      played += 1;
      if (played % saidEach === 0) say(`${played} of ${cases.length} played, ${wrong.length} wrong`);
    }
  };
  await Promise.all(workers.map(work));
  return wrong;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      faults: { type: "string" },
      kills: { type: "string" },
      races: { type: "string", default: "100" },
      seed: { type: "string", default: "1" },
      workers: { type: "string", default: String(availableParallelism()) },
      whole: { type: "boolean", default: false },
    },
  });
  const most = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : Number(text);
  const report = await runGoogleMatrix({
    scenarios: ["first", "change"],
    isWhole: values.whole,
    faultsMax: most(values.faults),
    killsMax: most(values.kills),
    races: Number(values.races),
    seed: Number(values.seed),
    workers: Number(values.workers),
    say: (line) => console.log(line),
  });
  console.log(JSON.stringify(report, undefined, 2));
  process.exit(report.wrong.length === 0 ? 0 : 1);
}
