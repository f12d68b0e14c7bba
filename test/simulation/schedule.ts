/**
 * One schedule: real extracts and loads over a simulated world, from a seed.
 *
 * First the processes run in turns, with faults, while the partner's data change. Then the world is left in peace: the
 * partner has shown everything and `lag` has passed. One clean run of everything must now repair whatever was left
 * behind, and a second one must find nothing to do. Then the invariants are checked (`check-outcome.ts`, `check-log.ts`).
 *
 * Modelled: processes that die, pause, go on and run at once; operations that fail, lose their answer, or take effect
 * after their caller has died; late commits; values from the future, missing, `0001-01-01`; ties; clocks that differ;
 * pages over changing data; sorts that are not kept; gc and people who set a state while all this goes on.
 * Not modelled: a partner that breaks its declared `lag` or tolerance; torn objects (stores do not have them); restores
 * from backups; engines other than the memory warehouse.
 */

import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLeatError } from "../../src/errors/leat-error.ts";
import { commitEmpty } from "../../src/extract/commit-empty.ts";
import { editState } from "../../src/extract/edit-state.ts";
import type { ExtractMode, ExtractOutcome } from "../../src/extract/extract-job.ts";
import { extractStream } from "../../src/extract/extract-stream.ts";
import { type Collected, collectGarbage } from "../../src/landing/collect-garbage.ts";
import { loadStream } from "../../src/load/load-stream.ts";
import { toTenantId } from "../../src/model/ids.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import type { StreamReader, Tenant } from "../../src/ports/source.ts";
import type { Clock, Random } from "../../src/ports/world.ts";
import { openScanner as openFastScanner, openPlainScanner } from "../../src/scan/open-scanner.ts";
import {
  createMemoryStore,
  createMemoryWarehouse,
  createSeededRandom,
  type MemoryObjects,
  newMemoryTables,
  openScriptedReader,
  type SeededRandom,
} from "../../src/testing/index.ts";
import { drawEdit, modeOf } from "./draw-request.ts";
import { interposeStore, interposeWarehouse, sourceAction } from "./faulty-ports.ts";
import { Interleaving } from "./interleaving.ts";
import { createTenant, type ScriptedTenant } from "./partner-script.ts";
import { drawScenario, type PlannedRun, type Scenario } from "./scenario.ts";
import type { RunRecord, Simulation } from "./simulation.ts";
import { Violation } from "./violation.ts";

const never = new AbortController().signal;
const workFolder = join(tmpdir(), "leat-simulation-unused");

/** What faults and rivals may make of a run; any other code is a mistake of ours. */
const excused = new Set([
  "STATE_CONFLICT",
  "BUSY",
  "STORE_UNREADABLE",
  "STORE_UNWRITABLE",
  "WAREHOUSE_LOCKED",
  "SOURCE_FAILED",
  "SOURCE_TRUNCATED",
  "SOURCE_UNSTABLE",
  "SOURCE_CLOCK_OFF",
  "ORDER_BROKEN",
  "REFRESH_SHRANK",
  "RUN_BOUND_REACHED",
  "INTERRUPTED",
]);

/** Plays the schedule of a seed up to its peaceful end; throws a {@link Violation} where a run does what none may. */
export async function playSchedule(
  seed: number,
  options: { draw?: typeof drawScenario } = {},
): Promise<Simulation> {
  const random = createSeededRandom(seed);
  const scenario = (options.draw ?? drawScenario)(random.fork());
  const { paceMs, jumpMs, rates, startMs } = scenario;
  const turns = new Interleaving(random.fork(), { startMs, rates, paceMs, jumpMs });
  const world = createWorld(seed, scenario, turns, random.fork());
  try {
    await playRuns(world, turns, random);
    turns.note("peace");
    await repair(world);
    world.pass(quietMs(world));
    await repair(world);
    // A stream that had nothing usable until now has only just learned where its first window begins.
    await repair(world);
  } catch (error) {
    throw withTrace(error, world);
  }
  return world;
}

/** A violation that knows how to play it again. */
export function withTrace(error: unknown, world: Simulation): Error {
  const violation =
    error instanceof Violation ? error : new Violation("no code of ours throws", describeError(error));
  violation.message += `\n  seed ${world.seed}; ${describeScenario(world.scenario)}\n  ${world.trace.slice(-120).join("\n  ")}`;
  return violation;
}

const describeError = (error: unknown): string =>
  error instanceof Error ? `${error.stack ?? error.message}` : String(error);

function describeScenario(scenario: Scenario): string {
  return JSON.stringify(scenario, (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
}

type World = Simulation & {
  records: RunRecord[];
  spawn(turns: Interleaving, plan: PlannedRun): Promise<void>;
};

function createWorld(seed: number, scenario: Scenario, turns: Interleaving, random: SeededRandom): World {
  // To open the fast scanner costs more than a schedule's few records save: only one schedule in ten has it.
  const openScanner = seed % 10 === 0 ? openFastScanner : openPlainScanner;
  const objects: MemoryObjects = new Map();
  const tables = newMemoryTables();
  const records: RunRecord[] = [];
  const { spec, api } = scenario;
  const nowMs = (): number => turns.nowMs;
  const readPart = (path: string): Uint8Array | undefined => objects.get(path.replace(/^memory:/, ""))?.body;
  const store = createMemoryStore({ objects, nowMs });
  const warehouse = createMemoryWarehouse({ contents: tables, readPart });
  const tenants = Array.from({ length: scenario.tenantCount }, (_, index) =>
    createTenant(scenario, `t${index + 1}`, nowMs, random.fork()),
  );
  const progress = (): void => {};
  const peacefulRandom = random.fork();
  const toTenant = (tenant: ScriptedTenant): Tenant => ({
    id: toTenantId(tenant.id),
    fields: { places: scenario.partitions },
  });

  const extractWith = (
    ports: Readonly<{ store: ObjectStore; clock: Clock; random: Random }>,
    tenant: ScriptedTenant,
    reader: StreamReader,
    mode: ExtractMode,
    idempotencyKey?: string,
  ): Promise<ExtractOutcome> =>
    extractStream(
      { ...ports, progress, openScanner },
      {
        spec,
        tenant: toTenant(tenant),
        reader,
        mode,
        tenantColumn: "tenant_id",
        compression: "none",
        idempotencyKey,
        softDeadlineMs: undefined,
      },
      never,
    );

  type EditWorld = Readonly<{ store: ObjectStore; clock: Clock; random: Random }>;
  const place = (tenant: ScriptedTenant) => ({
    source: spec.source,
    stream: spec.name,
    tenant: toTenantId(tenant.id),
  });
  const editJob = (tenant: ScriptedTenant) => ({
    spec,
    tenant: toTenantId(tenant.id),
    tenantColumn: "tenant_id",
  });
  const collectWith = (ports: EditWorld, tenant: ScriptedTenant, runMsMax: number): Promise<Collected> =>
    collectGarbage(ports.store, place(tenant), {
      runMsMax,
      isDryRun: false,
      commitEmpty: () => commitEmpty({ ...ports, openScanner }, editJob(tenant)),
    });

  const peacefulClock: Clock = {
    nowMs,
    sleep: async (ms) => {
      turns.nowMs += ms;
    },
  };

  const spawn = async (_turns: Interleaving, plan: PlannedRun): Promise<void> => {
    const tenant = tenants[plan.tenant % tenants.length]!; // There is at least one.
    const record: RunRecord = {
      name: `${plan.kind}#${records.length + 1}`,
      plan,
      tenant: tenant.id,
      runId: undefined,
      status: "running",
      outcome: undefined,
      error: undefined,
    };
    records.push(record);
    const own = random.fork();
    const skewMs = own.between(-scenario.localSkewMs, scenario.localSkewMs);
    await turns.spawn(record.name, async (process) => {
      const clock: Clock = { nowMs: () => turns.nowMs + skewMs, sleep: (ms) => process.sleep(ms) };
      const ports = {
        store: createMemoryStore({ objects, nowMs, interpose: interposeStore(process) }),
        clock,
        random: {
          fraction: own.fraction,
          newRunId: () => {
            record.runId = own.newRunId();
            return record.runId as ReturnType<Random["newRunId"]>; // Just drawn.
          },
        },
      };
      const reader = openScriptedReader({
        partner: tenant.partner,
        api,
        spec,
        clock,
        gate: async (what) => {
          if (own.chance(scenario.slowAnswers)) await process.sleep(own.below(scenario.slowMs));
          await process.act(sourceAction(what), () => {
            if (own.chance(scenario.sourceFailures)) throw sourceAction(what).fault("failed");
          });
        },
        breaksOff: () => own.chance(scenario.sourceFailures),
      });
      try {
        turns.note(`${record.name}: is for ${tenant.id}`);
        if (plan.kind === "load") {
          const ofProcess = createMemoryWarehouse({
            contents: tables,
            readPart,
            interpose: interposeWarehouse(process),
            newId: own.newRunId,
          });
          const outcome = await loadStream(
            { store: ports.store, warehouse: ofProcess, progress, workFolder },
            spec,
            tenants.map((each) => toTenantId(each.id)),
            never,
          );
          for (const one of outcome.tenants) if (one.error !== undefined) throw one.error;
        } else if (plan.kind === "edit") {
          await editState({ ...ports, openScanner }, editJob(tenant), drawEdit(world, tenant.id, own));
        } else if (plan.kind === "gc") {
          // Files of runs that still go on are as good as any: what keeps them is not their age.
          await collectWith(ports, tenant, own.pick([0, spec.bounds.runMsMax]));
        } else {
          record.outcome = await extractWith(
            ports,
            tenant,
            reader,
            modeOf(plan, world, own),
            plan.idempotencyKey,
          );
        }
        record.status = "ended";
        turns.note(
          `${record.name}: ended ${record.outcome?.status ?? ""} seqs ${record.outcome?.seqs.join(",") ?? ""}`,
        );
      } catch (error) {
        record.status = "failed";
        if (!isLeatError(error) || !excused.has(error.code)) {
          throw new Violation(
            "runs fail only as the world makes them",
            `${record.name}: ${describeError(error)}`,
          );
        }
        record.error = error;
        turns.note(`${record.name}: failed ${error.code}: ${error.message}`);
      }
    });
  };

  const world: World = {
    seed,
    scenario,
    objects,
    tables,
    tenants,
    records,
    trace: turns.trace,
    nowMs,
    warehouse,
    store,
    spawn,
    extract: (tenant, mode) => {
      const reader = openScriptedReader({ partner: tenant.partner, api, spec, clock: peacefulClock });
      return extractWith({ store, clock: peacefulClock, random: peacefulRandom }, tenant, reader, mode);
    },
    load: (into = warehouse) =>
      loadStream(
        { store, warehouse: into, progress, workFolder },
        spec,
        tenants.map((each) => toTenantId(each.id)),
        never,
      ),
    collect: (tenant) => collectWith({ store, clock: peacefulClock, random: peacefulRandom }, tenant, 0),
    pass: (ms) => {
      turns.nowMs += ms;
    },
  };
  return world;
}

async function playRuns(world: World, turns: Interleaving, random: SeededRandom): Promise<void> {
  const { scenario } = world;
  for (const tenant of world.tenants) {
    const own = random.fork();
    await turns.spawn(
      `partner ${tenant.id}`,
      async (process) => {
        for (let count = 0; count < scenario.habits.changeCount; count++) {
          await process.sleep(own.below(scenario.habits.changeEveryMs * 2));
          turns.note(`partner ${tenant.id}: changes`);
          tenant.change();
        }
      },
      { isImmortal: true },
    );
  }
  const planned = [...scenario.runs];
  for (;;) {
    const isFree = turns.aliveRunCount < scenario.concurrentMax;
    if (planned.length > 0 && isFree && random.chance(turns.aliveRunCount === 0 ? 0.3 : 0.05)) {
      await world.spawn(turns, planned.shift()!);
    }
    if (!(await turns.step()) && planned.length === 0) break;
  }
}

/** Lets everything be read and loaded in peace, as often as it says that more is waiting. */
async function repair(world: World): Promise<void> {
  const isReplace = world.scenario.spec.writeDisposition === "replace";
  const mode: ExtractMode = isReplace ? { kind: "refresh", confirmShrink: true } : { kind: "incremental" };
  for (const tenant of world.tenants) {
    tenant.finish();
    for (let count = 1; ; count++) {
      if (count > 400) throw new Violation("a run comes to its end", `tenant ${tenant.id} always has more`);
      try {
        const outcome = await world.extract(tenant, mode);
        world.trace.push(
          `peace: ${tenant.id} ${outcome.status} ${outcome.seqs.join(",")} hasMore ${outcome.hasMore}`,
        );
        if (!outcome.hasMore) break;
      } catch (error) {
        if (!isLeatError(error)) throw error;
        world.trace.push(`peace: ${tenant.id} ${error.code}: ${error.message}`);
        if (error.code === "BUSY") world.pass(world.scenario.spec.bounds.runMsMax);
        else if (error.code !== "ORDER_BROKEN") throw error;
      }
    }
  }
  const outcome = await world.load();
  for (const one of outcome.tenants) {
    world.trace.push(`peace: loaded ${one.tenant} up to ${one.seq}`);
    if (one.error !== undefined) throw new Violation("a load in peace succeeds", describeError(one.error));
  }
}

/** After this long without a change every record can be read, whatever the clocks say. */
function quietMs(world: World): number {
  const { spec } = world.scenario;
  const lagMs =
    spec.cursor === undefined || spec.cursor.format === "integer" ? 0 : Number(spec.cursor.lag / 1000n);
  const unitMs = spec.cursor?.range?.startFormat === "date" ? 2 * 86_400_000 : 2000;
  const aheadMs = Math.max(...world.tenants.map((tenant) => tenant.greatestMs() - world.nowMs()), 0);
  return aheadMs + lagMs + 2 * spec.bounds.clockToleranceMs + unitMs;
}
