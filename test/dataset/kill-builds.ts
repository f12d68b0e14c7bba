/**
 * Kills a building process by SIGKILL at awaits of leat's stages, and looks at what is left, before and after the next
 * build. Sites come from a recorded run, never from a list.
 *
 * `node test/dataset/kill-builds.ts [--kills N] [--seed S]`
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { collectVersions } from "../../src/dataset/collect-versions.ts";
import { listSeqs, readEntryOfLog } from "../../src/dataset/dataset-log.ts";
import { bringParts } from "../../src/dataset/open-version.ts";
import { isLeatError } from "../../src/errors/leat-error.ts";
import { buildOf } from "./build-process.ts";
import { DatasetBench } from "./dataset-bench.ts";

const here = import.meta.dirname;

/** A process that does not end by itself within this is a fault, ms. */
const processMsMax = 60_000;

/** Files before the killed build, and those it has: into nothing, and onto a version. */
const scenarios = [
  { before: 0, count: 2 },
  { before: 2, count: 3 },
] as const;
type Scenario = (typeof scenarios)[number];

/** Rows of the table by how many files were built. */
const rowsOf: Readonly<Record<number, readonly (readonly number[])[]>> = {
  2: [
    [1, 10],
    [2, 20],
    [3, 30],
    [4, 40],
  ],
  3: [
    [1, 10],
    [2, 21],
    [3, 30],
    [4, 40],
    [5, 50],
  ],
};

type Kill = Readonly<{ scenario: Scenario; site: string; phase: string; nth: number }>;

export type KillReport = Readonly<{ kills: number; sites: number; faults: readonly string[] }>;

/** Runs as many kills as asked for, drawn by the seed. */
export async function runKills(options: Readonly<{ killsMax: number; seed: number }>): Promise<KillReport> {
  const base = await mkdtemp(join(tmpdir(), "leat-kill-build-"));
  try {
    const all: Kill[] = [];
    for (const scenario of scenarios) all.push(...(await recordKills(base, scenario)));
    const kills = shuffle(all, options.seed).slice(0, options.killsMax);
    const faults: string[] = [];
    for (const kill of kills) {
      const name = `${kill.scenario.count} files, ${kill.site} ${kill.phase} ${kill.nth}`;
      faults.push(...(await runKill(base, kill)).map((fault) => `${name}: ${fault}`));
    }
    return { kills: kills.length, sites: new Set(all.map(({ site }) => site)).size, faults };
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}

async function prepare(base: string, { before }: Scenario): Promise<string> {
  const folder = await mkdtemp(join(base, "run-"));
  if (before === 0) return folder;
  const built = join(base, "built");
  const isThere = await readFile(join(built, "warehouse.duckdb")).then(
    () => true,
    () => false,
  );
  if (!isThere) await buildOf(built, before);
  await cp(built, folder, { recursive: true });
  return folder;
}

async function recordKills(base: string, scenario: Scenario): Promise<Kill[]> {
  const folder = await prepare(base, scenario);
  const path = join(base, `sites-${scenario.count}.json`);
  const ended = await runProcess(base, folder, scenario.count, { LEAT_SITES: path });
  if (ended.code !== 0) throw new Error(`the recorded build failed: ${ended.output}`);
  const passed = JSON.parse(await readFile(path, "utf8")) as [string, number][]; // Written by kill-hook.ts.
  return passed.flatMap(([key, count]) => {
    const [site = "", phase = ""] = key.split("|");
    return [...new Set([1, Math.ceil(count / 2), count])].map((nth) => ({ scenario, site, phase, nth }));
  });
}

async function runKill(base: string, kill: Kill): Promise<string[]> {
  const { scenario } = kill;
  const folder = await prepare(base, scenario);
  try {
    const killed = await runProcess(base, folder, scenario.count, {
      LEAT_KILL: `${kill.site}|${kill.phase}|${kill.nth}`,
    });
    if (killed.signal !== "SIGKILL" && killed.code !== 0)
      return [`was not killed, but failed: ${killed.output}`];
    const faults = await check(folder, [scenario.before, scenario.count], "after the death");
    const again = await buildOf(folder, scenario.count);
    if (again.table === "unsupported") faults.push("the warehouse keeps no table");
    faults.push(...(await check(folder, [scenario.count], "after the next build")));
    faults.push(...(await checkGarbage(folder)));
    faults.push(...(await check(folder, [scenario.count], "after the collection")));
    const repeated = await buildOf(folder, scenario.count);
    if (repeated.status !== "unchanged") faults.push("a third build published once more");
    return faults;
  } catch (error) {
    return [isLeatError(error) ? `${error.code}: ${error.message}` : String(error)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every entry of the log is whole, and the table is one of those that may be there. */
async function check(folder: string, counts: readonly number[], when: string): Promise<string[]> {
  const faults: string[] = [];
  const { store, warehouse } = await DatasetBench.open(folder);
  const seqs = await listSeqs(store, "deaths");
  const rowCounts = counts.map((count) => rowsOf[count]?.length ?? 0);
  for (const seq of seqs) {
    const entry = await readEntryOfLog(store, "deaths", seq);
    await bringParts(store, entry, folder);
    if (!Object.values(rowsOf).some((rows) => rows.length === entry.rowCount))
      faults.push(`${when}: entry ${seq} has ${entry.rowCount} rows`);
  }
  const newest = seqs.at(-1);
  const newestRows = newest === undefined ? 0 : (await readEntryOfLog(store, "deaths", newest)).rowCount;
  if (!rowCounts.includes(newestRows)) faults.push(`${when}: the newest entry has ${newestRows} rows`);
  const rows = await warehouse.query("select id, value from deaths order by id").then(
    (result) => result.rows,
    (error: unknown) => {
      if (isLeatError(error) && error.code === "QUERY_FAILED") return []; // There is no table yet.
      throw error;
    },
  );
  const allowed = counts.map((count) => JSON.stringify(rowsOf[count] ?? []));
  if (!allowed.includes(JSON.stringify(rows)))
    faults.push(`${when}: the table holds ${JSON.stringify(rows)}`);
  return faults;
}

/** After a collection there are the files that the log names, and no others. */
async function checkGarbage(folder: string): Promise<string[]> {
  const bench = await DatasetBench.open(folder);
  await collectVersions(bench.store, "deaths", { keepVersions: undefined, isDryRun: false });
  const named: string[] = [];
  for (const seq of await listSeqs(bench.store, "deaths")) {
    const { parts, layouts } = await readEntryOfLog(bench.store, "deaths", seq);
    named.push(...parts.map(({ key }) => key), layouts?.key ?? "");
  }
  const left = await bench.keys("datasets/deaths/build=");
  return left.filter((key) => !named.includes(key)).map((key) => `${key} is left over`);
}

type Ended = Readonly<{ code: number | null; signal: string | null; output: string }>;

function runProcess(
  base: string,
  folder: string,
  count: number,
  environment: Record<string, string>,
): Promise<Ended> {
  const hook = ["--import", join(here, "../torture/kill-hook.ts")];
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", ...hook, join(here, "build-process.ts"), folder, String(count)],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: join(base, "compiled"), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
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
    options: { kills: { type: "string", default: "100" }, seed: { type: "string", default: "1" } },
  });
  const report = await runKills({ killsMax: Number(values.kills), seed: Number(values.seed) });
  console.log(`${report.kills} kills at ${report.sites} await sites, ${report.faults.length} faults`);
  for (const fault of report.faults) console.log(fault);
  process.exit(report.faults.length === 0 ? 0 : 1);
}
