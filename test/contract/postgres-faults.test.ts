/** Connections that break, processes that die and race, a server that goes away, a disk that is full. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isLeatError } from "../../src/errors/leat-error.ts";
import { toTenantId } from "../../src/model/ids.ts";
import type { PackageToLoad } from "../../src/ports/warehouse.ts";
import { reopenFrom } from "../../src/testing/landed-package.ts";
import {
  failureOf,
  makeStreamSpec,
  plant,
  type WarehouseBench,
} from "../../src/testing/warehouse-under-test.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { openCuttingProxy } from "./cutting-proxy.ts";
import { openAt, withBench as withBenchOn } from "./postgres-place.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

const withBench = (run: (bench: WarehouseBench, url: string) => Promise<void>) => withBenchOn(server, run);
const spec = makeStreamSpec({ isMaterialized: true, deletedField: "gone" });
const table = spec.landingTable;
const childFile = join(import.meta.dirname, "postgres-child.ts");

const startChild = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [childFile, ...args], { stdio: ["ignore", "pipe", "inherit"] });

const inSchema = (url: string, schema: string): string => {
  const address = new URL(url);
  address.searchParams.set("schema", schema);
  return address.href;
};

describe("a connection that is cut", () => {
  test("while the making of leat's tables is under way leaves them whole or not there", async () => {
    await withBench(async (bench, url) => {
      const proxy = await openCuttingProxy(url);
      try {
        proxy.arm(undefined);
        await openAt(inSchema(proxy.url, "uncut")).identity();
        const messages = proxy.count();
        for (let cutAt = 1; cutAt <= messages; cutAt += 5) {
          const schema = `made_${cutAt}`;
          proxy.arm(cutAt);
          const made = await openAt(inSchema(proxy.url, schema))
            .identity()
            .catch((error: unknown) => error);
          if (isLeatError(made)) expect([made.code, made.retryable]).toEqual(["WAREHOUSE_UNREACHABLE", true]);
          const id = await openAt(inSchema(url, schema)).identity();
          if (typeof made === "string") expect(id).toBe(made);
        }
        expect(await bench.values("SELECT 1")).toEqual([1]);
      } finally {
        await proxy.close();
      }
    });
  });

  test("while a query or a reading of the ledger is under way is told as such", async () => {
    await withBench(async (bench, url) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const proxy = await openCuttingProxy(url);
      try {
        for (let cutAt = 1; ; cutAt += 1) {
          proxy.arm(cutAt);
          const asked = openAt(proxy.url).query(`SELECT id FROM ${table}`);
          const answer = await asked.catch((error: unknown) => error);
          if (!proxy.hasCut()) break;
          // A cut behind the last answer is no matter.
          if (isLeatError(answer)) expect([cutAt, answer.code]).toEqual([cutAt, "WAREHOUSE_UNREACHABLE"]);
          else expect(answer).toMatchObject({ rows: [[1]] });
        }
        proxy.arm(3);
        await failureOf(openAt(proxy.url).readLedger(spec, toTenantId("414")), "WAREHOUSE_UNREACHABLE");
      } finally {
        await proxy.close();
      }
    });
  });
});

describe("processes and servers that end", () => {
  test("I11 two processes that load the same packages at once load each of them once", async () => {
    await withBench(async (bench, url) => {
      const args = ["race", url, bench.under.folder];
      const children = [startChild(...args), startChild(...args)];
      const answers = await Promise.all(children.map((child) => text(child.stdout!)));
      const loaded = answers.flatMap((answer) => JSON.parse(answer) as number[]); // The child prints seqs.
      expect(loaded.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
      expect(await bench.rows(`SELECT count(*), count(DISTINCT id) FROM ${table}`)).toEqual([[2000, 2000]]);
    });
  });

  test("I11 a loading process that is killed leaves a package whole or not at all", async () => {
    await withBench(async (bench, url) => {
      const expectWhole = async () => {
        const ledger = await bench.warehouse.readLedger(spec, toTenantId("414"));
        const held = await bench.warehouse.checksums(spec);
        expect(held.map(({ seq, rows }) => [seq, rows])).toEqual(ledger.map(({ seq }) => [seq, 100]));
      };
      let kills = 0;
      for (let delayMs = 20; kills < 10; delayMs += 35) {
        const child = startChild("race", url, bench.under.folder);
        const exited = once(child, "exit");
        const timer = setTimeout(() => child.kill("SIGKILL"), 250 + delayMs);
        const [, signal] = await exited;
        clearTimeout(timer);
        if (signal === null) break;
        kills += 1;
        await expectWhole();
      }
      expect(kills).toBeGreaterThan(0);
      await text(startChild("race", url, bench.under.folder).stdout!);
      await expectWhole();
      expect(await bench.rows(`SELECT count(*), count(DISTINCT id) FROM ${table}`)).toEqual([[2000, 2000]]);
    });
  });

  test("a server that is shut down during a load undoes it, and the load after its return is whole", async () => {
    await withBench(async (bench, url) => {
      await bench.loadRecords(spec, [plant(1, "2024-01-01")]);
      const held = Promise.withResolvers<void>();
      const pack = await bench.land(Array.from({ length: 2000 }, (_, id) => plant(id, "2024-01-02")));
      const slow = openAt(url, {
        readPart: async function* () {
          held.resolve();
          await server.restart(300);
          yield Buffer.from("{}\n");
        },
      });
      const loading = slow.load(spec, [pack], reopenFrom(bench.landed), new AbortController().signal);
      await held.promise;
      const error = await failureOf(loading, "WAREHOUSE_UNREACHABLE");
      expect(error.retryable).toBe(true);
      expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([1]);
      await bench.load(spec, [pack]);
      expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([2001]);
    });
  });

  test("a landed file that is gone is told by its path, and the server is not to blame", async () => {
    await withBench(async (bench) => {
      const pack = await bench.land([plant(1, "2024-01-01")]);
      rmSync(pack.parts[0]!.path);
      await expect(bench.load(spec, [pack])).rejects.toThrow(/^ENOENT/);
      expect(await bench.warehouse.readLedger(spec, toTenantId("414"))).toEqual([]);
    });
  });

  test("streams and tenants that load at the same time do not wait for ever for each other", async () => {
    await withBench(async (bench, url) => {
      const streams = Array.from({ length: 4 }, (_, at) =>
        makeStreamSpec({ name: `s${at}`, source: `source${at % 2}`, landingTable: `t${at}` }),
      );
      const packs: PackageToLoad[] = [];
      for (const tenant of ["a", "b", "c"])
        packs.push(await bench.land([plant(1, "2024-01-01")], { tenant }));
      const loads = streams.flatMap((stream) => packs.map((pack) => bench.load(stream, [pack], openAt(url))));
      const receipts = await Promise.all(loads);
      expect(receipts.flatMap(({ packages }) => packages)).toHaveLength(12);
      for (const { landingTable } of streams)
        expect(await bench.values(`SELECT tenant_id FROM ${landingTable} ORDER BY 1`)).toEqual([
          "a",
          "b",
          "c",
        ]);
    });
  });

  test("a query that is stopped at any moment, also between two statements, leaves nothing running", async () => {
    await withBench(async (bench) => {
      await bench.loadRecords(
        spec,
        Array.from({ length: 3000 }, (_, id) => plant(id, "2024-01-01")),
      );
      const sql = `SELECT sum(a.id * b.id * c.id) FROM ${table} a, ${table} b, ${table} c`;
      const stops = [0, 5, 20, 60, 200].map((ms) => AbortSignal.timeout(ms));
      await Promise.all(
        stops.map((signal) => failureOf(bench.warehouse.query(sql, { signal }), "INTERRUPTED")),
      );
      const running = `SELECT count(*) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%a.id * b.id%'`;
      await expect.poll(() => bench.values(running), { timeout: 10_000 }).toEqual([0]);
    });
  });

  test("a load that is stopped in the middle of its rows writes nothing and frees its locks", async () => {
    await withBench(async (bench, url) => {
      const pack = await bench.land([plant(1, "2024-01-01")]);
      const stop = new AbortController();
      const slow = openAt(url, {
        readPart: async function* () {
          stop.abort();
          yield Buffer.from("{}\n");
        },
      });
      await failureOf(slow.load(spec, [pack], reopenFrom(bench.landed), stop.signal), "INTERRUPTED");
      await bench.load(spec, [pack]);
      expect(await bench.values(`SELECT count(*) FROM ${table}`)).toEqual([1]);
    });
  });
});

const folder = mkdtempSync(join(tmpdir(), "leat-full-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const isRoot = process.getuid?.() === 0;

/** Runs what follows with a disk of 32 megabytes at `folder`; only root can give it to the server's user, nobody. */
const onSmallDisk = (...command: readonly string[]): string =>
  execFileSync(
    "unshare",
    [
      "--mount",
      "sh",
      "-c",
      'mount -t tmpfs -o size=32m,uid=65534,gid=65534 none "$0" && exec "$@"',
      folder,
      ...command,
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );

function hasSmallDisks(): boolean {
  try {
    onSmallDisk("true");
    return isRoot;
  } catch (error) {
    console.warn(`A FULL DISK OF POSTGRES IS NOT TESTED: ${String(error)}`);
    return false;
  }
}

test.runIf(hasSmallDisks())(
  "a disk that is full fails as full, keeps what it held, and goes on when there is room",
  () => {
    const found = JSON.parse(onSmallDisk(process.execPath, childFile, "fill", folder));
    expect(found).toEqual({
      told: { code: "WAREHOUSE_FULL", retryable: true },
      kept: 10,
      ledger: 1,
      again: { code: "none", retryable: false },
      after: 2010,
    });
  },
);
