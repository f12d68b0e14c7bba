/**
 * A server under everything at once: readers that take nothing, clients that leave in the middle of exports, requests of
 * every kind, and a file that changes all the while. Each version's figures are its number, so that an answer of two
 * versions shows itself.
 */
import { rename, writeFile } from "node:fs/promises";
import { Agent, get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { createSeededRandom, type SeededRandom } from "../../src/testing/seeded-random.ts";
import { type ServedProcess, startServe } from "../browser/open-served-deaths.ts";
import { openSlowReader } from "./open-test-host.ts";

export type TortureOptions = Readonly<{
  seed: number;
  seconds: number;
  areas: number;
  slowReaders: number;
  /** Clients that ask one question after another, and such that leave before their answer's end. */
  askers: number;
  leavers: number;
  swapEveryMs: number;
  say?: (line: string) => void;
}>;

export type TortureReport = Readonly<{ faults: readonly string[]; told: readonly string[] }>;

const mebibyte = 2 ** 20;
/** Memory that slow readers and queries may take beside what was there before, bytes. */
const growthMax = 700 * mebibyte;
/**
 * Memory that the last quarter of the time may take more than the third, all readers being there in both: a leak grows,
 * while fragments and buffers that are kept for the next reach their level (measured: 580 MiB after 60 s and after 240).
 */
const steadyGrowthMax = 100 * mebibyte;
/** Faults that are told; of more the first say enough. */
const faultsMax = 50;

const fileName = "deaths.csv";

/** All figures of a version are its number. */
function csvOf(areas: number, version: number): string {
  const lines = ["geo_code,year,month,version"];
  for (let area = 1; area <= areas; area++)
    for (let month = 1; month <= 12; month++)
      lines.push(`E${String(area).padStart(8, "0")},2018,${month},${version}`);
  return `${lines.join("\n")}\n`;
}

export async function tortureServe(options: TortureOptions): Promise<TortureReport> {
  const { areas, seconds } = options;
  await using served = await startServe({ name: fileName, text: csvOf(areas, 1) }, [
    "--no-access-log",
    "--refresh",
    "1",
  ]);
  const attack = new Attack(served, options);
  await attack.warmUp();
  const before = await attack.residentBytes();
  const stop = AbortSignal.timeout(seconds * 1000);
  const readers: Socket[] = [];
  const residents: number[] = [];
  const watching = (async () => {
    for (let looks = 0; !stop.aborted; looks++) {
      const resident = await attack.residentBytes();
      residents.push(resident);
      if (looks % 20 === 0) options.say?.(`${toMib(resident)} resident, ${attack.answers} answers`);
      await sleep(500);
    }
  })();
  await Promise.all([
    watching,
    attack.openSlowReaders(stop, readers),
    attack.swap(stop),
    ...Array.from({ length: options.askers }, (_, at) => attack.ask(stop, at)),
    ...Array.from({ length: options.leavers }, (_, at) => attack.leave(stop, at)),
  ]);
  for (const socket of readers) socket.destroy();
  await attack.settle();
  const after = await attack.residentBytes();
  const most = Math.max(before, ...residents);
  if (most - before > growthMax) attack.fault(`memory grew by ${toMib(most - before)}`);
  const quarter = Math.floor(residents.length / 4);
  const [third, last] = [residents.slice(-2 * quarter, -quarter), residents.slice(-quarter)];
  const growth = quarter === 0 ? 0 : Math.max(...last) - Math.max(...third);
  if (growth > steadyGrowthMax)
    attack.fault(`memory grew by ${toMib(growth)} in the last quarter of the time`);
  const told = [
    `${readers.length} slow readers`,
    `${attack.answers} answers, ${attack.left} left in the middle, ${attack.swaps} versions taken`,
    `memory ${toMib(before)} before, ${toMib(most)} at most, ${toMib(after)} after, ${toMib(growth)} more in the last quarter than in the third`,
  ];
  return { faults: attack.faults, told };
}

const toMib = (bytes: number): string => `${Math.round(bytes / mebibyte)} MiB`;

type Answer = Readonly<{ status: number; headers: IncomingMessage["headers"]; text: string }>;

class Attack {
  readonly #served: ServedProcess;
  readonly #options: TortureOptions;
  readonly #agent = new Agent({ keepAlive: true });
  /** Figure of each version, by its beginning in headers. */
  readonly #figures = new Map<string, string>();
  readonly faults: string[] = [];
  answers = 0;
  left = 0;
  swaps = 0;

  constructor(served: ServedProcess, options: TortureOptions) {
    this.#served = served;
    this.#options = options;
  }

  fault(what: string): void {
    if (this.faults.length < faultsMax) this.faults.push(what);
  }

  /** Draws of one client, so that none depends on how fast the others are. */
  #random(client: number): SeededRandom {
    return createSeededRandom(this.#options.seed * 1000 + client);
  }

  /** Until everything that is made once was made. */
  async warmUp(): Promise<void> {
    await this.#get("/datasets/deaths/rows?sort=-month");
    for (let tries = 0; tries < 240; tries++) {
      if ((await this.#get("/datasets/deaths/export.csv")).headers["content-length"] !== undefined) return;
      await sleep(250);
    }
    this.fault("the export never became a file");
  }

  /** One after another over the first half of the time: each costs the system some megabytes on this machine. */
  async openSlowReaders(stop: AbortSignal, opened: Socket[]): Promise<void> {
    const { port } = new URL(this.#served.url);
    const { slowReaders, seconds } = this.#options;
    while (opened.length < slowReaders && !stop.aborted) {
      opened.push(await openSlowReader(Number(port), "/datasets/deaths/export.csv"));
      await sleep((seconds * 500) / slowReaders);
    }
  }

  /** Publishes another version from time to time. */
  async swap(stop: AbortSignal): Promise<void> {
    const path = join(this.#served.folder, fileName);
    for (let version = 2; !stop.aborted; version++) {
      await sleep(this.#options.swapEveryMs, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      await writeFile(`${path}.new`, csvOf(this.#options.areas, version));
      await rename(`${path}.new`, path);
      this.#options.say?.(`version ${version} is written`);
    }
  }

  /** Asks one question after another; every answer must be right, and of one version. */
  async ask(stop: AbortSignal, number: number): Promise<void> {
    const random = this.#random(number);
    while (!stop.aborted) {
      const area = `E${String(1 + random.below(this.#options.areas)).padStart(8, "0")}`;
      const paths = [
        `/datasets/deaths/rows?geo_code=${area}`,
        `/datasets/deaths/rows?sort=-month,geo_code&limit=50`,
        `/datasets/deaths/facets?columns=version&month=${1 + random.below(12)}`,
        `/datasets/deaths/aggregate?by=version&values=count,sum(version)`,
        `/datasets/deaths/rows.csv?limit=500`,
        `/datasets/deaths/export.csv?geo_code=${area}`,
        `/datasets/deaths`,
      ];
      const path = paths[random.below(paths.length)]!;
      try {
        this.#check(path, await this.#get(path));
      } catch (error) {
        this.fault(`${path}: ${String(error)}`);
      }
    }
  }

  #check(path: string, { status, headers, text }: Answer): void {
    this.answers++;
    if (status === 503 && headers["retry-after"] !== undefined) return; // Too much at once: said as it should be.
    if (status !== 200) {
      this.fault(`${path}: ${status} ${text.slice(0, 200)}`);
      return;
    }
    if (path === "/datasets/deaths") return;
    const found = new Set(text.match(figurePattern(path))?.map((match) => /\d+$/.exec(match)![0]));
    if (found.size !== 1) {
      this.fault(`${path}: figures of the versions ${[...found].join(", ")} in one answer`);
      return;
    }
    const [figure] = found;
    const version = String(headers["leat-version"]);
    const known = this.#figures.get(version);
    if (known === undefined) {
      this.#figures.set(version, figure!);
      this.swaps = this.#figures.size - 1;
    } else if (known !== figure) this.fault(`${path}: version ${version} had ${known} and has ${figure}`);
  }

  /** Begins to read an export and goes. */
  async leave(stop: AbortSignal, number: number): Promise<void> {
    const random = this.#random(500 + number);
    const paths = ["export.csv", "export.ndjson?month=3", "export.json?sort=-geo_code", "export.parquet"];
    while (!stop.aborted) {
      const path = `/datasets/deaths/${paths[random.below(paths.length)]}`;
      await new Promise<void>((resolve) => {
        const request = get(this.#served.url + path, { agent: false }, (response) => {
          response.once("data", () => {
            this.left++;
            request.destroy();
          });
          response.on("error", () => {});
          response.once("close", resolve);
        });
        request.on("error", () => resolve());
      });
      await sleep(random.below(20));
    }
  }

  #get(path: string): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    get(this.#served.url + path, { agent: this.#agent }, (response) => {
      textOf(response).then(
        (text) => resolve({ status: response.statusCode!, headers: response.headers, text }),
        reject,
      );
    }).on("error", reject);
    return promise;
  }

  async #metric(name: string): Promise<number> {
    const { text } = await this.#get("/metrics");
    return Number(new RegExp(`^${name}\\S* (\\S+)`, "m").exec(text)?.[1] ?? Number.NaN);
  }

  residentBytes(): Promise<number> {
    return this.#metric("process_memory_usage");
  }

  /** Until everybody who left is gone for the server as well. */
  async settle(): Promise<void> {
    for (let tries = 0; tries < 120; tries++) {
      if ((await this.#metric("http_server_active_requests")) <= 1) return;
      await sleep(250);
    }
    this.fault(`${await this.#metric("http_server_active_requests")} requests never ended`);
  }
}

/** Where the figure stands in an answer, at the end of what is found. */
function figurePattern(path: string): RegExp {
  if (path.includes(".csv")) return /^E\d+,2018,\d+,\d+/gm;
  return path.includes("/facets") ? /"value":\d+/g : /"version":\d+/g;
}
