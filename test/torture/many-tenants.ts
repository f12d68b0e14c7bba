/**
 * Many tenants' rows shared into as many DuckDB files, twice, with a few changes between: what the second run moves, the
 * memory of the processes that do it, and every file held against the landed records.
 *
 * `node test/torture/many-tenants.ts [--tenants 200] [--rows 50000] [--change 0.01]`
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { landPlants } from "../../bench/share-landing.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";

const binPath = join(import.meta.dirname, "../../bin/leat.js");

/** What was found. */
export type ManyTenantsReport = Readonly<{
  tenants: number;
  rows: number;
  first: RunFigures;
  second: RunFigures;
  /** Rows that the second run moved, of all. */
  movedShare: number;
  faults: readonly string[];
}>;

/** One run of `leat share`. `peaksMb`: of its processes, the largest in each quarter of its time. */
type RunFigures = Readonly<{ packages: number; rows: number; seconds: number; peaksMb: readonly number[] }>;

/** Runs it. */
export async function runManyTenants(
  options: Readonly<{ tenants: number; rows: number; change: number; say: (line: string) => void }>,
): Promise<ManyTenantsReport> {
  const { tenants, rows, change, say } = options;
  const folder = await mkdtemp(join(tmpdir(), "leat-many-"));
  try {
    const ids = Array.from({ length: tenants }, (_, at) => at + 1);
    await writeFile(join(folder, "tenants.json"), JSON.stringify(ids.map((id) => ({ id: String(id) }))));
    await writeFile(join(folder, "leat.config.ts"), config);
    const store = openFsStore(join(folder, ".leat/landing"));
    const all = Array.from({ length: rows }, (_, id) => id);
    for (const tenant of ids) await landPlants(store, tenant, all, { seq: 1, version: 1 });
    say(`${tenants} tenants with ${rows} records each are landed`);
    const first = await share(folder, say);
    const changed = Math.round(rows * change);
    for (const tenant of ids) {
      const some = Array.from({ length: changed }, (_, at) => (at * 97 + tenant * 13) % rows);
      await landPlants(store, tenant, [...new Set(some)], { seq: 2, version: 2 });
    }
    const second = await share(folder, say);
    const faults: string[] = [];
    for (const tenant of ids) faults.push(...(await compare(folder, tenant)));
    return { tenants, rows: tenants * rows, first, second, movedShare: second.rows / first.rows, faults };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const config = `
import { defineProject, defineShare, defineSource } from "leat";
const farm = defineSource({
  name: "farm",
  streams: {
    plants: {
      primaryKey: "id",
      cursor: { field: "modified", initial: "2026-01-01", start: { inclusive: true }, end: {} },
      records: "lines",
      pages: async function* () {},
    },
  },
});
const replicas = defineShare({
  name: "replicas",
  streams: [{ stream: "farm.plants", columns: { id: true, modified: true, label: true, weight: "mass", room: true, mail: { mask: true } } }],
  to: (tenant) => \`duckdb:customers/\${tenant.id}.duckdb\`,
  salt: "env:SALT",
});
export default defineProject({ name: "many", sources: [farm], shares: [replicas], tenants: "tenants.json" });
`;

async function share(folder: string, say: (line: string) => void): Promise<RunFigures> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [binPath, "share", "--json", "--quiet", "--concurrency", "2"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], SALT: "a salt that nobody can guess" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const samples: { atMs: number; mb: number }[] = [];
  const timer = setInterval(() => {
    for (const pid of childrenOf(child.pid ?? 0))
      samples.push({ atMs: performance.now(), mb: residentMb(pid) });
  }, 200);
  const printed = await text(child.stdout);
  clearInterval(timer);
  const seconds = (performance.now() - startedMs) / 1000;
  type Table = { packages: number; rows: number };
  const { ok, results } = JSON.parse(printed) as { ok: boolean; results: { tables: Table[] }[] }; // Of `share --json`.
  if (!ok) throw new Error(`not every share was delivered: ${printed.slice(0, 2000)}`);
  const tables = results.flatMap((result) => result.tables);
  const quarter = (1000 * seconds) / 4;
  const peaksMb = [0, 1, 2, 3].map((at) => {
    const within = samples.filter(({ atMs }) => Math.floor((atMs - startedMs) / quarter) === at);
    return Math.round(within.reduce((most, { mb }) => Math.max(most, mb), 0));
  });
  const sum = (read: (table: Table) => number): number =>
    tables.reduce((total, table) => total + read(table), 0);
  const figures = { packages: sum((one) => one.packages), rows: sum((one) => one.rows), seconds, peaksMb };
  say(JSON.stringify(figures));
  return figures;
}

const childrenOf = (pid: number): readonly number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number);
  } catch {
    return []; // It has ended.
  }
};

const residentMb = (pid: number): number => {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
};

/** Holds a tenant's file against the landed records, which the engine reads by itself. */
async function compare(folder: string, tenant: number): Promise<readonly string[]> {
  const instance = await DuckDBInstance.create(join(folder, `customers/${tenant}.duckdb`), {
    access_mode: "READ_ONLY",
    threads: "1",
  });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    const files = `${folder}/.leat/landing/landing/farm/plants/tenant=${tenant}/*/*/*.ndjson.zst`;
    const cells = (mass: string) => `id, label, CAST(${mass} AS DECIMAL(18,2)), CAST(modified AS VARCHAR)`;
    const sums = (mass: string) =>
      `count(*), sum(hash(${cells(mass)})::HUGEINT)::VARCHAR, count(DISTINCT tenant_id)`;
    const landed =
      `SELECT ${sums("weight")} FROM (SELECT * REPLACE (CAST(modified AS TIMESTAMPTZ) AS modified) FROM read_ndjson('${files}', ` +
      "columns = {id: 'BIGINT', label: 'VARCHAR', weight: 'DOUBLE', modified: 'VARCHAR', tenant_id: 'VARCHAR', _leat_package: 'BIGINT'}, hive_partitioning = false) " +
      "QUALIFY row_number() OVER (PARTITION BY id ORDER BY _leat_package DESC) = 1)";
    const [expected] = (await connection.runAndReadAll(landed)).getRows();
    const [is] = (await connection.runAndReadAll(`SELECT ${sums("mass")} FROM replicas.plants`)).getRows();
    const print = (row: typeof is): string => (row ?? []).map(String).join(" ");
    return print(expected) === print(is) ? [] : [`tenant ${tenant}: ${print(is)}, not ${print(expected)}`];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      tenants: { type: "string", default: "200" },
      rows: { type: "string", default: "50000" },
      change: { type: "string", default: "0.01" },
    },
  });
  const report = await runManyTenants({
    tenants: Number(values.tenants),
    rows: Number(values.rows),
    change: Number(values.change),
    say: (line) => console.log(line),
  });
  console.log(JSON.stringify(report, undefined, 2));
  process.exit(report.faults.length === 0 ? 0 : 1);
}
