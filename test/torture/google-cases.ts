/** What can break in a step of a sync into gs:// and BigQuery, and how each is played. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { itemError, type SyncResult } from "../../src/sync/sync-job.ts";
import { type GoogleWorld, type Step, stepsOf } from "./google-world.ts";
import type { Death } from "./kill-hook.ts";

export const services = ["storage", "warehouse"] as const;
const exchangeFaults = ["before", "after", "twice", "late"] as const;

/**
 * What breaks in a step. `fault`: `site` and `phase` are a service and what happens to its n-th exchange. `kill`: an
 * await and its side. `race`: nothing, but two processes do it at the same moment.
 */
export type Case = Readonly<{
  kind: "fault" | "kill" | "race";
  step: string;
  site: string;
  phase: string;
  nth: number;
  /** How long jobs take that are begun before the process dies, ms: its last one ends when another process is at work. */
  slowMs: number;
}>;

const steps: ReadonlyMap<string, Step> = new Map(
  [...stepsOf(true), ...stepsOf(false)].map((step) => [step.name, step]),
);

/** Longer than a process takes from the death to its first request to the warehouse. */
const slowMs = 300;

/** How many there are with each service. */
export type Exchanges = Readonly<Record<(typeof services)[number], number>>;

/** How many exchanges with each service a step has, if nothing happens to it. */
export async function countExchanges(world: GoogleWorld, step: Step): Promise<Exchanges> {
  const place = await world.open(step);
  try {
    const wrong = [...errorsOf(await place.sync()), ...(await place.check())];
    if (wrong.length > 0) throw new Error(`${step.name}, and nothing happens to it: ${wrong.join("; ")}`);
    return { storage: place.storage.log.length, warehouse: place.warehouse.exchanges.length };
  } finally {
    await place.close();
  }
}

/** Each exchange of a step, with each fault. */
export function faultsOf(step: Step, counts: Exchanges): Case[] {
  const faults: Case[] = [];
  for (const site of services)
    for (let nth = 1; nth <= counts[site]; nth += 1)
      for (const phase of exchangeFaults)
        faults.push({ kind: "fault", step: step.name, site, phase, nth, slowMs: 0 });
  return faults;
}

/**
 * The deaths that there are in a step: of all passings of awaits between which the process has neither asked for a
 * change nor heard of one, the first. Whoever comes after it finds the same.
 */
export async function recordDeaths(
  world: GoogleWorld,
  folder: string,
  step: Step,
): Promise<Readonly<{ kills: readonly Case[]; passings: number }>> {
  const place = await world.open(step);
  try {
    const path = join(folder, `deaths-${step.name}.json`);
    const ended = await place.start({ LEAT_DEATHS: path });
    if (ended.code !== 0) throw new Error(`the recorded run failed: ${ended.output}`);
    const deaths = JSON.parse(await readFile(path, "utf8")) as Death[]; // Written by kill-hook.ts.
    const kills = deaths.flatMap(({ site, phase, nth, isJobBegun }) => {
      const kill = { kind: "kill", step: step.name, site, phase, nth } as const;
      return isJobBegun
        ? [
            { ...kill, slowMs: 0 },
            { ...kill, slowMs },
          ]
        : [{ ...kill, slowMs: 0 }];
    });
    return { kills, passings: deaths.reduce((sum, { passings }) => sum + passings, 0) };
  } finally {
    await place.close();
  }
}

/** Says which one it is. */
export function nameCase({ kind, step, site, phase, nth, slowMs }: Case): string {
  if (kind === "fault") return `${step}, ${phase} exchange ${nth} with the ${site}`;
  if (kind === "race") return `${step}, race ${nth}`;
  return `${step}, killed ${phase} ${site}, passing ${nth}${slowMs > 0 ? ", its job still running" : ""}`;
}

/** Plays one. Returns what is wrong afterwards. */
export async function playCase(world: GoogleWorld, one: Case): Promise<readonly string[]> {
  const step = steps.get(one.step)!; // Cases are made of them.
  const play = { fault: playFault, kill: playKill, race: playRace }[one.kind];
  return await play(world, step, one);
}

/** One fault of one exchange is nothing that a caller hears of: requests are sent again. */
async function playFault(world: GoogleWorld, step: Step, { site, phase, nth }: Case) {
  const fault = exchangeFaults.find((one) => one === phase)!;
  const place = await world.open(step);
  const { storage, warehouse } = place;
  try {
    if (site === "storage") storage.plan(({ number }) => (number === nth ? fault : undefined));
    else warehouse.setFaults(({ number }) => (number === nth - 1 ? fault : undefined));
    const failed = errorsOf(await place.sync());
    storage.plan(undefined);
    warehouse.setFaults(undefined);
    storage.settle();
    await warehouse.jobs.settle();
    return [...failed, ...(await place.check())];
  } finally {
    await place.close();
  }
}

async function playKill(world: GoogleWorld, step: Step, { site, phase, nth, slowMs }: Case) {
  const place = await world.open(step);
  try {
    if (slowMs > 0) place.warehouse.setFaults(undefined, () => ({ slowMs }));
    const ended = await place.start({ LEAT_KILL: `${site}|${phase}|${nth}` });
    place.warehouse.setFaults(undefined);
    // How often a loop is passed may differ from run to run; what was not reached was a sync like others.
    if (ended.signal !== "SIGKILL" && ended.code !== 0)
      return [`was not killed, but failed: ${ended.output}`];
    return [...errorsOf(await place.sync()), ...(await place.check())];
  } finally {
    await place.close();
  }
}

async function playRace(world: GoogleWorld, step: Step) {
  const place = await world.open(step);
  try {
    const ended = await Promise.all([place.start({}), place.start({})]);
    const failed = ended.filter(({ code, output }) => code !== 0 && !/^(STATE_CONFLICT|BUSY)/m.test(output));
    return [
      ...failed.map(({ code, output }) => `ended with ${code}: ${output}`),
      ...errorsOf(await place.sync()),
      ...(await place.check()),
    ];
  } finally {
    await place.close();
  }
}

const errorsOf = ({ items }: SyncResult): readonly string[] =>
  items.flatMap((item) => {
    const error = itemError(item);
    return error === undefined ? [] : [`${item.stream}: ${error.code} ${error.message}`];
  });
