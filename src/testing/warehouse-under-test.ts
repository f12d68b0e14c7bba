/** An empty warehouse for one test of the contract, with a stream to load and packages made by hand. */
import assert from "node:assert/strict";
import { isLeatError, type LeatError } from "../errors/leat-error.ts";
import { earliestUs } from "../model/cursor.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { BatchReceipt, PackageToLoad, Warehouse } from "../ports/warehouse.ts";
import { type LandedPackageOptions, landPackage, reopenFrom } from "./landed-package.ts";
import type { DefineTest } from "./object-store-contract.ts";

/** A new, empty place, opened for one test. */
export type WarehouseUnderTest = Readonly<{
  warehouse: Warehouse;
  /** Opens the same place once more, as another process would. */
  reopen: () => Promise<Warehouse>;
  /** Opens a new, empty place of the same kind, thrown away with this one. */
  openAnother: () => Promise<Warehouse>;
  /** The embedded engine's name of a type of this one's; default: they are the same. */
  typeNameOf?: (type: string) => string;
  /** Whether text may hold U+0000; default true. Where it may not, such a record is a reject. */
  hasNul?: boolean;
  /** A folder for landed parts. */
  folder: string;
  /** Throws the place away. */
  dispose: () => Promise<void>;
}>;

/** A stream with a key and a modification time, changed as a test wants it. */
export function makeStreamSpec(changes: Partial<StreamSpec> = {}): StreamSpec {
  return {
    source: "metrc",
    name: "metrc_plants",
    primaryKey: ["id"],
    cursor: {
      field: "modified",
      format: "iso",
      zone: "UTC",
      minimum: earliestUs + 1n,
      initial: undefined,
      lag: 0n,
      range: undefined,
    },
    writeDisposition: "append",
    contract: "evolve",
    columns: {},
    volatileFields: [],
    isSorted: false,
    trustOrder: false,
    stability: "trusted",
    currentBy: "cursor",
    deletedField: undefined,
    isMaterialized: false,
    landingTable: "gcs_metrc_plants",
    partitions: undefined,
    bounds: {
      pagesMax: 1000,
      passesMax: 5,
      windowsMax: 1000,
      quarantineShareMax: 0.1,
      checkpointBytes: 64 * 1024 * 1024,
      runMsMax: 3_600_000,
      shrinkShareMin: 0.5,
      clockToleranceMs: 60_000,
    },
    ...changes,
  };
}

/** What a test says of a package; tenant `414`, the next seq, and the place's folder unless told. */
export type LandChanges = Partial<Omit<LandedPackageOptions, "records" | "folder">>;

/** The place with what tests do over and over. */
export class WarehouseBench {
  readonly under: WarehouseUnderTest;
  readonly warehouse: Warehouse;
  readonly landed: PackageToLoad[] = [];

  constructor(under: WarehouseUnderTest) {
    this.under = under;
    this.warehouse = under.warehouse;
  }

  /** Lands a package without loading it. */
  async land(records: readonly string[], changes: LandChanges = {}): Promise<PackageToLoad> {
    const tenant = changes.tenant ?? "414";
    const seqs = this.landed.filter((pack) => pack.tenant === tenant).map((pack) => pack.seq);
    const options = { folder: this.under.folder, tenant, seq: Math.max(0, ...seqs) + 1, records };
    const pack = await landPackage({ ...options, ...changes });
    this.landed.push(pack);
    return pack;
  }

  /** Loads packages; those of earlier seqs can be reopened. */
  async load(
    spec: StreamSpec,
    packages: readonly PackageToLoad[],
    warehouse: Warehouse = this.warehouse,
  ): Promise<BatchReceipt> {
    return await warehouse.load(spec, packages, reopenFrom(this.landed), new AbortController().signal);
  }

  /** Lands one package and loads it. */
  async loadRecords(
    spec: StreamSpec,
    records: readonly string[],
    changes: LandChanges = {},
  ): Promise<BatchReceipt> {
    return await this.load(spec, [await this.land(records, changes)]);
  }

  /** Rows of a query. */
  async rows(sql: string, warehouse: Warehouse = this.warehouse): Promise<readonly (readonly unknown[])[]> {
    return (await warehouse.query(sql)).rows;
  }

  /** First column of a query's rows. */
  async values(sql: string): Promise<readonly unknown[]> {
    return (await this.rows(sql)).map((row) => row[0]);
  }

  /** A type's name as all engines' tests write it. */
  typeName(type: string): string {
    return this.under.typeNameOf?.(type) ?? type;
  }

  /** Types of a table's columns by name. */
  async types(table: string, warehouse: Warehouse = this.warehouse): Promise<Record<string, string>> {
    const { columns } = await warehouse.query(`SELECT * FROM ${table}`, { rowsMax: 0 });
    return Object.fromEntries(columns.map(({ name, type }) => [name, this.typeName(type)]));
  }
}

/** Defines tests that each get a bench of their own. */
export type CheckWarehouse = (name: string, run: (bench: WarehouseBench) => Promise<void>) => void;

/** Makes {@link CheckWarehouse} out of a runner's `test`. */
export function checkWarehouses(test: DefineTest, open: () => Promise<WarehouseUnderTest>): CheckWarehouse {
  return (name, run) => {
    test(name, async () => {
      const under = await open();
      try {
        await run(new WarehouseBench(under));
      } finally {
        await under.warehouse.close();
        await under.dispose();
      }
    });
  };
}

/** The LeatError that `act` must end with. */
export async function failureOf(act: Promise<unknown>, code: string): Promise<LeatError> {
  try {
    await act;
  } catch (error) {
    assert.ok(isLeatError(error), `not a LeatError: ${error}`);
    assert.equal(error.code, code, error.message);
    return error;
  }
  assert.fail(`did not fail with ${code}`);
}

/** A record of the stream above. */
export const plant = (id: number, modified: string, more = ""): string =>
  `{"id":${id},"modified":${JSON.stringify(modified)}${more === "" ? "" : `,${more}`}}`;
