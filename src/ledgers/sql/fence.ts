/** The fence: what an attempt writes is taken only while it owns a live run (F3). */
import type { QueryCreator, QueryCreatorWithCommonTableExpression, SelectQueryBuilder } from "kysely";
import type { Fence } from "../../model/run-record.ts";
import { liveRunStates } from "../../model/run-state.ts";
import type { LedgerDb, LedgerTables, LedgerTransaction, LedgerWorld } from "./tables.ts";

/** What a write within a fence came to. */
export type Fenced<T extends string> = T | "fenced";

/**
 * Writes for an attempt, in one transaction with the look at who owns the run.
 *
 * Where there are many writers the run's row is locked against a change of owner: whoever takes the run over waits until
 * this has been written, or this waits and then sees that the run is another's.
 */
export function writeFenced<T extends string>(
  world: LedgerWorld,
  fence: Fence,
  write: (db: LedgerTransaction) => Promise<T>,
): Promise<Fenced<T>> {
  return world.db.transaction().execute(async (db): Promise<Fenced<T>> => {
    if (!(await holdsFence(db, world, fence))) return "fenced";
    return write(db);
  });
}

/** Whether an attempt owns a live run; in a transaction it stays so until the end of it. */
export async function holdsFence(db: LedgerDb, world: LedgerWorld, fence: Fence): Promise<boolean> {
  return (await selectFence(db, world, fence).executeTakeFirst()) !== undefined;
}

/** A statement that can look, in `fence`, whether the attempt owns a live run: it has one row then, and else none. */
export function withFence(
  world: LedgerWorld,
  db: LedgerDb,
  fence: Fence,
): QueryCreatorWithCommonTableExpression<LedgerTables, "fence", FenceQuery> {
  return db.with("fence", (creator) => selectFence(creator, world, fence));
}

type FenceQuery = (creator: QueryCreator<LedgerTables>) => ReturnType<typeof selectFence>;

const selectFence = (
  creator: QueryCreator<LedgerTables>,
  world: LedgerWorld,
  fence: Fence,
): SelectQueryBuilder<LedgerTables, "run", { id: string }> =>
  creator
    .selectFrom("run")
    .select("id")
    .where("id", "=", fence.runId)
    .where("attempt", "=", fence.attempt)
    .where("state", "in", liveRunStates)
    .$if(world.engine.hasManyWriters, (query) => query.forShare());
