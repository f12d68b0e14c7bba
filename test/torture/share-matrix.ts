/**
 * Breaks deliveries of a share at every place where one can break, and compares what the next delivery leaves with what
 * an unbroken one leaves: the process is killed, the connection to Postgres cut at each message. Moments to kill are
 * chosen so that each await lies in one before, during and after it: of its many passings one. With `--passings` each
 * moment is killed. A moment is all that is passed while nothing happens outside of the process (record-moments.ts).
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
import { type Slot, type TargetKind, targetKindsOf } from "./share-targets.ts";

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
  /** After every so many of the broken ones the next delivery follows at once, and a full one. */
  nextEvery: number;
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
  /** One a worker. */
  slots: readonly Slot[];
  /** What an unbroken one leaves. */
  expected: unknown;
  /** Prints of what was left, from which the next delivery has made what an unbroken one leaves. */
  mended: Set<string>;
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
  #looks = 0;

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
        const openSlot = await kind.prepare(`prepared_${keep}`, async (address) => {
          await this.#mustDeliver(address, keep, "deliver", this.#before);
        });
        const slots = await Promise.all(
          Array.from({ length: this.#options.workers }, (_, worker) => openSlot(`slot_${keep}_${worker}`)),
        );
        for (const mode of modes) {
          const [slot] = slots;
          await slot!.reset();
          const expected = await this.#stateAfter(slot!.address, keep, mode);
          const broken = {
            name: `${name} ${mode}`,
            kind,
            keep,
            mode,
            slots,
            expected,
            mended: new Set<string>(),
          };
          await this.#killAll(broken);
          if (kind.server !== undefined) await this.#cutAll(broken, kind.server);
          this.#options.say(
            `${broken.name}: ${broken.mended.size} states were left, ${this.#faults.length} faults so far`,
          );
        }
        for (const slot of slots) await slot.close();
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
    await this.#each(broken, kills, async (moment, slot) => {
      const [kill = ""] = moment;
      const isKilled = await this.#runChild(slot.address, keep, mode, { LEAT_KILL: kill });
      if (!isKilled) this.#counts.unreached += 1;
      this.#counts.kills += 1;
      this.#counts.passings += moment.length;
      return `${name} killed at ${kill}`;
    });
  }

  async #cutAll(broken: Broken, server: string): Promise<void> {
    const { name, keep, mode, expected, slots } = broken;
    const proxies = await Promise.all(slots.map(() => openCuttingProxy(server)));
    const through = (address: string, proxy: (typeof proxies)[number]): string => {
      const to = new URL(address);
      to.port = new URL(proxy.url).port;
      return to.href;
    };
    try {
      await slots[0]!.reset();
      proxies[0]!.arm(undefined);
      await this.#mustDeliver(through(slots[0]!.address, proxies[0]!), keep, mode);
      const messages = proxies[0]!.count();
      const all = Array.from({ length: messages }, (_, at) => at + 1);
      const chosen = this.#shuffle(all).slice(0, this.#options.cutsMax);
      this.#options.say(`${name}: ${chosen.length} of ${messages} messages`);
      await this.#each(broken, chosen, async (cutAt, slot) => {
        const proxy = proxies[slots.indexOf(slot)]!;
        proxy.arm(cutAt);
        const outcome = await deliverFrom(this.#after, through(slot.address, proxy), keep, mode);
        proxy.arm(undefined);
        this.#counts.cuts += 1;
        const error = outcome.error ?? outcome.tables[0]?.error;
        if (error !== undefined && error.code !== "WAREHOUSE_UNREACHABLE")
          this.#fault(`${name} cut at ${cutAt}: told ${error.code}: ${error.message}`);
        if (error === undefined && !isDeepStrictEqual(stateOf(outcome), expected))
          this.#fault(`${name} cut at ${cutAt}: told of ${JSON.stringify(stateOf(outcome))}`);
        return `${name} cut at ${cutAt}`;
      });
    } finally {
      for (const proxy of proxies) await proxy.close();
    }
  }

  /** Breaks once for each of all, so many at once as there are workers, and looks at what each has left. */
  async #each<One>(
    broken: Broken,
    all: readonly One[],
    act: (one: One, slot: Slot) => Promise<string>,
  ): Promise<void> {
    const left = [...all].reverse();
    const work = async (slot: Slot): Promise<void> => {
      await slot.reset();
      const prepared = await slot.print();
      for (let one = left.pop(); one !== undefined; one = left.pop()) {
        const name = await act(one, slot);
        const done = all.length - left.length;
        if (done % 50 === 0)
          this.#options.say(`${broken.name}: ${done} of ${all.length}, ${this.#faults.length} faults so far`);
        try {
          if (await this.#isAsPrepared(name, slot, prepared, broken)) continue;
        } catch (error) {
          this.#fault(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        }
        await slot.reset();
      }
    };
    await Promise.all(broken.slots.map(work));
  }

  /**
   * Looks at what was left. The next delivery makes the same of the same: it follows where nothing like it was left
   * before, and, at once and without a look, every so often; then a full one as well.
   *
   * @returns whether nothing has changed.
   */
  async #isAsPrepared(name: string, slot: Slot, prepared: string, broken: Broken): Promise<boolean> {
    const isAtOnce = this.#looks++ % this.#options.nextEvery === 0;
    const print = isAtOnce ? undefined : await slot.print();
    if (print !== undefined && broken.mended.has(print)) return print === prepared;
    const { keep, expected } = broken;
    const next = await this.#stateAfter(slot.address, keep, "deliver");
    const isMended = isDeepStrictEqual(next, expected);
    if (!isMended)
      this.#fault(`${name}: the next delivery left ${JSON.stringify(next)}, not ${JSON.stringify(expected)}`);
    else if (print !== undefined) broken.mended.add(print);
    if (isAtOnce) {
      const full = await this.#stateAfter(slot.address, keep, "full");
      if (!isDeepStrictEqual(full, expected))
        this.#fault(`${name}: a full one then left ${JSON.stringify(full)}`);
    }
    return false;
  }

  async #mustDeliver(
    address: string,
    keep: Keep,
    mode: ShareMode,
    from = this.#after,
  ): Promise<ShareOutcome> {
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
    const [slot] = broken.slots;
    await slot!.reset();
    await this.#runChild(slot!.address, broken.keep, broken.mode, { LEAT_MOMENTS: path });
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
    nextEvery: 8,
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
