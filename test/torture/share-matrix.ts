/**
 * Breaks deliveries of a share at every place where one can break, and compares what the next delivery leaves with what
 * an unbroken one leaves: the process is killed at each await, the connection to Postgres cut at each message.
 *
 * `node test/torture/share-matrix.ts [--kills N] [--cuts N] [--seed S]`
 */
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { z } from "zod";
import { openTenantVersions } from "../../src/dataset/open-tenant-versions.ts";
import { defineDataset } from "../../src/define/define-dataset.ts";
import { fromRows } from "../../src/define/define-dataset-inputs.ts";
import { defineShare } from "../../src/define/define-share.ts";
import { toTenantId } from "../../src/model/ids.ts";
import { deliverShare } from "../../src/share/deliver-share.ts";
import { isWhole, type ShareMode, type ShareOutcome } from "../../src/share/share-job.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";
import { createSeededRandom, type SeededRandom } from "../../src/testing/seeded-random.ts";
import { makeStreamSpec, plant } from "../../src/testing/warehouse-under-test.ts";
import { writeTenantRows } from "../../src/warehouses/duckdb/tenant-rows.ts";
import { openCuttingProxy } from "../contract/cutting-proxy.ts";
import { startPostgres } from "../services/postgres.ts";
import { landRecords } from "../share/land-records.ts";
import { openTarget } from "../share/open-target.ts";
import { publishRows } from "../share/publish-rows.ts";

const childFile = join(import.meta.dirname, "share-child.ts");
const hookFile = join(import.meta.dirname, "kill-hook.ts");
const stream = makeStreamSpec({ source: "farm", name: "plants", deletedField: "gone" });
const tenant = toTenantId("414");

/** What is broken: a delivery of news, which widens a type and rejects a record, or a full one in its place. */
const modes = ["deliver", "full"] as const satisfies readonly ShareMode[];
/** Of a stream, what is kept of it; or a dataset across tenants. */
const keeps = ["history", "current", "dataset"] as const;

const book = defineDataset({
  name: "book",
  description: "Whose is what.",
  columns: { owner: z.string(), n: z.int(), mail: z.string().nullable() },
  key: ["owner", "n"],
  tenantColumn: "owner",
  from: fromRows(() => []),
});

/** How much is broken; `undefined`: everything. */
export type ShareMatrixOptions = Readonly<{
  killsMax: number | undefined;
  cutsMax: number | undefined;
  /** Only what differs most: news of a stream's versions in a file and of a dataset in a folder, full ones in Postgres. */
  isShort: boolean;
  seed: number;
  say: (line: string) => void;
}>;

/** What the matrix found. */
export type ShareMatrixReport = Readonly<{
  sites: number;
  kills: number;
  cuts: number;
  faults: readonly string[];
}>;

/** Delivers what is landed in `folder`; also what the child does. */
export async function deliverFrom(
  folder: string,
  address: string,
  keep: (typeof keeps)[number],
  mode: ShareMode,
): Promise<ShareOutcome> {
  const workFolder = await mkdtemp(join(folder, "work-"));
  const columns = {
    id: true,
    modified: true,
    gone: { optional: true },
    v: { as: "value", optional: true },
    mail: { mask: true, optional: true },
  } as const;
  const share = defineShare({
    name: "replica",
    ...(keep === "dataset"
      ? { datasets: [{ dataset: "book", columns: { n: true, mail: { mask: true } } }] }
      : { streams: [{ stream: "farm.plants", columns }], keep }),
    to: address,
    salt: "env:SALT",
    deadline: "5m",
  });
  try {
    return await deliverShare(
      {
        store: openFsStore(join(folder, "landing")),
        versions: openTenantVersions(openFsStore(join(folder, "landing")), writeTenantRows, workFolder),
        secrets: { resolve: async () => "a salt that nobody can guess" },
        openTarget: (at) => openTarget(at, workFolder),
        progress: () => {},
        workFolder,
      },
      {
        project: "farm",
        share,
        tenant: { id: tenant, fields: {} },
        mode,
        streams: new Map([["farm.plants", stream]]),
        datasets: new Map([[book.name, book]]),
        tenantColumn: "tenant_id",
      },
      new AbortController().signal,
    );
  } finally {
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** Where a kind of target is for one try, and how it gets there from the prepared one. */
type Kind = Readonly<{
  name: string;
  place: (folder: string, at: string) => string;
  /** Puts the prepared target there; `undefined`: it is delivered anew. */
  copy: ((folder: string, from: string, to: string) => Promise<void>) | undefined;
}>;

const kindsOf = (postgres: string): readonly Kind[] => [
  {
    name: "duckdb",
    place: (folder, at) => `duckdb:${join(folder, `${at}.duckdb`)}`,
    copy: (folder, from, to) => cp(join(folder, `${from}.duckdb`), join(folder, `${to}.duckdb`)),
  },
  {
    name: "parquet",
    place: (folder, at) => `parquet:${join(folder, `${at}.parquet`)}`,
    copy: (folder, from, to) =>
      cp(join(folder, `${from}.parquet`), join(folder, `${to}.parquet`), { recursive: true }),
  },
  { name: "postgres", place: (_folder, at) => inSchema(postgres, at), copy: undefined },
];

function inSchema(url: string, schema: string): string {
  const address = new URL(url);
  address.searchParams.set("schema", schema);
  return address.href;
}

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

class Matrix {
  readonly #folder: string;
  readonly #postgres: string;
  readonly #options: ShareMatrixOptions;
  readonly #random: SeededRandom;
  readonly #faults: string[] = [];
  readonly #sites = new Set<string>();
  #tries = 0;

  constructor(folder: string, postgres: string, options: ShareMatrixOptions) {
    this.#folder = folder;
    this.#postgres = postgres;
    this.#options = options;
    this.#random = createSeededRandom(options.seed);
  }

  async run(): Promise<ShareMatrixReport> {
    let [kills, cuts] = [0, 0];
    const [before, after] = [join(this.#folder, "before"), join(this.#folder, "after")];
    await mkdir(before);
    const place = { source: "farm", stream: "plants", tenant };
    const store = openFsStore(join(before, "landing"));
    await landRecords(store, place, [
      plant(1, "2024-01-01", '"v":1,"mail":"a"'),
      plant(2, "2024-01-01", '"v":2'),
    ]);
    await publishRows(
      store,
      book,
      [1, 2, 3].map((n) => ({ owner: n < 3 ? "414" : "41", n, mail: "a" })),
    );
    await cp(before, after, { recursive: true });
    const more = openFsStore(join(after, "landing"));
    await landRecords(more, place, [plant(1, "2024-01-02", '"v":"text","mail":"b"'), plant(3, "2024-01-02")]);
    await landRecords(more, place, [plant(2, "2024-01-03", '"gone":true'), plant(1, "2024-01-01", '"v":3')]);
    await publishRows(
      more,
      book,
      [2, 3, 4].map((n) => ({ owner: n > 2 ? "414" : "41", n, mail: "b" })),
    );
    for (const kind of kindsOf(this.#postgres))
      for (const keep of keeps)
        for (const mode of modes) {
          const isFull = keep === "current" && mode === "full";
          const isPlain = keep === (kind.name === "parquet" ? "dataset" : "history") && mode === "deliver";
          if (this.#options.isShort && !(kind.name === "postgres" ? isFull : isPlain)) continue;
          const name = `${kind.name} ${keep} ${mode}`;
          const begin = () => this.#begin(kind, keep, before);
          const expected = await this.#stateAfter(await begin(), keep, after, mode);
          const all = await this.#recordSites(await begin(), keep, after, mode);
          const chosen = this.#draw(all, this.#options.killsMax);
          this.#options.say(`${name}: ${chosen.length} of ${all.length} kills`);
          for (const kill of chosen) {
            kills += 1;
            const address = await begin();
            await this.#runChild(address, keep, after, mode, { LEAT_KILL: kill });
            await this.#compare(`${name} killed at ${kill}`, address, keep, after, expected);
          }
          if (kind.name === "postgres") cuts += await this.#cutAll(name, begin, keep, after, mode, expected);
        }
    return { sites: this.#sites.size, kills, cuts, faults: this.#faults };
  }

  /** A target that has what was landed before the news. */
  async #begin(kind: Kind, keep: (typeof keeps)[number], before: string): Promise<string> {
    this.#tries += 1;
    const at = `try_${this.#tries}`;
    const prepared = `prepared_${kind.name}_${keep}`;
    if (kind.copy === undefined) {
      await this.#mustDeliver(before, kind.place(this.#folder, at), keep);
      return kind.place(this.#folder, at);
    }
    await this.#mustDeliver(before, kind.place(this.#folder, prepared), keep);
    await kind.copy(this.#folder, prepared, at);
    return kind.place(this.#folder, at);
  }

  async #mustDeliver(
    folder: string,
    address: string,
    keep: (typeof keeps)[number],
    mode: ShareMode = "deliver",
  ) {
    const outcome = await deliverFrom(folder, address, keep, mode);
    if (!isWhole(outcome)) throw outcome.error ?? outcome.tables[0]?.error;
    return outcome;
  }

  /** Everything that a customer could see: receipts and what stands in the ledger. */
  async #stateAfter(
    address: string,
    keep: (typeof keeps)[number],
    folder: string,
    mode: ShareMode,
  ): Promise<unknown> {
    const { tables } = await this.#mustDeliver(folder, address, keep, mode);
    const [table] = tables;
    return {
      seq: table?.seq,
      receipts: table?.receipts.map(({ rows, checksum }) => [rows, checksum]),
    };
  }

  async #compare(
    name: string,
    address: string,
    keep: (typeof keeps)[number],
    folder: string,
    expected: unknown,
  ): Promise<void> {
    try {
      const next = await this.#stateAfter(address, keep, folder, "deliver");
      if (!isDeepStrictEqual(next, expected))
        this.#faults.push(
          `${name}: the next delivery left ${JSON.stringify(next)}, not ${JSON.stringify(expected)}`,
        );
      const full = await this.#stateAfter(address, keep, folder, "full");
      if (!isDeepStrictEqual(full, expected))
        this.#faults.push(`${name}: a full one then left ${JSON.stringify(full)}`);
    } catch (error) {
      this.#faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #cutAll(
    name: string,
    begin: () => Promise<string>,
    keep: (typeof keeps)[number],
    folder: string,
    mode: ShareMode,
    expected: unknown,
  ): Promise<number> {
    const proxy = await openCuttingProxy(this.#postgres);
    const through = (address: string): string => {
      const [way, to] = [new URL(proxy.url), new URL(address)];
      to.port = way.port;
      return to.href;
    };
    try {
      proxy.arm(undefined);
      await this.#mustDeliver(folder, through(await begin()), keep, mode);
      const messages = proxy.count();
      const chosen = this.#draw(
        Array.from({ length: messages }, (_, at) => at + 1),
        this.#options.cutsMax,
      );
      this.#options.say(`${name}: ${chosen.length} of ${messages} messages`);
      for (const cutAt of chosen) {
        const address = await begin();
        proxy.arm(cutAt);
        const outcome = await deliverFrom(folder, through(address), keep, mode);
        const error = outcome.error ?? outcome.tables[0]?.error;
        if (error !== undefined && error.code !== "WAREHOUSE_UNREACHABLE")
          this.#faults.push(`${name} cut at ${cutAt}: told ${error.code}: ${error.message}`);
        proxy.arm(undefined);
        await this.#compare(`${name} cut at ${cutAt}`, address, keep, folder, expected);
      }
      return chosen.length;
    } finally {
      await proxy.close();
    }
  }

  #draw<T>(from: readonly T[], most: number | undefined): readonly T[] {
    if (most === undefined) return from;
    const left = [...from];
    return Array.from(
      { length: Math.min(most, left.length) },
      () => left.splice(this.#random.below(left.length), 1)[0]!,
    );
  }

  /** Every await of leat's stages that an unbroken delivery passes, before, during and after, once each. */
  async #recordSites(
    address: string,
    keep: (typeof keeps)[number],
    folder: string,
    mode: ShareMode,
  ): Promise<readonly string[]> {
    const path = join(this.#folder, "sites.json");
    await this.#runChild(address, keep, folder, mode, { LEAT_SITES: path });
    const passed = JSON.parse(await readFile(path, "utf8")) as [string, number][]; // Written by kill-hook.ts.
    for (const [key] of passed) this.#sites.add(key.split("|")[0]!);
    return passed.map(([key, count]) => `${key}|${this.#random.between(1, count)}`);
  }

  async #runChild(
    address: string,
    keep: string,
    folder: string,
    mode: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<void> {
    const child = spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "--import", hookFile, childFile, folder, address, keep, mode],
      { env: { ...process.env, ...environment }, stdio: ["ignore", "ignore", "inherit"] },
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
  const report = await runShareMatrix({
    cutsMax: most(values.cuts),
    isShort: false,
    killsMax: most(values.kills),
    seed: Number(values.seed),
    say: (line) => console.log(line),
  });
  console.log(JSON.stringify(report, undefined, 2));
  process.exit(report.faults.length === 0 ? 0 : 1);
}
