/**
 * Breaks deliveries of a share at every place where one can break, and compares what the next delivery leaves with what
 * an unbroken one leaves: the process is killed at each await, the connection to Postgres cut at each message.
 *
 * `node test/torture/share-matrix.ts [--kills N] [--cuts N] [--only TEXT] [--passings] [--workers N] [--seed S]`
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { isWhole, type ShareMode, type ShareOutcome } from "../../src/share/share-job.ts";
import { createSeededRandom, type SeededRandom } from "../../src/testing/seeded-random.ts";
import { openCuttingProxy } from "../contract/cutting-proxy.ts";
import { startPostgres } from "../services/postgres.ts";
import type { Passing } from "./record-moments.ts";
import { brokenModes, deliverFrom, type Keep, keeps, landNews } from "./share-delivery.ts";
import { type Target, type TargetKind, targetKindsOf } from "./share-targets.ts";

const childFile = join(import.meta.dirname, "share-child.ts");
const hookFile = join(import.meta.dirname, "kill-hook.ts");

/** How much is broken; `undefined`: everything. */
export type ShareMatrixOptions = Readonly<{
  killsMax: number | undefined;
  cutsMax: number | undefined;
  /** Which deliveries, by their names such as `postgres current full`. */
  isAsked: (name: string) => boolean;
  /** Whether an await that is passed several times is killed at each passing, not at one of them. */
  isEachPassing: boolean;
  /** A full delivery is made after every so many of the broken ones, beside the next one that follows each. */
  fullEvery: number;
  /** Tries at once. Each has a process and a server's process to wait for. */
  workers: number;
  seed: number;
  say: (line: string) => void;
}>;

/** What the matrix found. */
export type ShareMatrixReport = Readonly<{
  /** Awaits, and phases of them (before, while, after), in all deliveries. */
  sites: number;
  phases: number;
  /** Moments at which a process was killed, and the passings of awaits that they stand for. */
  kills: number;
  passings: number;
  /** Deliveries that ended before the moment came. */
  unreached: number;
  cuts: number;
  faults: readonly string[];
}>;

/** Runs the matrix. */
export async function runShareMatrix(options: ShareMatrixOptions): Promise<ShareMatrixReport> {
  const server = await startPostgres();
  const folder = await mkdtemp(join(tmpdir(), "leat-share-matrix-"));
  try {
    return await new Matrix(folder, await server.newDatabase(), options).run();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A delivery that is broken again and again. */
type Broken = Readonly<{
  name: string;
  kind: TargetKind;
  keep: Keep;
  mode: ShareMode;
  begin: (at: string) => Promise<Target>;
  /** What an unbroken one leaves. */
  expected: unknown;
}>;

class Matrix {
  readonly #folder: string;
  readonly #before: string;
  readonly #after: string;
  readonly #kinds: readonly TargetKind[];
  readonly #options: ShareMatrixOptions;
  readonly #random: SeededRandom;
  readonly #faults: string[] = [];
  readonly #sites = new Set<string>();
  readonly #counts = { phases: 0, kills: 0, passings: 0, unreached: 0, cuts: 0 };
  #tries = 0;
  #compared = 0;

  constructor(folder: string, postgres: string, options: ShareMatrixOptions) {
    this.#folder = folder;
    this.#before = join(folder, "before");
    this.#after = join(folder, "after");
    this.#kinds = targetKindsOf(folder, postgres);
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
  }

  async run(): Promise<ShareMatrixReport> {
    await landNews(this.#before, this.#after);
    for (const kind of this.#kinds)
      for (const keep of keeps) {
        const name = `${kind.name} ${keep}`;
        const modes = brokenModes.filter((mode) => this.#options.isAsked(`${name} ${mode}`));
        if (modes.length === 0) continue;
        const begin = await kind.prepare(`prepared_${keep}`, async (address) => {
          await this.#mustDeliver(address, keep, "deliver", this.#before);
        });
        for (const mode of modes) {
          const unbroken = { name: `${name} ${mode}`, kind, keep, mode, begin };
          const expected = await this.#onCopy(unbroken, (at) => this.#stateAfter(at, keep, mode));
          await this.#killAll({ ...unbroken, expected });
          if (kind.server !== undefined) await this.#cutAll({ ...unbroken, expected }, kind.server);
        }
      }
    return { sites: this.#sites.size, ...this.#counts, faults: this.#faults };
  }

  async #killAll(broken: Broken): Promise<void> {
    const { name, keep, mode } = broken;
    const moments = await this.#recordMoments(broken);
    const phases = new Set(moments.flat().map(phaseOf));
    for (const phase of phases) this.#sites.add(phase.split("|")[0]!);
    this.#counts.phases += phases.size;
    const kills = this.#chooseMoments(moments).slice(0, this.#options.killsMax);
    this.#options.say(
      `${name}: ${kills.length} kills; ${phases.size} phases of awaits are passed ${moments.flat().length} times in ${moments.length} moments`,
    );
    await this.#each(kills, async (moment) => {
      const [kill = ""] = moment;
      await this.#onCopy(broken, async (address) => {
        const isKilled = await this.#runChild(address, keep, mode, { LEAT_KILL: kill });
        if (!isKilled) this.#counts.unreached += 1;
        await this.#compare(`${name} killed at ${kill}`, address, broken);
      });
      this.#counts.kills += 1;
      this.#counts.passings += moment.length;
    });
  }

  async #cutAll(broken: Broken, server: string): Promise<void> {
    const { name, keep, mode, expected } = broken;
    const proxies = await Promise.all(
      Array.from({ length: this.#options.workers }, () => openCuttingProxy(server)),
    );
    const through = (address: string, proxy: (typeof proxies)[number]): string => {
      const to = new URL(address);
      to.port = new URL(proxy.url).port;
      return to.href;
    };
    try {
      const [proxy] = proxies;
      proxy!.arm(undefined);
      await this.#onCopy(broken, (address) => this.#mustDeliver(through(address, proxy!), keep, mode));
      const messages = proxy!.count();
      const all = Array.from({ length: messages }, (_, at) => at + 1);
      const chosen = this.#shuffle(all).slice(0, this.#options.cutsMax);
      this.#options.say(`${name}: ${chosen.length} of ${messages} messages`);
      await this.#each(chosen, async (cutAt, worker) => {
        const mine = proxies[worker]!;
        await this.#onCopy(broken, async (address) => {
          mine.arm(cutAt);
          const outcome = await deliverFrom(this.#after, through(address, mine), keep, mode);
          mine.arm(undefined);
          const error = outcome.error ?? outcome.tables[0]?.error;
          if (error !== undefined && error.code !== "WAREHOUSE_UNREACHABLE")
            this.#fault(`${name} cut at ${cutAt}: told ${error.code}: ${error.message}`);
          if (error === undefined && !isDeepStrictEqual(stateOf(outcome), expected))
            this.#fault(`${name} cut at ${cutAt}: told of ${JSON.stringify(stateOf(outcome))}`);
          await this.#compare(`${name} cut at ${cutAt}`, address, broken);
        });
        this.#counts.cuts += 1;
      });
    } finally {
      for (const proxy of proxies) await proxy.close();
    }
  }

  /** Does `act` for all, so many at once as there are workers. */
  async #each<One>(all: readonly One[], act: (one: One, worker: number) => Promise<void>): Promise<void> {
    const left = [...all].reverse();
    const work = async (worker: number): Promise<void> => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) await act(one, worker);
    };
    await Promise.all(Array.from({ length: this.#options.workers }, (_, worker) => work(worker)));
  }

  async #onCopy<Result>(
    { begin }: Pick<Broken, "begin">,
    act: (address: string) => Promise<Result>,
  ): Promise<Result> {
    this.#tries += 1;
    const target = await begin(`try_${this.#tries}`);
    try {
      return await act(target.address);
    } finally {
      await target.drop();
    }
  }

  async #mustDeliver(address: string, keep: Keep, mode: ShareMode, from = this.#after): Promise<ShareOutcome> {
    const outcome = await deliverFrom(from, address, keep, mode);
    if (!isWhole(outcome)) throw outcome.error ?? outcome.tables[0]?.error;
    return outcome;
  }

  /** Everything that a customer could see, by the receipts and counted once more. */
  async #stateAfter(address: string, keep: Keep, mode: ShareMode): Promise<unknown> {
    const told = stateOf(await this.#mustDeliver(address, keep, mode));
    const counted = stateOf(await this.#mustDeliver(address, keep, "verify"));
    return isDeepStrictEqual(told, counted) ? told : { told, counted };
  }

  async #compare(name: string, address: string, { keep, expected }: Broken): Promise<void> {
    const isFullToo = this.#compared++ % this.#options.fullEvery === 0;
    try {
      const next = await this.#stateAfter(address, keep, "deliver");
      if (!isDeepStrictEqual(next, expected))
        this.#fault(
          `${name}: the next delivery left ${JSON.stringify(next)}, not ${JSON.stringify(expected)}`,
        );
      if (!isFullToo) return;
      const full = await this.#stateAfter(address, keep, "full");
      if (!isDeepStrictEqual(full, expected))
        this.#fault(`${name}: a full one then left ${JSON.stringify(full)}`);
    } catch (error) {
      this.#fault(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #fault(fault: string): void {
    this.#faults.push(fault);
    this.#options.say(`FAULT ${fault}`);
  }

  /** In an order of the seed's: first such that each phase of each await is in one of them, then, when asked, the others. */
  #chooseMoments(moments: readonly (readonly Passing[])[]): readonly (readonly Passing[])[] {
    const covered = new Set<string>();
    const [firsts, others]: [(readonly Passing[])[], (readonly Passing[])[]] = [[], []];
    for (const moment of this.#shuffle(moments)) {
      const phases = moment.map(phaseOf);
      (phases.every((phase) => covered.has(phase)) ? others : firsts).push(moment);
      for (const phase of phases) covered.add(phase);
    }
    return this.#options.isEachPassing ? [...firsts, ...others] : firsts;
  }

  #shuffle<T>(from: readonly T[]): readonly T[] {
    const left = [...from];
    return from.map(() => left.splice(this.#random.below(left.length), 1)[0]!);
  }

  /** What an unbroken delivery passes of leat's stages. */
  async #recordMoments(broken: Broken): Promise<readonly (readonly Passing[])[]> {
    const path = join(this.#folder, "moments.json");
    await this.#onCopy(broken, (address) =>
      this.#runChild(address, broken.keep, broken.mode, { LEAT_MOMENTS: path }),
    );
    return JSON.parse(await readFile(path, "utf8")) as Passing[][]; // Written by record-moments.ts.
  }

  /** Whether the process was killed. */
  async #runChild(
    address: string,
    keep: Keep,
    mode: ShareMode,
    environment: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    const child = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        "--import",
        hookFile,
        childFile,
        this.#after,
        address,
        keep,
        mode,
      ],
      {
        env: { ...process.env, NODE_COMPILE_CACHE: join(this.#folder, "compiled"), ...environment },
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    const { promise, resolve } = Promise.withResolvers<boolean>();
    child.on("close", (_code, signal) => resolve(signal === "SIGKILL"));
    return await promise;
  }
}

const phaseOf = (passing: Passing): string => passing.slice(0, passing.lastIndexOf("|"));

/** What stands in the target's ledger, and the receipts. */
function stateOf({ tables }: ShareOutcome): unknown {
  return tables.map(({ seq, receipts }) => ({
    seq,
    receipts: receipts.map(({ rows, checksum }) => [rows, checksum]),
  }));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      cuts: { type: "string" },
      kills: { type: "string" },
      only: { type: "string", default: "" },
      passings: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      workers: { type: "string", default: "2" },
    },
  });
  const most = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const report = await runShareMatrix({
    cutsMax: most(values.cuts),
    fullEvery: 8,
    isAsked: (name) => name.includes(values.only),
    isEachPassing: values.passings,
    killsMax: most(values.kills),
    seed: Number(values.seed),
    say: (line) => console.log(line),
    workers: Number(values.workers),
  });
  console.log(JSON.stringify(report, undefined, 2));
  process.exit(report.faults.length === 0 ? 0 : 1);
}
