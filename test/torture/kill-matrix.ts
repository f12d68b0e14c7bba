/**
 * Kills a syncing process by SIGKILL at every await of leat's stages, at the first, the middle and the last time that it
 * is passed, syncs again, and compares the warehouse with the partner's truth. Sites come from a recorded run
 * (kill-hook.ts), never from a list.
 *
 * `node test/torture/kill-matrix.ts [--kills N] [--seed S] [--races N]`
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { itemError } from "../../src/sync/sync-job.ts";
import { checkShop } from "./check-shop.ts";
import type { GoogleShop } from "./open-google-shop.ts";
import { openShop, type Shop } from "./shop.ts";
import { syncShop } from "./sync-shop.ts";

const here = import.meta.dirname;

/** A process that does not end by itself within this is a fault, ms. */
const processMsMax = 60_000;

/** `first`: into an empty folder. `change`: a synced folder, then news at the shop. */
const scenarios = ["first", "change"] as const;
type Scenario = (typeof scenarios)[number];

type Kill = Readonly<{ scenario: Scenario; site: string; phase: string; nth: number; of: number }>;

export type MatrixReport = Readonly<{
  kills: number;
  sites: number;
  faults: readonly string[];
  byPhase: Readonly<Record<string, number>>;
}>;

/** Runs the matrix. `killsMax` draws that many by the seed; `undefined` runs all. */
export async function runKillMatrix(options: {
  killsMax: number | undefined;
  seed: number;
  say: (line: string) => void;
}): Promise<MatrixReport> {
  const base = await mkdtemp(join(tmpdir(), "leat-kill-"));
  try {
    const all: Kill[] = [];
    for (const scenario of scenarios) all.push(...(await recordKills(base, scenario)));
    const kills = options.killsMax === undefined ? all : draw(all, options.killsMax, options.seed);
    const sites = new Set(all.map((kill) => kill.site)).size;
    options.say(
      `${sites} await sites, ${all.length} kills in all, ${kills.length} to run (seed ${options.seed})`,
    );
    const faults: string[] = [];
    const byPhase: Record<string, number> = {};
    for (const [index, kill] of kills.entries()) {
      const name = `${kill.scenario} ${kill.site} ${kill.phase} ${kill.nth}/${kill.of}`;
      for (const fault of await runKill(base, kill)) {
        faults.push(`${name}: ${fault}`);
        options.say(`FAULT ${name}: ${fault}`);
      }
      byPhase[`${kill.scenario} ${kill.phase}`] = (byPhase[`${kill.scenario} ${kill.phase}`] ?? 0) + 1;
      if ((index + 1) % 25 === 0)
        options.say(`${index + 1} of ${kills.length} kills, ${faults.length} faults`);
    }
    return { kills: kills.length, sites, faults, byPhase };
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

/** A shop and a folder as the scenario has them before the process that is killed. */
async function prepare(
  base: string,
  scenario: Scenario,
): Promise<{ shop: Shop; folder: string; requests: number }> {
  const shop = await openShop();
  const folder = await mkdtemp(join(base, "run-"));
  if (scenario === "change") {
    await syncShop(folder, shop.url);
    shop.change();
  }
  const requests = shop.requests;
  return { shop, folder, requests };
}

async function recordKills(base: string, scenario: Scenario): Promise<Kill[]> {
  const { shop, folder } = await prepare(base, scenario);
  try {
    const path = join(base, `sites-${scenario}.json`);
    const ended = await runProcess({
      folder,
      url: shop.url,
      compiledIn: base,
      environment: { LEAT_SITES: path },
    });
    if (ended.code !== 0) throw new Error(`the recorded run failed: ${ended.output}`);
    const passed = JSON.parse(await readFile(path, "utf8")) as [string, number][]; // Written by kill-hook.ts.
    return passed.flatMap(([key, count]) => {
      const [site = "", phase = ""] = key.split("|");
      const turns = new Set([1, Math.ceil(count / 2), count]);
      return [...turns].map((nth) => ({ scenario, site, phase, nth, of: count }));
    });
  } finally {
    await shop.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runKill(base: string, kill: Kill): Promise<string[]> {
  const { shop, folder, requests } = await prepare(base, kill.scenario);
  try {
    const killed = await runProcess({
      folder,
      url: shop.url,
      compiledIn: base,
      environment: { LEAT_KILL: `${kill.site}|${kill.phase}|${kill.nth}` },
    });
    // How often a loop is passed may differ by some turns from run to run; what was not reached was a sync like others.
    if (killed.signal !== "SIGKILL" && killed.code !== 0)
      return [`was not killed, but failed: ${killed.output}`];
    const byKilled = shop.requests - requests;
    const faults: string[] = [];
    const again = await syncShop(folder, shop.url);
    for (const item of again.items) {
      const error = itemError(item);
      if (error !== undefined)
        faults.push(`the sync after it failed in ${item.stream}: ${error.code} ${error.message}`);
    }
    // What children know is what their parents had landed when they were asked: a killed run may have been before that.
    const byAgain = shop.requests - requests - byKilled;
    faults.push(...(await checkShop(folder, shop)));
    if (byAgain > requestsMax) faults.push(`${byAgain} requests by the sync after it`);
    return faults;
  } finally {
    await shop.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A sync of the whole shop takes 41 requests; one that is repeated after a death may at most begin anew. */
const requestsMax = 60;

/** Two processes sync the same tenant at the same moment, several times over. */
export async function runRaces(count: number, say: (line: string) => void): Promise<readonly string[]> {
  const base = await mkdtemp(join(tmpdir(), "leat-race-"));
  const faults: string[] = [];
  try {
    for (let race = 1; race <= count; race++) {
      const { shop, folder } = await prepare(base, race % 2 === 0 ? "first" : "change");
      const one = { folder, url: shop.url, compiledIn: base, environment: {} };
      const ended = await Promise.all([runProcess(one), runProcess(one)]);
      for (const { code, output } of ended) {
        const isExpected = code === 0 || /^(STATE_CONFLICT|BUSY)/m.test(output);
        if (!isExpected) faults.push(`race ${race}: ended with ${code}: ${output}`);
      }
      const after = await syncShop(folder, shop.url);
      for (const item of after.items) {
        const error = itemError(item);
        if (error !== undefined) faults.push(`race ${race}: ${item.stream}: ${error.code} ${error.message}`);
      }
      faults.push(...(await checkShop(folder, shop)).map((fault) => `race ${race}: ${fault}`));
      await shop.close();
      await rm(folder, { recursive: true, force: true });
      if (race % 10 === 0) say(`${race} of ${count} races, ${faults.length} faults`);
    }
    return faults;
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

type Ended = Readonly<{ code: number | null; signal: string | null; output: string }>;

/** What a process is started with. */
export type ProcessOptions = Readonly<{
  folder: string;
  url: string;
  /** A folder for compiled and instrumented sources, the same for many processes: most of a start is making them. */
  compiledIn: string;
  environment: Readonly<Record<string, string>>;
  /** Kills it from without. */
  signal?: AbortSignal;
  /** All when left out. */
  streams?: readonly string[];
  google?: GoogleShop;
}>;

/** Syncs in a process of its own, hooked when the environment has something to say; into `google` where that is given. */
export function runProcess({
  folder,
  url,
  compiledIn,
  environment,
  signal,
  streams = [],
  google,
}: ProcessOptions): Promise<Ended> {
  const isHooked = Object.keys(environment).length > 0;
  const place = google === undefined ? [] : [JSON.stringify(google)];
  const hook = isHooked ? ["--import", join(here, "kill-hook.ts")] : [];
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      ...hook,
      join(here, "sync-process.ts"),
      folder,
      url,
      streams.join(),
      ...place,
    ],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: join(compiledIn, "compiled"), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  signal?.addEventListener("abort", () => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
  const timer = setTimeout(() => child.kill("SIGKILL"), processMsMax);
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, output });
    });
  });
}

/** A draw without repetition: one kill of every site and phase before a second of any. The same seed draws the same. */
export function draw<One extends Readonly<{ site: string; phase: string }>>(
  kills: readonly One[],
  count: number,
  seed: number,
): One[] {
  const shuffled = shuffle(kills, seed);
  const seen = new Set<string>();
  const [firsts, others]: [One[], One[]] = [[], []];
  for (const kill of shuffled) {
    const place = `${kill.site}|${kill.phase}`;
    (seen.has(place) ? others : firsts).push(kill);
    seen.add(place);
  }
  return [...firsts, ...others].slice(0, count);
}

function shuffle<T>(items: readonly T[], seed: number): T[] {
  const shuffled = [...items];
  let state = seed >>> 0;
  for (let last = shuffled.length - 1; last > 0; last--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = Math.floor((state / 2 ** 32) * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T]; // Both are within.
  }
  return shuffled;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: "string" },
      seed: { type: "string", default: "1" },
      races: { type: "string", default: "100" },
    },
  });
  const say = (line: string) => console.log(line);
  const killsMax = values.kills === undefined ? undefined : Number(values.kills);
  const report = await runKillMatrix({ killsMax, seed: Number(values.seed), say });
  const races = await runRaces(Number(values.races), say);
  console.log(`${report.kills} kills at ${report.sites} sites: ${JSON.stringify(report.byPhase)}`);
  console.log(
    `${report.faults.length} faults after kills, ${races.length} after ${values.races} races of two processes`,
  );
  for (const fault of [...report.faults, ...races]) console.log(fault);
  process.exit(report.faults.length + races.length === 0 ? 0 : 1);
}
