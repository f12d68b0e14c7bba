/** Deployments and schedules; a tick makes one run (F11). */
import type { JsonValue } from "../../model/json-value.ts";
import type { NewRun } from "../../model/run-record.ts";
import type {
  DeploymentRecord,
  ScheduleRecord,
  ScheduleSpec,
  ScheduleTicks,
} from "../../model/run-schedule.ts";
import type { Submitted } from "../../ports/ledger.ts";
import { lockName } from "./locks.ts";
import { parseOwn } from "./run-rows.ts";
import { submitWithin } from "./submit-run.ts";
import type { LedgerTransaction, LedgerWorld, ScheduleRow } from "./tables.ts";

/** See `Ledger.saveDeployments`. */
export async function saveDeployments(
  world: LedgerWorld,
  deployments: readonly DeploymentRecord[],
  schedules: readonly ScheduleSpec[],
): Promise<void> {
  await world.db.transaction().execute(async (db) => {
    await lockName(db, world.engine, "deployments");
    await db.deleteFrom("deployment").execute();
    for (const deployment of deployments) {
      await db
        .insertInto("deployment")
        .values({
          name: deployment.name,
          flow: deployment.flow,
          description: deployment.description,
          pool: deployment.pool,
          params: JSON.stringify(deployment.params),
          params_schema: JSON.stringify(deployment.paramsSchema),
          code_version: deployment.codeVersion,
          about: JSON.stringify(deployment.about),
          saved_at: world.nowMs(),
        })
        .execute();
    }
    await saveSchedules(world, db, schedules);
  });
}

/** A schedule that is still there keeps whether it is paused, and its cursor where its ticks are the same. */
async function saveSchedules(
  world: LedgerWorld,
  db: LedgerTransaction,
  schedules: readonly ScheduleSpec[],
): Promise<void> {
  const rows = await db.selectFrom("schedule").selectAll().execute();
  const known = new Map(rows.map((row) => [row.id, row]));
  await db.deleteFrom("schedule").execute();
  for (const schedule of schedules) {
    const before = known.get(schedule.id);
    const ticks = JSON.stringify(schedule.ticks);
    await db
      .insertInto("schedule")
      .values({
        id: schedule.id,
        deployment: schedule.deployment,
        ticks,
        catch_up: schedule.catchUp,
        params: JSON.stringify(schedule.params),
        late_after_ms: schedule.lateAfterMs,
        is_paused: before?.is_paused ?? 0,
        cursor_at: before?.ticks === ticks ? before.cursor_at : world.nowMs(),
      })
      .execute();
  }
}

export async function listDeployments(world: LedgerWorld): Promise<readonly DeploymentRecord[]> {
  const rows = await world.db.selectFrom("deployment").selectAll().orderBy("name").execute();
  return rows.map((row) => ({
    name: row.name,
    flow: row.flow,
    description: row.description,
    pool: row.pool,
    params: parseOwn<JsonValue>(row.params),
    paramsSchema: parseOwn<JsonValue>(row.params_schema),
    codeVersion: row.code_version,
    about: parseOwn<JsonValue>(row.about),
    savedAtMs: row.saved_at,
  }));
}

export async function listSchedules(world: LedgerWorld): Promise<readonly ScheduleRecord[]> {
  const rows = await world.db.selectFrom("schedule").selectAll().orderBy("id").execute();
  return rows.map(toSchedule);
}

const toSchedule = (row: ScheduleRow): ScheduleRecord => ({
  id: row.id,
  deployment: row.deployment,
  ticks: parseOwn<ScheduleTicks>(row.ticks),
  catchUp: row.catch_up,
  params: parseOwn<JsonValue>(row.params),
  lateAfterMs: row.late_after_ms,
  isPaused: row.is_paused === 1,
  cursorMs: row.cursor_at,
});

/** See `Ledger.setPaused`. */
export async function setPaused(
  world: LedgerWorld,
  id: string,
  isPaused: boolean,
): Promise<"changed" | "unknown"> {
  const { numUpdatedRows } = await world.db
    .updateTable("schedule")
    .set(isPaused ? { is_paused: 1 } : { is_paused: 0, cursor_at: world.nowMs() })
    .where("id", "=", id)
    .where("is_paused", "=", isPaused ? 0 : 1)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return "changed";
  const row = await world.db.selectFrom("schedule").select("id").where("id", "=", id).executeTakeFirst();
  return row === undefined ? "unknown" : "changed"; // It was so already.
}

/** See `Ledger.fireSchedule`. */
export async function fireSchedule(
  world: LedgerWorld,
  id: string,
  cursor: Readonly<{ fromMs: number; toMs: number }>,
  runs: readonly NewRun[],
): Promise<readonly Submitted[] | "moved"> {
  return world.db
    .transaction()
    .execute(async (db) => {
      const submitted: Submitted[] = [];
      for (const run of runs) submitted.push(await submitWithin(world, db, run));
      const { numUpdatedRows } = await db
        .updateTable("schedule")
        .set({ cursor_at: cursor.toMs })
        .where("id", "=", id)
        .where("cursor_at", "=", cursor.fromMs)
        .where("is_paused", "=", 0)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw new CursorMoved();
      return submitted;
    })
    .catch((error: unknown) => {
      if (error instanceof CursorMoved) return "moved" as const;
      throw error;
    });
}

/** Undoes the transaction. */
class CursorMoved extends Error {}
