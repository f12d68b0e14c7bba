/**
 * Breaks loads into Postgres at every place where one can break, and compares what the next load leaves with what an
 * unbroken one leaves: the connection is cut at each message of either direction, the process killed before, during
 * and after each await of the warehouse when it first passes there.
 *
 * `node test/torture/postgres-matrix.ts [--cuts N] [--kills N] [--seed S]`
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { isLeatError } from "../../src/errors/leat-error.ts";
import type { PackageToLoad } from "../../src/ports/warehouse.ts";
import { landPackage, reopenFrom } from "../../src/testing/landed-package.ts";
import { createSeededRandom } from "../../src/testing/seeded-random.ts";
import { makeStreamSpec, plant } from "../../src/testing/warehouse-under-test.ts";
import { openCuttingProxy } from "../contract/cutting-proxy.ts";
import { openAt, runSql } from "../contract/postgres-place.ts";
import { startPostgres } from "../services/postgres.ts";

const spec = makeStreamSpec({ isMaterialized: true, deletedField: "gone" });
const childFile = join(import.meta.dirname, "../contract/postgres-child.ts");
const hookFile = join(import.meta.dirname, "kill-hook.ts");

/** What the matrix found. */
export type PostgresMatrixReport = Readonly<{
  /** Messages of one load, and awaits of the warehouse that one load passes. */
  messages: number;
  sites: number;
  /** Loads that were broken, and those of them that had taken effect nevertheless. */
  cuts: number;
  kills: number;
  whole: number;
  faults: readonly string[];
}>;

/** How much is broken; `undefined`: everything. */
export type PostgresMatrixOptions = Readonly<{
  cutsMax: number | undefined;
  killsMax: number | undefined;
  seed: number;
  say: (line: string) => void;
}>;

/** The last messages of a load are its commit and the end of its connection: all of them are cut in every run. */
const lastMessages = 8;

/** A load that does everything: changes a type, reads a package again, rejects a record, deletes one. */
async function landBatches(folder: string) {
  const land = (tenant: string, seq: number, records: readonly string[]) =>
    landPackage({ folder, tenant, seq, records });
  const first = [await land("414", 1, [plant(1, "2024-01-01", '"v":1'), plant(2, "2024-01-01", '"v":2')])];
  const second = [
    await land("414", 2, [plant(1, "2024-01-02", '"v":"text"'), '{"id":3,"x":"nul\\u0000"}']),
    await land("41", 1, [plant(2, "2024-01-02", '"gone":true')]),
  ];
  return { first, second };
}

type Batches = Awaited<ReturnType<typeof landBatches>>;

/** Loads one of the two batches. */
async function load(url: string, batches: Batches, batch: readonly PackageToLoad[]): Promise<number> {
  const all = [...batches.first, ...batches.second];
  const { packages } = await openAt(url).load(spec, batch, reopenFrom(all), new AbortController().signal);
  return packages.length;
}

/** What `postgres-child.ts broken` does in a process of its own. */
export async function loadSecond(url: string, folder: string): Promise<void> {
  const batches = await landBatches(folder);
  await load(url, batches, batches.second);
}

function inSchema(url: string, schema: string): string {
  const address = new URL(url);
  address.searchParams.set("schema", schema);
  return address.href;
}

/** Everything that anybody could see. */
async function stateOf(url: string): Promise<unknown> {
  const warehouse = openAt(url);
  const rows = async (sql: string) => (await warehouse.query(sql)).rows;
  return [
    await warehouse.checksums(spec),
    await rows("SELECT * FROM metrc_plants ORDER BY tenant_id, id"),
    await rows("SELECT * FROM metrc_plants_history ORDER BY tenant_id, id, _leat_package"),
    await rows("SELECT tenant, seq, reason FROM _leat_rejects ORDER BY 1, 2"),
    await rows("SELECT tenant, seq, loaded, rejected FROM _leat_loads ORDER BY 1, 2"),
  ];
}

/** Runs the matrix on a server of its own. */
export async function runPostgresMatrix(options: PostgresMatrixOptions): Promise<PostgresMatrixReport> {
  const server = await startPostgres();
  const folder = await mkdtemp(join(tmpdir(), "leat-matrix-"));
  try {
    const url = await server.newDatabase();
    return await new Matrix(url, folder, await landBatches(folder), options).run();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

class Matrix {
  readonly #url: string;
  readonly #folder: string;
  readonly #batches: Batches;
  readonly #options: PostgresMatrixOptions;
  readonly #faults: string[] = [];
  #whole = 0;
  #expected: unknown;

  constructor(url: string, folder: string, batches: Batches, options: PostgresMatrixOptions) {
    this.#url = url;
    this.#folder = folder;
    this.#batches = batches;
    this.#options = options;
  }

  async run(): Promise<PostgresMatrixReport> {
    const { cutsMax, killsMax } = this.#options;
    const proxy = await openCuttingProxy(this.#url);
    try {
      await this.#begin("unbroken");
      proxy.arm(undefined);
      await load(inSchema(proxy.url, "unbroken"), this.#batches, this.#batches.second);
      const messages = proxy.count();
      this.#expected = await stateOf(inSchema(this.#url, "unbroken"));
      const all = Array.from({ length: messages }, (_, at) => at + 1);
      const cuts = [...this.#draw(all.slice(0, -lastMessages), cutsMax), ...all.slice(-lastMessages)];
      const allKills = await this.#recordSites();
      const kills = this.#draw(allKills, killsMax);
      const sites = new Set(allKills.map((kill) => kill.split("|")[0]));
      this.#options.say(
        `${messages} messages, ${sites.size} awaits, ${cuts.length} cuts, ${kills.length} of ${allKills.length} kills`,
      );
      for (const cutAt of cuts)
        await this.#break(`cut_${cutAt}`, async (schema) => {
          proxy.arm(cutAt);
          return await this.#told(inSchema(proxy.url, schema));
        });
      for (const [at, kill] of kills.entries())
        await this.#break(`kill_${at}`, async (schema) => {
          await this.#runChild(schema, { LEAT_KILL: kill });
          return undefined; // A dead process tells nothing.
        });
      return {
        messages,
        sites: sites.size,
        cuts: cuts.length,
        kills: kills.length,
        whole: this.#whole,
        faults: this.#faults,
      };
    } finally {
      await proxy.close();
    }
  }

  #draw<T>(from: readonly T[], most: number | undefined): readonly T[] {
    if (most === undefined) return from;
    const random = createSeededRandom(this.#options.seed);
    const left = [...from];
    return Array.from(
      { length: Math.min(most, left.length) },
      () => left.splice(random.below(left.length), 1)[0]!,
    );
  }

  async #begin(schema: string): Promise<void> {
    await load(inSchema(this.#url, schema), this.#batches, this.#batches.first);
  }

  /** Whether the caller is told that the packages are there; it must be told of nothing else but to come again. */
  async #told(url: string): Promise<boolean> {
    try {
      await load(url, this.#batches, this.#batches.second);
      return true;
    } catch (error) {
      if (!isLeatError(error) || error.code !== "WAREHOUSE_UNREACHABLE" || !error.retryable) throw error;
      return false;
    }
  }

  /** Breaks one load, loads again, compares. `undefined` of `act`: nobody was told anything. */
  async #break(schema: string, act: (schema: string) => Promise<boolean | undefined>): Promise<void> {
    try {
      await this.#begin(schema);
      const told = await act(schema);
      const again = await load(inSchema(this.#url, schema), this.#batches, this.#batches.second);
      const isWhole = again === 0;
      if (isWhole) this.#whole += 1;
      if (told !== undefined && told !== isWhole)
        this.#faults.push(
          `${schema}: the caller was told ${told ? "of a load" : "of none"}, and there was ${isWhole ? "one" : "none"}`,
        );
      if (again !== 0 && again !== this.#batches.second.length)
        this.#faults.push(`${schema}: half a batch was there`);
      if (!isDeepStrictEqual(await stateOf(inSchema(this.#url, schema)), this.#expected))
        this.#faults.push(`${schema}: other rows than an unbroken load leaves`);
      await runSql(this.#url, `DROP SCHEMA ${schema} CASCADE; DROP SCHEMA ${schema}_metrc CASCADE`);
    } catch (error) {
      this.#faults.push(`${schema}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Every await of the warehouse that an unbroken load passes, before, during and after: `site|phase|1`. */
  async #recordSites(): Promise<readonly string[]> {
    await this.#begin("recorded");
    const path = join(this.#folder, "sites.json");
    await this.#runChild("recorded", { LEAT_SITES: path });
    const passed = JSON.parse(await readFile(path, "utf8")) as [string, number][]; // Written by kill-hook.ts.
    return passed.map(([key]) => `${key}|1`).filter((kill) => kill.startsWith("src/warehouses/postgres/"));
  }

  async #runChild(schema: string, environment: Readonly<Record<string, string>>): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        "--import",
        hookFile,
        childFile,
        "broken",
        inSchema(this.#url, schema),
        this.#folder,
      ],
      {
        env: { ...process.env, NODE_COMPILE_CACHE: join(this.#folder, "compiled"), ...environment },
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    child.on("close", () => resolve());
    await promise;
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { cuts: { type: "string" }, kills: { type: "string" }, seed: { type: "string", default: "1" } },
  });
  const most = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const report = await runPostgresMatrix({
    cutsMax: most(values.cuts),
    killsMax: most(values.kills),
    seed: Number(values.seed),
    say: (line) => console.log(line),
  });
  console.log(JSON.stringify(report, undefined, 2));
  process.exit(report.faults.length === 0 ? 0 : 1);
}
