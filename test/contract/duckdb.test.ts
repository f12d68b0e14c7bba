/** The DuckDB warehouse keeps the contract of warehouses, also among processes that wait, race and die. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { decodePart } from "../../src/landing/part-reader.ts";
import { toTenantId } from "../../src/model/ids.ts";
import { quoteExactColumns } from "../../src/scan/quote-exact.ts";
import { landPackage } from "../../src/testing/landed-package.ts";
import { warehouseContract } from "../../src/testing/warehouse-contract.ts";
import {
  failureOf,
  makeStreamSpec,
  plant,
  WarehouseBench,
  type WarehouseUnderTest,
} from "../../src/testing/warehouse-under-test.ts";
import { type DuckDbOptions, openDuckDb } from "../../src/warehouses/duckdb/open-duckdb.ts";

const childFile = join(import.meta.dirname, "duckdb-child.ts");
const spec = makeStreamSpec();
const table = spec.landingTable;

function openAt(file: string, changes: Partial<DuckDbOptions> = {}) {
  return openDuckDb(`duckdb:${file}`, {
    quoteExact: quoteExactColumns,
    readPart: (part) => decodePart(createReadStream(part.path), part.entry.key),
    threads: 2,
    ...changes,
  });
}

async function openPlace(): Promise<WarehouseUnderTest & { file: string }> {
  const folder = await mkdtemp(join(tmpdir(), "leat-duckdb-"));
  const file = join(folder, "warehouse.duckdb");
  let others = 0;
  return {
    file,
    folder,
    warehouse: openAt(file),
    reopen: async () => openAt(file),
    openAnother: async () => {
      others += 1;
      return openAt(join(folder, `other-${others}.duckdb`));
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  };
}

async function withBench(run: (bench: WarehouseBench, file: string) => Promise<void>): Promise<void> {
  const place = await openPlace();
  try {
    await run(new WarehouseBench(place), place.file);
  } finally {
    await place.dispose();
  }
}

const startChild = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [childFile, ...args], { stdio: ["ignore", "pipe", "inherit"] });

describe("DuckDB", () => {
  warehouseContract(test, openPlace);

  test("the short name of a view works while nothing else has it", async () => {
    await withBench(async (bench) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      expect(await bench.values("SELECT id FROM metrc_plants")).toEqual([1]);
      expect(await bench.values("SELECT id FROM metrc_plants_history")).toEqual([1]);
      const twin = makeStreamSpec({ source: "other", landingTable: "other_plants" });
      await bench.loadRecords(twin, [plant(2, "2024-01-01")]);
      await failureOf(bench.warehouse.query("SELECT id FROM metrc_plants"), "QUERY_FAILED");
      expect(await bench.values("SELECT id FROM other.metrc_plants")).toEqual([2]);
      expect(await bench.values("SELECT id FROM metrc.metrc_plants")).toEqual([1]);
    });
  });

  test("a file may be named like its source, and a source like anything of the engine's that is no schema", async () => {
    await withBench(async (bench) => {
      const warehouse = openAt(join(bench.under.folder, "metrc.duckdb"));
      const pack = await bench.land([plant(1, "2024-01-01")]);
      for (const source of ["metrc", "memory", "select"]) {
        const stream = makeStreamSpec({
          source,
          landingTable: `${source}_table`,
          isMaterialized: source === "select",
        });
        await bench.load(stream, [pack], warehouse);
        expect(await bench.rows(`SELECT id FROM "${source}".metrc_plants`, warehouse)).toEqual([[1]]);
        expect(await warehouse.checksums(stream)).toHaveLength(1);
      }
    });
  });

  test("a landing table that needs a short name's place takes it", async () => {
    await withBench(async (bench) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const twin = makeStreamSpec({ source: "x", name: "y", landingTable: "Metrc_Plants" });
      await bench.loadRecords(twin, [plant(2, "2024-01-01")]);
      expect(await bench.values("SELECT id FROM main.metrc_plants")).toEqual([2]);
      expect(await bench.values("SELECT id FROM metrc.metrc_plants")).toEqual([1]);
    });
  });

  test("streams whose tables, views or schemas would be one are refused with both names", async () => {
    await withBench(async (bench) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const clashes = [
        makeStreamSpec({ name: "other" }),
        makeStreamSpec({ name: "metrc_plants_history", landingTable: "t" }),
        makeStreamSpec({ source: "METRC", name: "other", landingTable: "t" }),
      ];
      for (const clash of clashes) {
        const error = await failureOf(bench.loadRecords(clash, [plant(1, "2024-01-01")]), "CONFIG_INVALID");
        expect(error.message).toContain("metrc.metrc_plants");
      }
      for (const clash of [
        makeStreamSpec({ source: "main" }),
        makeStreamSpec({ landingTable: "_leat_loads" }),
      ])
        await failureOf(bench.loadRecords(clash, [plant(1, "2024-01-01")]), "CONFIG_INVALID");
    });
  });

  test("rows whose ledger row somebody took away are not loaded twice", async () => {
    await withBench(async (bench, file) => {
      const pack = await bench.land([plant(1, "2024-01-01")]);
      await bench.load(spec, [pack]);
      await editByHand(file, "DELETE FROM _leat_loads");
      await failureOf(bench.load(spec, [pack]), "LEDGER_MISMATCH");
    });
  });

  test("rows that somebody took away are noticed when the package comes again", async () => {
    await withBench(async (bench, file) => {
      const pack = await bench.land([plant(1, "2024-01-01"), plant(2, "2024-01-01")]);
      await bench.load(spec, [pack]);
      await editByHand(file, `DELETE FROM ${table} WHERE id = 2`);
      await failureOf(bench.load(spec, [pack]), "LEDGER_MISMATCH");
    });
  });

  test("tables of a newer form are refused", async () => {
    await withBench(async (bench, file) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      await editByHand(file, "UPDATE _leat_warehouse SET format_version = 99");
      await failureOf(bench.warehouse.identity(), "WAREHOUSE_UNREADABLE");
      await failureOf(bench.warehouse.readLedgerHeads(spec), "WAREHOUSE_UNREADABLE");
      await failureOf(bench.loadRecords(spec, [plant(2, "2024-01-01")]), "WAREHOUSE_UNREADABLE");
    });
  });

  test("many tenants load at once in one process", async () => {
    await withBench(async (bench, file) => {
      const tenants = Array.from({ length: 12 }, (_, at) => `t${at}`);
      const packages = [];
      for (const tenant of tenants) packages.push(await bench.land([plant(1, "2024-01-01")], { tenant }));
      await Promise.all(packages.map((pack) => bench.load(spec, [pack], openAt(file))));
      expect(await bench.values(`SELECT tenant_id FROM ${table} ORDER BY tenant_id`)).toEqual(tenants.sort());
    });
  });

  test("a folder's name may hold what the engine's readers take for patterns", async () => {
    await withBench(async (bench) => {
      const folder = join(bench.under.folder, "[a]*? 'b'");
      await mkdir(folder);
      await mkdir(join(bench.under.folder, "a-- 'b'"));
      const warehouse = openAt(join(bench.under.folder, "[w]*.duckdb"), { workFolder: folder });
      const records = ['{"id":1}', '{"id":2,"count":"x"}'];
      const packages = [
        await landPackage({ folder, tenant: "414", seq: 1, records }),
        await landPackage({ folder, tenant: "41", seq: 1, records: ['{"id":3}'] }),
        await landPackage({ folder, tenant: "41", seq: 2, records: ['{"id":4,"v":0.12345678901234567}'] }),
      ];
      const stream = makeStreamSpec({ columns: { count: { type: "bigint" } } });
      await bench.load(stream, packages, warehouse);
      const rows = await bench.rows(
        `SELECT tenant_id, _leat_package, id FROM ${table} ORDER BY id`,
        warehouse,
      );
      expect(rows).toEqual([
        ["414", 1, 1],
        ["41", 1, 3],
        ["41", 2, 4],
      ]);
      expect(await bench.rows('SELECT "row", record FROM _leat_rejects', warehouse)).toHaveLength(1);
    });
  });

  test("private copies are removed, also when the load fails", async () => {
    await withBench(async (bench) => {
      const workFolder = await mkdtemp(join(bench.under.folder, "work-"));
      const warehouse = openAt(join(bench.under.folder, "w.duckdb"), { workFolder });
      const pack = await bench.land(['{"id":1,"v":0.12345678901234567}']);
      await bench.load(spec, [pack], warehouse);
      await failureOf(bench.load(spec, [{ ...pack, seq: 2, landed: 5 }], warehouse), "ACCOUNTING_MISMATCH");
      expect(await readdir(workFolder)).toEqual([]);
    });
  });
});

describe("a DuckDB file among processes", () => {
  test("one that another process holds is waited for, then refused with its name and the process", async () => {
    await withBench(async (bench, file) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const holder = startChild("hold", file);
      await once(holder.stdout!, "data");
      try {
        const impatient = openAt(file, { lockWaitMs: 300 });
        const error = await failureOf(impatient.query("SELECT 1"), "WAREHOUSE_LOCKED");
        expect(error.message).toContain(file);
        expect(error.message).toContain(`PID ${holder.pid}`);
        expect(error.retryable).toBe(true);
        const waiting = bench.values(`SELECT id FROM ${table}`);
        const stopped = bench.warehouse.query("SELECT 1", { signal: AbortSignal.timeout(50) });
        await failureOf(stopped, "INTERRUPTED");
        holder.kill("SIGKILL");
        expect(await waiting).toEqual([1]);
      } finally {
        holder.kill("SIGKILL");
      }
    });
  });

  test("no method keeps the file: another process can have it at once", async () => {
    await withBench(async (bench, file) => {
      await bench.warehouse.identity();
      await bench.warehouse.prepare(spec, { tenantColumn: "tenant_id", partitionColumn: undefined });
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      await bench.warehouse.query("SELECT 1");
      await failureOf(bench.warehouse.query("SELECT nonsense"), "QUERY_FAILED");
      await bench.warehouse.checksums(spec);
      const other = startChild("count", file, table);
      expect((await text(other.stdout!)).trim()).toBe("1");
    });
  });

  test("an engine that is kept gives the file back after each operation, and sees what others wrote", async () => {
    await withBench(async (bench, file) => {
      await using stack = new AsyncDisposableStack();
      const kept = openAt(file, { keepsEngine: true });
      stack.defer(() => kept.close());
      const counted = async () => (await kept.query(`SELECT count(*)::INTEGER FROM ${table}`)).rows;
      const countedByAnother = async () => (await text(startChild("count", file, table).stdout!)).trim();
      expect(await kept.readLedgerHeads(spec)).toEqual(new Map()); // Before there is a file.
      await kept.prepare(spec, { tenantColumn: "tenant_id", partitionColumn: undefined });
      expect(await countedByAnother()).toBe("0");
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]); // By an engine of its own.
      expect(await counted()).toEqual([[1]]);
      await failureOf(kept.query("SELECT nonsense"), "QUERY_FAILED");
      expect(await countedByAnother()).toBe("1");
      expect(await counted()).toEqual([[1]]);
      await failureOf(kept.query(`DELETE FROM ${table}`), "QUERY_FAILED"); // Reading is all that a query may.
      await kept.close();
      expect(await countedByAnother()).toBe("1");
    });
  });

  test("asking makes no file", async () => {
    await withBench(async (bench) => {
      expect(await bench.values("SELECT 1")).toEqual([1]);
      await bench.warehouse.readLedgerHeads(spec);
      expect((await readdir(bench.under.folder)).filter((name) => name.includes("duckdb"))).toEqual([]);
    });
  });

  test("what is no database, or no place for one, is refused by name", async () => {
    await withBench(async (bench) => {
      const junk = join(bench.under.folder, "junk.duckdb");
      await writeFile(junk, "not a database\n".repeat(2000));
      expect((await failureOf(openAt(junk).query("SELECT 1"), "WAREHOUSE_UNREADABLE")).message).toContain(
        junk,
      );
      const below = join(junk, "w.duckdb");
      expect((await failureOf(openAt(below).identity(), "WAREHOUSE_UNREADABLE")).message).toContain(below);
      for (const url of ["duckdb:", "duckdb::memory:", "duckdb:what?.duckdb", "postgres://x"])
        expect(() =>
          openDuckDb(url, { quoteExact: quoteExactColumns, readPart: async function* () {} }),
        ).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    });
  });

  test("a file that may not grow fails as full, and holds what it held", async () => {
    await withBench(async (bench, file) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      // The shell ignores the signal that comes with the limit (in KiB), and so does its child.
      const limited = spawn(
        "bash",
        [
          "-c",
          `trap '' XFSZ; ulimit -f 4000; exec "$0" "$@"`,
          process.execPath,
          childFile,
          "fill",
          file,
          bench.under.folder,
        ],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      expect((await text(limited.stdout!)).trim()).toBe("WAREHOUSE_FULL");
      expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([1]);
      expect((await bench.warehouse.readLedger(spec, toTenantId("414"))).length).toBe(1);
    });
  });

  test("I11 two processes that load the same packages at once load each of them once", async () => {
    await withBench(async (bench, file) => {
      const args = ["race", file, bench.under.folder];
      const children = [startChild(...args), startChild(...args)];
      const answers = await Promise.all(children.map((child) => text(child.stdout!)));
      const loaded = answers.flatMap((answer) => JSON.parse(answer) as number[]); // The child prints seqs.
      expect(loaded.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
      expect(await bench.rows(`SELECT count(*), count(DISTINCT id) FROM ${table}`)).toEqual([[2000, 2000]]);
    });
  });

  test("a process that is killed while it makes the file leaves nothing that keeps others out", async () => {
    await withBench(async (bench) => {
      const { folder } = bench.under;
      let kills = 0;
      for (let round = 0; round < 10; round += 1) {
        const file = join(folder, `new-${round}.duckdb`);
        const child = startChild("race", file, folder);
        const exited = once(child, "exit");
        killAtFirstFile(child, folder, `new-${round}.duckdb`);
        const [, signal] = await exited;
        if (signal === "SIGKILL") kills += 1;
        expect(await openAt(file).identity()).toBe(await openAt(file).identity());
      }
      expect(kills).toBeGreaterThan(0);
    });
  });

  test("what a killed process began to make is removed by later ones, but not what others are making", async () => {
    await withBench(async (bench) => {
      const file = join(bench.under.folder, "other.duckdb");
      await writeFile(`${file}.making-1-old`, "half");
      await utimes(`${file}.making-1-old`, 0, 0);
      await writeFile(`${file}.making-2-new`, "half");
      await openAt(file).identity();
      const names = (await readdir(bench.under.folder)).filter((name) => name.startsWith("other.duckdb"));
      expect(names.sort()).toEqual(["other.duckdb", "other.duckdb.making-2-new"]);
    });
  });

  test("I11 a loading process that is killed leaves a package whole or not at all", async () => {
    await withBench(async (bench, file) => {
      let kills = 0;
      for (let delayMs = 20; kills < 10; delayMs += 35) {
        const child = startChild("race", file, bench.under.folder);
        const exited = once(child, "exit");
        const timer = setTimeout(() => child.kill("SIGKILL"), 150 + delayMs);
        const [, signal] = await exited;
        clearTimeout(timer);
        kills += 1;
        await expectWhole(bench);
        if (signal === null) break;
      }
      await text(startChild("race", file, bench.under.folder).stdout!);
      await expectWhole(bench);
      const left = (await readdir(bench.under.folder)).filter((name) => name.startsWith("leat-load-"));
      expect(left).toEqual([]); // What the killed ones left, later ones have removed.
      expect(await bench.rows(`SELECT count(*), count(DISTINCT id) FROM ${table}`)).toEqual([[2000, 2000]]);
    });
  });
});

/** Looks without a pause, since the moment between a file's making and its first bytes is some µs long. */
function killAtFirstFile(child: ChildProcess, folder: string, prefix: string): void {
  const untilMs = performance.now() + 10_000;
  while (performance.now() < untilMs) {
    if (!readdirSync(folder).some((name) => name.startsWith(prefix))) continue;
    child.kill("SIGKILL");
    return;
  }
}

/** Every package of the ledger has all of its rows, and no row is of a package that the ledger has not. */
async function expectWhole(bench: WarehouseBench): Promise<void> {
  const ledger = await bench.warehouse.readLedger(spec, toTenantId("414"));
  const held = await bench.warehouse.checksums(spec);
  expect(held.map(({ seq, rows }) => [seq, rows])).toEqual(ledger.map(({ seq }) => [seq, 100]));
}

async function editByHand(file: string, sql: string): Promise<void> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}
