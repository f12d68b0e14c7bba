/** A partner and this project beside it: what the demo and the tests begin with. */
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Comparison, compareWithTruth, type ViewRow } from "./compare-with-truth.ts";
import type { Partner } from "./partner/partner.ts";
import { readAccounts } from "./partner/read-accounts.ts";
import { startPartner } from "./partner/start-partner.ts";
import { readReplica } from "./read-replica.ts";
import { killRunning, type LeatEnd, type LeatProcess, startLeat } from "./run-leat.ts";

const folder = import.meta.dirname;

/** How far the partner's clock is behind ours at first: less than leat tolerates (5 minutes by default). */
const partnerBehindMs = 180_000;

export type ExampleOptions = Readonly<{
  seed: number;
  /** Landing and warehouse go here; what is in it is removed first. */
  dataFolder: string;
  historyDays: number;
  plantsPerLicense: number;
  /** A Postgres database for customer 733; default: none, and that customer has a DuckDB file. */
  postgres?: string;
}>;

/** What `leat sync --json` says of one stream and tenant, as far as it is read here. */
export type SyncedStream = Readonly<{
  stream: string;
  tenant_id: string;
  ok: boolean;
  status: string;
  requests?: number;
  counts?: Readonly<{ received: number; landed: number; boundary_skipped: number }>;
  load?: Readonly<{ loaded: number }>;
  error?: Readonly<{ code: string; message: string }>;
}>;

/** What `leat share --json` says of one customer, as far as it is read here. */
export type SharedReplica = Readonly<{
  tenant_id: string;
  target: string;
  tables: readonly Readonly<{
    table: string;
    status: string;
    rows: number;
    receipts: readonly Readonly<{ table: string; rows: number; checksum: string; query: string }>[];
  }>[];
}>;

/** A customer's plants in that customer's warehouse. */
export type ReplicaComparison = Comparison & Readonly<{ otherTenants: number }>;

export interface Example extends AsyncDisposable {
  readonly partner: Partner;
  readonly tenants: readonly string[];
  /** What `leat` is started with: addresses, keys, places. */
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  /** Starts `leat <args>`; kill it, or wait for its end. */
  start(...args: string[]): LeatProcess;
  /** Runs `leat <args>` to its end. */
  run(...args: string[]): Promise<LeatEnd>;
  /** Runs `leat sync --json` and reads what it says; throws when it says nothing. */
  sync(...args: string[]): Promise<{ exitCode: number | null; results: readonly SyncedStream[] }>;
  /** Runs `leat query --json`; throws when that fails. */
  query(sql: string): Promise<readonly ViewRow[]>;
  /** Holds the current view of every tenant's plants against the partner's own, by tenant. */
  compare(): Promise<ReadonlyMap<string, Comparison>>;
  /** Runs `leat share --json` and reads what it says; throws when a share failed. */
  share(): Promise<readonly SharedReplica[]>;
  /** Holds what each customer's own warehouse has against the partner's plants of that customer, by tenant. */
  compareReplicas(): Promise<ReadonlyMap<string, ReplicaComparison>>;
  /** Rows of the landing table that hold the same record as another row. */
  countDoubled(): Promise<number>;
  close(): Promise<void>;
}

/** Starts a partner with the accounts of `tenants.json` and keys drawn for this run, and empties the data folder. */
export async function openExample(options: ExampleOptions): Promise<Example> {
  rmSync(options.dataFolder, { recursive: true, force: true });
  mkdirSync(options.dataFolder, { recursive: true });
  const vendorKey = randomBytes(12).toString("hex");
  const keys: Record<string, string> = {};
  const accounts = readAccounts(join(folder, "tenants.json"), (reference) => {
    const key = randomBytes(12).toString("hex");
    keys[reference.replace(/^env:/, "")] = key;
    return key;
  });
  const { historyDays, plantsPerLicense, seed } = options;
  const historyMs = historyDays * 86_400_000;
  const partner = await startPartner({
    seed,
    vendorKey,
    accounts,
    historyMs,
    plantsPerLicense,
    // So that its minutes can go by in no time without it running ahead of this machine's clock.
    nowMs: Date.now() - partnerBehindMs,
  });
  const tenants = accounts.map(({ tenant }) => tenant);
  const { LEAT_CONFIG: _config, LEAT_TENANTS: _tenants, ...inherited } = process.env;
  const environment: NodeJS.ProcessEnv = {
    ...inherited,
    ...keys,
    STASHSTOCK_URL: partner.url,
    STASHSTOCK_VENDOR_KEY: vendorKey,
    STASHSTOCK_SINCE: new Date(partner.nowMs() - historyMs).toISOString(),
    LEAT_LANDING: `file:${join(options.dataFolder, "landing")}`,
    LEAT_WAREHOUSE: `duckdb:${join(options.dataFolder, "warehouse.duckdb")}`,
    LEAT_LEDGER: `sqlite:${join(options.dataFolder, "ledger.db")}`,
    STASHSTOCK_CUSTOMERS: join(options.dataFolder, "customers"),
    ...(options.postgres !== undefined && { STASHSTOCK_POSTGRES_733: options.postgres }),
    STASHSTOCK_SHARE_SALT: randomBytes(24).toString("hex"),
    // The partner is on this machine; a proxy on the way to the world does not know it.
    NO_PROXY: "127.0.0.1",
    no_proxy: "127.0.0.1",
  };

  const start = (...args: string[]) => startLeat(args, { cwd: folder, environment });
  const run = (...args: string[]) => start(...args).ended;

  async function query(sql: string): Promise<readonly ViewRow[]> {
    const { exitCode, stdout, stderr } = await run("query", "--json", sql);
    if (exitCode !== 0) throw new Error(`leat query failed (${exitCode}): ${stderr}`);
    return JSON.parse(stdout) as readonly ViewRow[]; // What `query --json` promises to print.
  }

  let replicas: readonly SharedReplica[] = [];
  const close = async () => {
    killRunning();
    await partner.close();
  };
  return {
    partner,
    tenants,
    environment,
    start,
    run,
    query,
    async sync(...args) {
      const { exitCode, stdout, stderr } = await run("sync", "--json", "--quiet", ...args);
      if (stdout === "") throw new Error(`leat sync said nothing (${exitCode}): ${stderr}`);
      // What `sync --json` promises to print.
      return { exitCode, results: (JSON.parse(stdout) as { results: readonly SyncedStream[] }).results };
    },
    async compare() {
      const rows = await query(`select * from stashstock.metrc_plants`);
      return new Map(
        tenants.map((tenant) => [
          tenant,
          compareWithTruth(
            rows.filter((row) => row["tenant_id"] === tenant),
            partner.truth(tenant),
          ),
        ]),
      );
    },
    async share() {
      const { exitCode, stdout, stderr } = await run("share", "--json", "--quiet");
      if (exitCode !== 0) throw new Error(`leat share failed (${exitCode}): ${stderr}`);
      replicas = (JSON.parse(stdout) as { results: readonly SharedReplica[] }).results; // What it promises to print.
      return replicas;
    },
    async compareReplicas() {
      const compared = new Map<string, ReplicaComparison>();
      for (const { tenant_id: tenant, target, tables } of replicas) {
        const rows = await readReplica(target, tables[0]!.receipts[0]!.query, environment);
        compared.set(tenant, {
          ...compareWithTruth(rows, partner.truth(tenant)),
          otherTenants: rows.filter((row) => row["tenant_id"] !== tenant).length,
        });
      }
      return compared;
    },
    async countDoubled() {
      const [row] = await query(
        `select (select count(*) from gcs_metrc_plants) - (select count(*) from
           (select distinct * exclude (_leat_package, _leat_row, _leat_extracted_at) from gcs_metrc_plants)) as doubled`,
      );
      return Number(row?.["doubled"]);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
