/**
 * Syncs of the shop into gs:// and BigQuery that break at every place where they can: each HTTP exchange with either
 * service is cut before or after it took effect, takes effect twice or late; the process is killed at each await of its
 * stages; two processes sync at the same moment. Afterwards every row is there once.
 *
 * `node test/torture/google-matrix.ts [--faults N] [--kills N] [--races N] [--seed S]`: all of them, or so many drawn.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { LeatError } from "../../src/errors/leat-error.ts";
import { itemError, type SyncResult } from "../../src/sync/sync-job.ts";
import { type BigQueryServer, startBigQuery } from "../fakes/bigquery/bigquery-server.ts";
import { type FakeGcs, startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { checkGoogleShop } from "./check-shop.ts";
import { draw, runProcess } from "./kill-matrix.ts";
import { type GoogleShop, openGoogleShop } from "./open-google-shop.ts";
import { openShop, type Shop } from "./shop.ts";
import { syncShop } from "./sync-shop.ts";

/** `first`: into an empty place. `change`: a synced place, then news at the shop. */
type Scenario = "first" | "change";

const services = ["storage", "warehouse"] as const;
const exchangeFaults = ["before", "after", "twice", "late"] as const;

/** What breaks: `site` and `phase` are an await and its side, or a service's exchange and its fault. */
type Case = Readonly<{ scenario: Scenario; site: string; phase: string; nth: number }>;

/** How much is played; `undefined`: all. */
export type GoogleMatrixOptions = Readonly<{
  scenarios: readonly Scenario[];
  faultsMax: number | undefined;
  killsMax: number | undefined;
  races: number;
  seed: number;
  say: (line: string) => void;
}>;

export type GoogleMatrixReport = Readonly<{
  /** Exchanges of one sync with each service, and awaits that one passes. */
  exchanges: Readonly<Record<(typeof services)[number], number>>;
  sites: number;
  /** What was played. */
  faults: number;
  kills: number;
  races: number;
  wrong: readonly string[];
}>;

/** Places are thrown away with their servers after so many: the engine of one of them takes longer with each. */
const placesMax = 50;

export async function runGoogleMatrix(options: GoogleMatrixOptions): Promise<GoogleMatrixReport> {
  const folder = await mkdtemp(join(tmpdir(), "leat-google-"));
  const world = new GoogleWorld(folder);
  try {
    return await playMatrix(world, folder, options);
  } finally {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function playMatrix(
  world: GoogleWorld,
  folder: string,
  { scenarios, faultsMax, killsMax, races, seed, say }: GoogleMatrixOptions,
): Promise<GoogleMatrixReport> {
  const exchanges = { storage: 0, warehouse: 0 };
  const [allFaults, allKills]: [Case[], Case[]] = [[], []];
  for (const scenario of scenarios) {
    const counts = await countExchanges(world, scenario);
    for (const service of services) {
      exchanges[service] = Math.max(exchanges[service], counts[service]);
      for (let nth = 1; nth <= counts[service]; nth += 1)
        for (const phase of exchangeFaults) allFaults.push({ scenario, site: service, phase, nth });
    }
    if (killsMax !== 0) allKills.push(...(await recordAwaits(world, folder, scenario)));
  }
  const faults = faultsMax === undefined ? allFaults : draw(allFaults, faultsMax, seed);
  const kills = killsMax === undefined ? allKills : draw(allKills, killsMax, seed);
  const sites = new Set(allKills.map(({ site }) => site)).size;
  say(`${faults.length} of ${allFaults.length} faults, ${kills.length} of ${allKills.length} kills`);
  const wrong: string[] = [];
  const play = async (name: string, run: () => Promise<readonly string[]>): Promise<void> => {
    const found = await run().catch((error: unknown) => [
      String(error instanceof Error ? error.stack : error),
    ]);
    for (const one of found) {
      wrong.push(`${name}: ${one}`);
      say(wrong.at(-1)!);
    }
  };
  const tell = (done: number, of: number, what: string): void => {
    if (done % 100 === 0) say(`${done} of ${of} ${what}, ${wrong.length} wrong`);
  };
  for (const [at, one] of faults.entries()) {
    await play(`${one.scenario}, ${one.phase} exchange ${one.nth} with the ${one.site}`, () =>
      playFault(world, one),
    );
    tell(at + 1, faults.length, "faults");
  }
  for (const [at, one] of kills.entries()) {
    await play(`${one.scenario}, killed ${one.phase} ${one.site}, passing ${one.nth}`, () =>
      playKill(world, one),
    );
    tell(at + 1, kills.length, "kills");
  }
  for (let race = 1; race <= races; race += 1) {
    await play(`race ${race}`, () => playRace(world, scenarios[race % scenarios.length]!));
    tell(race, races, "races");
  }
  return { exchanges, sites, faults: faults.length, kills: kills.length, races, wrong };
}

/** Stand-ins of both services, and places in them. */
class GoogleWorld {
  readonly #folder: string;
  #storage: FakeGcs | undefined;
  #warehouse: BigQueryServer | undefined;
  #places = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get storage(): FakeGcs {
    return this.#storage!; // Opened with the first place.
  }

  get warehouse(): BigQueryServer {
    return this.#warehouse!; // Likewise.
  }

  /** A shop and a place as the scenario has them before what breaks. */
  async open(scenario: Scenario): Promise<GoogleCase> {
    if (this.#places % placesMax === 0) {
      await this.close();
      const storage = await startFakeGcs();
      this.#storage = storage;
      this.#warehouse = await startBigQuery({
        readObject: async (bucket, key) => storage.buckets.read(bucket, key),
      });
    }
    this.#places += 1;
    const [bucket, project] = [`bucket-${this.#places}`, `project-${this.#places}`];
    this.storage.buckets.make(bucket);
    await this.warehouse.addDataset(project, "warehouse");
    const google = { storageUrl: this.storage.url, bucket, warehouseUrl: this.warehouse.url, project };
    const shop = await openShop();
    const sync = () => syncShop(this.#folder, shop.url, { google });
    if (scenario === "change") {
      await sync();
      shop.change();
    }
    return {
      shop,
      google,
      sync,
      start: (environment) =>
        runProcess({ folder: this.#folder, url: shop.url, compiledIn: this.#folder, environment, google }),
    };
  }

  async close(): Promise<void> {
    await this.#storage?.close();
    await this.#warehouse?.close();
  }
}

type GoogleCase = Readonly<{
  shop: Shop;
  google: GoogleShop;
  /** Syncs in this process. */
  sync: () => Promise<SyncResult>;
  /** Syncs in one of its own. */
  start: (environment: Record<string, string>) => ReturnType<typeof runProcess>;
}>;

async function countExchanges(world: GoogleWorld, scenario: Scenario) {
  const one = await world.open(scenario);
  try {
    world.storage.clearLog();
    const before = world.warehouse.exchanges.length;
    const failed = errorsOf(await one.sync());
    const wrong = [...failed, ...(await check(one))];
    if (wrong.length > 0) throw new Error(`a sync that nothing happens to: ${wrong.join("; ")}`);
    return { storage: world.storage.log.length, warehouse: world.warehouse.exchanges.length - before };
  } finally {
    await one.shop.close();
  }
}

/** One fault of one exchange is nothing that a caller hears of: requests are sent again. */
async function playFault(
  world: GoogleWorld,
  { scenario, site, phase, nth }: Case,
): Promise<readonly string[]> {
  const fault = exchangeFaults.find((one) => one === phase)!;
  const one = await world.open(scenario);
  try {
    world.storage.clearLog();
    const before = world.warehouse.exchanges.length;
    if (site === "storage") world.storage.plan(({ number }) => (number === nth ? fault : undefined));
    else world.warehouse.setFaults(({ number }) => (number - before === nth - 1 ? fault : undefined));
    const failed = errorsOf(await one.sync());
    world.storage.plan(undefined);
    world.warehouse.setFaults(undefined);
    world.storage.settle();
    await world.warehouse.jobs.settle();
    return [...failed, ...(await check(one))];
  } finally {
    await one.shop.close();
  }
}

/** Every await of the stages that a sync passes, before, during and after it: the first, middle and last passing. */
async function recordAwaits(
  world: GoogleWorld,
  folder: string,
  scenario: Scenario,
): Promise<readonly Case[]> {
  const one = await world.open(scenario);
  try {
    const path = join(folder, `sites-${scenario}.json`);
    const ended = await one.start({ LEAT_SITES: path });
    if (ended.code !== 0) throw new Error(`the recorded run failed: ${ended.output}`);
    const passed = JSON.parse(await readFile(path, "utf8")) as [string, number][]; // Written by kill-hook.ts.
    return passed.flatMap(([key, count]) => {
      const [site = "", phase = ""] = key.split("|");
      const turns = new Set([1, Math.ceil(count / 2), count]);
      return [...turns].map((nth) => ({ scenario, site, phase, nth }));
    });
  } finally {
    await one.shop.close();
  }
}

async function playKill(
  world: GoogleWorld,
  { scenario, site, phase, nth }: Case,
): Promise<readonly string[]> {
  const one = await world.open(scenario);
  try {
    const ended = await one.start({ LEAT_KILL: `${site}|${phase}|${nth}` });
    // How often a loop is passed may differ from run to run; what was not reached was a sync like others.
    if (ended.signal !== "SIGKILL" && ended.code !== 0)
      return [`was not killed, but failed: ${ended.output}`];
    return [...errorsOf(await one.sync()), ...(await check(one))];
  } finally {
    await one.shop.close();
  }
}

async function playRace(world: GoogleWorld, scenario: Scenario): Promise<readonly string[]> {
  const one = await world.open(scenario);
  try {
    const ended = await Promise.all([one.start({}), one.start({})]);
    const failed = ended.filter(({ code, output }) => code !== 0 && !/^(STATE_CONFLICT|BUSY)/m.test(output));
    return [
      ...failed.map(({ code, output }) => `ended with ${code}: ${output}`),
      ...errorsOf(await one.sync()),
      ...(await check(one)),
    ];
  } finally {
    await one.shop.close();
  }
}

const errorsOf = ({ items }: SyncResult): readonly string[] =>
  items.flatMap((item) => {
    const error: LeatError | undefined = itemError(item);
    return error === undefined ? [] : [`${item.stream}: ${error.code} ${error.message}`];
  });

async function check({ google, shop }: GoogleCase): Promise<readonly string[]> {
  const { warehouse } = await openGoogleShop(google);
  // Where a table is missing, what the sync has said of it is to be read as well.
  return await checkGoogleShop(warehouse, shop).catch((error: unknown) => [String(error)]);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      faults: { type: "string" },
      kills: { type: "string" },
      races: { type: "string", default: "50" },
      seed: { type: "string", default: "1" },
    },
  });
  const most = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : Number(text);
  const report = await runGoogleMatrix({
    scenarios: ["first", "change"],
    faultsMax: most(values.faults),
    killsMax: most(values.kills),
    races: Number(values.races),
    seed: Number(values.seed),
    say: (line) => console.log(line),
  });
  console.log(JSON.stringify(report, undefined, 2));
  process.exit(report.wrong.length === 0 ? 0 : 1);
}
