/** What a played schedule leaves to look at. */
import type { LeatError } from "../../src/errors/leat-error.ts";
import type { ExtractMode, ExtractOutcome } from "../../src/extract/extract-job.ts";
import type { Collected } from "../../src/landing/collect-garbage.ts";
import type { LoadOutcome } from "../../src/load/load-outcome.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { MemoryObjects, MemoryTables, MemoryWarehouse } from "../../src/testing/index.ts";
import type { ScriptedTenant } from "./partner-script.ts";
import type { PlannedRun, Scenario } from "./scenario.ts";

/** What became of a run. */
export type RunRecord = {
  readonly name: string;
  readonly plan: PlannedRun;
  readonly tenant: string;
  runId: string | undefined;
  status: "running" | "ended" | "failed";
  outcome: ExtractOutcome | undefined;
  error: LeatError | undefined;
};

/** The world of a schedule. */
export type Simulation = Readonly<{
  seed: number;
  scenario: Scenario;
  objects: MemoryObjects;
  tables: MemoryTables;
  tenants: readonly ScriptedTenant[];
  records: readonly RunRecord[];
  trace: string[];
  nowMs(): number;
  /** A warehouse and a store over the same contents, without faults. */
  warehouse: MemoryWarehouse;
  store: ObjectStore;
  /** Runs an extract or a load in peace. */
  extract(tenant: ScriptedTenant, mode: ExtractMode): Promise<ExtractOutcome>;
  load(warehouse?: MemoryWarehouse): Promise<LoadOutcome>;
  collect(tenant: ScriptedTenant): Promise<Collected>;
  pass(ms: number): void;
}>;
