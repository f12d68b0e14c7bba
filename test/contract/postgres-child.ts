/**
 * A process beside the tests of the Postgres warehouse.
 *
 * `race URL FOLDER`: loads 20 packages of 100 records, one by one, and prints the seqs it loaded itself. `broken URL
 * FOLDER`: the load that the matrix of kills breaks. `fill FOLDER`: with a small disk at FOLDER, starts a server of its
 * own whose tables are there, loads until it is full, makes room, loads again, and prints what happened.
 */
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLeatError } from "../../src/errors/leat-error.ts";
import { toTenantId } from "../../src/model/ids.ts";
import { landPackage } from "../../src/testing/landed-package.ts";
import { makeStreamSpec, plant } from "../../src/testing/warehouse-under-test.ts";
import { startPostgres } from "../services/postgres.ts";
import { openAt, runSql } from "./postgres-place.ts";

const [act, first = "", folder = ""] = process.argv.slice(2);
const signal = new AbortController().signal;

async function race(url: string): Promise<void> {
  const spec = makeStreamSpec({ isMaterialized: true });
  const warehouse = openAt(url, { workFolder: folder });
  const mine: number[] = [];
  for (let seq = 1; seq <= 20; seq += 1) {
    const records = Array.from({ length: 100 }, (_, row) =>
      plant(seq * 1000 + row, "2024-01-01T00:00:00Z", `"exact":${row}.12345678901234567`),
    );
    const pack = await landPackage({ folder, tenant: "414", seq, records });
    const { packages } = await warehouse.load(spec, [pack], async () => pack, signal);
    mine.push(...packages.map((receipt) => receipt.seq));
  }
  process.stdout.write(JSON.stringify(mine));
}

async function fill(disk: string): Promise<void> {
  const server = await startPostgres();
  const parts = await mkdtemp(join(tmpdir(), "leat-fill-"));
  try {
    const url = await server.newDatabase();
    const database = new URL(url).pathname.slice(1);
    const admin = url.replace(database, "postgres");
    await runSql(admin, `CREATE TABLESPACE small LOCATION '${disk}'`);
    await runSql(admin, `ALTER DATABASE ${database} SET TABLESPACE small`);
    const spec = makeStreamSpec();
    const warehouse = openAt(url, { workFolder: parts });
    const text = "x".repeat(1500); // Short enough to stay in its row.
    const land = (seq: number, count: number) =>
      landPackage({
        folder: parts,
        tenant: "414",
        seq,
        records: Array.from({ length: count }, (_, row) => plant(row, "2024-01-01", `"v":"${text}${row}"`)),
      });
    const load = async (pack: Awaited<ReturnType<typeof land>>) => {
      try {
        await warehouse.load(spec, [pack], async () => pack, signal);
        return { code: "none", retryable: false };
      } catch (error) {
        if (!isLeatError(error)) throw error;
        return { code: error.code, retryable: error.retryable };
      }
    };
    await load(await land(1, 10));
    writeFileSync(join(disk, "ballast"), Buffer.alloc(12 * 1024 * 1024));
    const big = await land(2, 12_000);
    const told = await load(big);
    const kept = (await warehouse.query("SELECT count(*) FROM gcs_metrc_plants")).rows[0]![0];
    const ledger = (await warehouse.readLedger(spec, toTenantId("414"))).length;
    rmSync(join(disk, "ballast"));
    const again = await load(await land(2, 2000));
    const after = (await warehouse.query("SELECT count(*) FROM gcs_metrc_plants")).rows[0]![0];
    process.stdout.write(JSON.stringify({ told, kept, ledger, again, after }));
  } finally {
    await server.stop();
    rmSync(parts, { recursive: true, force: true });
  }
}

if (act === "race") await race(first);
else if (act === "broken") {
  const hook = globalThis as { __leatArm?: () => void }; // Set by kill-hook.ts when that is loaded.
  const { loadSecond } = await import("../torture/postgres-matrix.ts");
  hook.__leatArm?.();
  await loadSecond(first, folder);
} else await fill(first);
