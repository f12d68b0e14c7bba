/** Work on a stream in BigQuery as chance has it: after each step its heads are held against the ledger, row by row. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type TenantId, toTenantId } from "../../src/model/ids.ts";
import type { PackageToLoad } from "../../src/ports/warehouse.ts";
import { makeStreamSpec, plant, WarehouseBench } from "../../src/testing/warehouse-under-test.ts";
import { turnTable } from "../../src/warehouses/bigquery/turn-table.ts";
import type { BigQueryPlace } from "./bigquery-place.ts";

/** A package that comes: whose, how many records, what is in them, and whether it begins a generation. */
type Parcel = Readonly<{ tenant: string; size: number; cell: string; isRefresh: boolean }>;

/** `again`: packages that are there already; `older`: the version before this one loads a package without records. */
export type HeadStep =
  | Readonly<{ kind: "load" | "at once"; parcels: readonly Parcel[] }>
  | Readonly<{ kind: "again" | "prepare" | "forget" }>
  | Readonly<{ kind: "older"; tenant: string }>;

const tenant = fc.constantFrom("a", "b", "c'");
const parcel: fc.Arbitrary<Parcel> = fc.record({
  tenant,
  size: fc.integer({ min: 0, max: 2 }),
  // A type that changes has older packages read again; what a declared type does not take is rejected.
  cell: fc.constantFrom(
    '"v":1',
    '"v":0.5',
    '"v":"text"',
    '"w":true',
    '"w":7',
    '"declared":5',
    '"declared":"x"',
  ),
  isRefresh: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
});
const parcels = fc.array(parcel, { minLength: 1, maxLength: 3 });

export const anySteps: fc.Arbitrary<readonly HeadStep[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("load"), parcels }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("at once"), parcels }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("again", "prepare", "forget") }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("older"), tenant }) },
  ),
  { minLength: 8, maxLength: 12 },
);

const spec = makeStreamSpec({ columns: { declared: { type: "bigint" } } });
const places = { tenantColumn: "tenant_id", partitionColumn: undefined };

/** Plays the steps in a project of their own. */
export async function playSteps(
  { server, own, ...place }: BigQueryPlace,
  project: string,
  steps: readonly HeadStep[],
): Promise<void> {
  await server.addDataset(project, "warehouse");
  const open = () => place.open("", project);
  const bench = new WarehouseBench({ ...place, warehouse: open() });
  const work = new HeadWork(bench, open, (sql) => server.run(project, "warehouse", sql));
  await open().prepare(spec, places); // There is something to ask.
  for (const step of steps) await work.play(step);
  // The engine's statements take longer with every table that there is.
  for (const dataset of ["warehouse", "metrc"]) await server.tables.dropDataset(project, dataset);
}

class HeadWork {
  readonly #bench: WarehouseBench;
  readonly #open: () => ReturnType<BigQueryPlace["open"]>;
  readonly #run: (sql: string) => Promise<void>;
  #seq = 0;
  readonly #generation = new Map<string, number>();

  constructor(
    bench: WarehouseBench,
    open: () => ReturnType<BigQueryPlace["open"]>,
    run: (sql: string) => Promise<void>,
  ) {
    this.#bench = bench;
    this.#open = open;
    this.#run = run;
  }

  async play(step: HeadStep): Promise<void> {
    switch (step.kind) {
      case "load":
        await this.#load(await this.#land(step.parcels));
        break;
      case "at once":
        await Promise.all((await this.#land(step.parcels)).map((pack) => this.#load([pack])));
        break;
      case "again":
        if (this.#bench.landed.length > 0) await this.#load(this.#bench.landed);
        break;
      case "prepare":
        await this.#open().prepare(spec, places);
        break;
      case "forget":
        await this.#open().forget(spec);
        break;
      default:
        await this.#loadAsBefore(await this.#landOne({ ...step, size: 0, cell: "", isRefresh: false }));
    }
    await this.#check(JSON.stringify(step));
  }

  async #land(all: readonly Parcel[]): Promise<PackageToLoad[]> {
    const packs: PackageToLoad[] = [];
    for (const one of all) packs.push(await this.#landOne(one));
    return packs;
  }

  async #landOne({ tenant, size, cell, isRefresh }: Parcel): Promise<PackageToLoad> {
    this.#seq += 1;
    if (isRefresh) this.#generation.set(tenant, this.#seq);
    const records = Array.from({ length: size }, (_, id) => plant(id, "2024-01-01", cell));
    const generation = this.#generation.get(tenant) ?? 0;
    return await this.#bench.land(records, {
      tenant,
      seq: this.#seq,
      generation,
      completesGeneration: generation === this.#seq,
    });
  }

  /** Loads, and holds the receipt against the ledger. */
  async #load(packs: readonly PackageToLoad[]): Promise<void> {
    const warehouse = this.#open();
    const { packages } = await this.#bench.load(spec, packs, warehouse);
    for (const { tenant, seq, loaded, rejected } of packages) {
      const row = (await warehouse.readLedger(spec, tenant)).find((one) => one.seq === seq);
      assert.deepEqual([loaded, rejected], [row?.loaded, row?.rejected], `receipt of ${tenant} ${seq}`);
    }
  }

  /** What the version before sends: it counts commits, and knows nothing of heads. */
  async #loadAsBefore({ tenant, seq, manifestHash, generation }: PackageToLoad): Promise<void> {
    const id = tenant.replace("'", "\\'");
    await this.#run(
      `BEGIN TRANSACTION;
       UPDATE ${turnTable(spec)} SET n = n + 1 WHERE TRUE;
       INSERT INTO _leat_loads
         (source, stream, tenant, seq, manifest_hash, loaded, rejected, generation, completes, loaded_at)
       VALUES ('metrc', 'metrc_plants', '${id}', ${seq}, '${manifestHash}', 0, 0, ${generation}, FALSE, CURRENT_TIMESTAMP());
       COMMIT TRANSACTION`,
    );
  }

  async #check(step: string): Promise<void> {
    const warehouse = this.#open();
    const heads = await warehouse.readLedgerHeads(spec);
    await warehouse.checkLedger(spec);
    const kept = new Map<TenantId, readonly number[]>();
    const { rows } = await warehouse.query(
      `SELECT tenant, seq, packages, loaded_total, refreshed FROM ${turnTable(spec)} WHERE tenant IS NOT NULL`,
    );
    for (const [id, ...sums] of rows) kept.set(toTenantId(String(id)), sums.map(Number));
    const count = await warehouse.query(`SELECT MAX(n) = MAX(heads_at) FROM ${turnTable(spec)}`);
    const isKept = count.rows[0]?.[0] === true;
    for (const id of ["a", "b", "c'"].map(toTenantId)) {
      const ledger = await warehouse.readLedger(spec, id);
      const newest = ledger.at(-1);
      assert.deepEqual(heads.get(id), newest, `${step}: head of ${id}`);
      if (!isKept) continue; // The ledger was read for that.
      const sums = newest && [
        newest.seq,
        ledger.length,
        ledger.reduce((sum, { loaded }) => sum + loaded, 0),
        ledger.filter(({ generation }) => generation !== 0).length,
      ];
      assert.deepEqual(kept.get(id), sums, `${step}: sums of ${id}`);
    }
  }
}
