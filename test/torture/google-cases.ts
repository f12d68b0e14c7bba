/** What can break in a step of a sync into gs:// and BigQuery, and how each is played. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { itemError, type SyncResult } from "../../src/sync/sync-job.ts";
import { type GoogleWorld, type Place, type Step, stepsOf } from "./google-world.ts";
import type { Death } from "./kill-hook.ts";

export const services = ["storage", "warehouse"] as const;
const exchangeFaults = ["before", "after", "twice", "late"] as const;

/**
 * What breaks in a step.
 *
 * - `fault`: `site` and `phase` are a service and what happens to its n-th exchange.
 * - `kill`: an await and its side.
 * - `late kill`: the process is killed as its n-th exchange with a service arrives, which takes effect when another
 *   process is at work.
 * - `race`: two processes at the same moment, and a fault as above, unless `site` is empty.
 */
export type Case = Readonly<{
  kind: "fault" | "kill" | "late kill" | "race";
  step: string;
  site: string;
  phase: string;
  nth: number;
  /** The job that the process has begun before its death, which runs when another process makes its so manieth request. */
  late?: Readonly<{ job: number; at: number }>;
}>;

const steps: ReadonlyMap<string, Step> = new Map(
  [...stepsOf(true), ...stepsOf(false)].map((step) => [step.name, step]),
);

/** A job that outlives its process runs at one of so many requests of the next one, or after them all. */
const lateAtMax = 40;
/** Of every so many requests one. */
const lateEach = 3;

/** Methods of the exchanges with each service, in their order. */
export type Exchanges = Readonly<Record<(typeof services)[number], readonly string[]>>;

/** Which exchanges a step has, if nothing happens to it. */
export async function recordExchanges(world: GoogleWorld, step: Step): Promise<Exchanges> {
  const place = await world.open(step);
  try {
    const wrong = [...errorsOf(await place.sync()), ...(await place.check())];
    if (wrong.length > 0) throw new Error(`${step.name}, and nothing happens to it: ${wrong.join("; ")}`);
    const methods = (exchanges: readonly Readonly<{ method: string }>[]) =>
      exchanges.map(({ method }) => method);
    return { storage: methods(place.storage.log), warehouse: methods(place.warehouse.exchanges) };
  } finally {
    await place.close();
  }
}

/** Each exchange of a step, with each fault. */
export const faultsOf = (step: Step, exchanges: Exchanges): Case[] =>
  services.flatMap((site) =>
    exchanges[site].flatMap((_method, at) =>
      exchangeFaults.map((phase): Case => ({ kind: "fault", step: step.name, site, phase, nth: at + 1 })),
    ),
  );

/** Each exchange of a step that may change something, and a death at it. */
export const lateKillsOf = (step: Step, exchanges: Exchanges): Case[] =>
  services.flatMap((site) =>
    exchanges[site].flatMap((method, at): Case[] => {
      const kill = {
        kind: "late kill",
        step: step.name,
        site,
        phase: "late",
        nth: at + 1,
      } as const;
      return method === "GET" ? [] : [kill];
    }),
  );

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
    const changing = changingJobs(place);
    const deaths = JSON.parse(await readFile(path, "utf8")) as Death[]; // Written by kill-hook.ts.
    const kills = deaths.flatMap(({ site, phase, nth, job }): Case[] => {
      const kill = { kind: "kill", step: step.name, site, phase, nth } as const;
      if (job === undefined || !changing.has(job)) return [kill];
      const late: Case[] = [];
      for (let at = 1; at <= lateAtMax; at += lateEach) late.push({ ...kill, late: { job, at } });
      return [kill, ...late];
    });
    return { kills, passings: deaths.reduce((sum, { passings }) => sum + passings, 0) };
  } finally {
    await place.close();
  }
}

/** The how manieth jobs were more than questions. */
function changingJobs({ warehouse }: Place): ReadonlySet<number> {
  const jobs = warehouse.exchanges.filter(({ method, path }) => method === "POST" && path.endsWith("/jobs"));
  const isQuestion = ({ body }: (typeof jobs)[number]): boolean =>
    /"query":"\s*(SELECT|WITH)\b|"dryRun":true/i.test(JSON.stringify(body));
  return new Set(jobs.flatMap((job, at) => (isQuestion(job) ? [] : [at + 1])));
}

/** Says which one it is. */
export function nameCase({ kind, step, site, phase, nth, late }: Case): string {
  const fault = `${phase} exchange ${nth} with the ${site}`;
  switch (kind) {
    case "fault":
      return `${step}, ${fault}`;
    case "race":
      return `${step}, two at once${site === "" ? "" : `, ${fault}`}`;
    case "late kill":
      return `${step}, killed at exchange ${nth} with the ${site}, which comes late`;
    case "kill":
      return `${step}, killed ${phase} ${site}, passing ${nth}${late === undefined ? "" : `; job ${late.job} runs at request ${late.at} of the next`}`;
  }
}

/** Plays one. Returns what is wrong afterwards. */
export async function playCase(world: GoogleWorld, one: Case): Promise<readonly string[]> {
  const step = steps.get(one.step)!; // Cases are made of them.
  const place = await world.open(step);
  const play = { fault: playFault, kill: playKill, "late kill": playLateKill, race: playRace }[one.kind];
  try {
    return [...(await play(place, one)), ...(await place.check())];
  } finally {
    await place.close();
  }
}

/** Has one exchange go wrong from now on. `told` hears when it does. */
function breakExchange(
  { storage, warehouse }: Place,
  { site, phase, nth }: Case,
  told: () => void = () => {},
): void {
  const fault = exchangeFaults.find((one) => one === phase)!; // Cases are made of them.
  const faultAt = (at: number) => {
    if (at === nth) told();
    return at === nth ? fault : undefined;
  };
  if (site === "storage") storage.plan(({ number }) => faultAt(number));
  else warehouse.setFaults(({ number }) => faultAt(number + 1));
}

/** From now on all is well, and what was late has come. */
async function settle({ storage, warehouse }: Place): Promise<void> {
  storage.plan(undefined);
  warehouse.setFaults(undefined);
  storage.settle();
  await warehouse.jobs.settle();
}

/** One fault of one exchange is nothing that a caller hears of: requests are sent again. */
async function playFault(place: Place, one: Case): Promise<readonly string[]> {
  breakExchange(place, one);
  const failed = errorsOf(await place.sync());
  await settle(place);
  return failed;
}

async function playKill(place: Place, { site, phase, nth, late }: Case): Promise<readonly string[]> {
  const { warehouse } = place;
  const { promise: until, resolve: begin } = Promise.withResolvers<void>();
  let jobs = 0;
  warehouse.setFaults(undefined, () => (++jobs === late?.job ? { until } : undefined));
  const ended = await place.start({ LEAT_KILL: `${site}|${phase}|${nth}` });
  let requests = 0;
  warehouse.setFaults(() => {
    if (++requests === late?.at) begin();
    return undefined;
  });
  // How often a loop is passed may differ from run to run; what was not reached was a sync like others.
  const isExpected = ended.signal === "SIGKILL" || ended.code === 0;
  const failed = isExpected ? errorsOf(await place.sync()) : [`was not killed, but failed: ${ended.output}`];
  begin();
  await settle(place);
  return failed;
}

async function playLateKill(place: Place, one: Case): Promise<readonly string[]> {
  const death = new AbortController();
  breakExchange(place, one, () => death.abort());
  const ended = await place.start({}, death.signal);
  if (ended.signal !== "SIGKILL" && ended.code !== 0) return [`was not killed, but failed: ${ended.output}`];
  const failed = errorsOf(await place.sync());
  await settle(place);
  return failed;
}

async function playRace(place: Place, one: Case): Promise<readonly string[]> {
  if (one.site !== "") breakExchange(place, one);
  const ended = await Promise.all([place.start({}), place.start({})]);
  await settle(place);
  const failed = ended.filter(({ code, output }) => code !== 0 && !/^(STATE_CONFLICT|BUSY)/m.test(output));
  return [
    ...failed.map(({ code, output }) => `ended with ${code}: ${output}`),
    ...errorsOf(await place.sync()),
  ];
}

const errorsOf = ({ items }: SyncResult): readonly string[] =>
  items.flatMap((item) => {
    const error = itemError(item);
    return error === undefined ? [] : [`${item.stream}: ${error.code} ${error.message}`];
  });
