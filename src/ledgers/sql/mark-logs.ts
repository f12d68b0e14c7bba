/** Where stretches of a log begin, and which of its lines hold a text: a log of a million lines is never read whole. */
import { type SelectQueryBuilder, sql } from "kysely";
import type { FlowRunId } from "../../model/run-ids.ts";
import type { FoundLine, LogChoice, LogMarks } from "../../ports/ledger.ts";
import type { LedgerTables, LedgerWorld } from "./tables.ts";

/** Marks of one log at most: with a thousand lines between two, ten million lines. */
const marksMax = 10_000;

/** Lines of a run that are chosen, numbered from 0 in their order. */
function numbered(world: LedgerWorld, id: FlowRunId, choice: LogChoice) {
  let query = world.db
    .selectFrom("log")
    .select(["id", "message", "data"])
    .select(sql<number>`row_number() over (order by id) - 1`.as("place"))
    .where("run_id", "=", id);
  if (choice.taskKey !== undefined) query = query.where("task_key", "=", choice.taskKey);
  if (choice.levels !== undefined) query = query.where("level", "in", choice.levels);
  if (choice.attempt !== undefined) query = query.where("attempt", "=", choice.attempt);
  return query.as("line");
}

/** See `Ledger.markLogs`. */
export async function markLogs(
  world: LedgerWorld,
  id: FlowRunId,
  choice: LogChoice,
  { every, lineId }: Readonly<{ every: number; lineId: number | undefined }>,
): Promise<LogMarks> {
  const total = await chosen(world, id, choice)
    .select([sql<number>`count(*)`.as("count"), sql<number | null>`max(id)`.as("last")])
    .executeTakeFirstOrThrow();
  const marks = await world.db
    .selectFrom(numbered(world, id, choice))
    .select("line.id")
    .where(sql<number>`line.place % ${sql.lit(every)}`, "=", 0)
    .orderBy("line.id")
    .limit(marksMax)
    .execute();
  const before =
    lineId === undefined
      ? undefined
      : await chosen(world, id, choice)
          .select(sql<number>`count(*)`.as("count"))
          .where("id", "<", lineId)
          .executeTakeFirstOrThrow();
  return {
    count: Number(total.count),
    lastId: total.last === null ? null : Number(total.last),
    marks: marks.map((mark) => Number(mark.id)),
    before: before === undefined ? null : Number(before.count),
  };
}

function chosen(
  world: LedgerWorld,
  id: FlowRunId,
  choice: LogChoice,
): SelectQueryBuilder<LedgerTables, "log", object> {
  let query = world.db.selectFrom("log").where("run_id", "=", id);
  if (choice.taskKey !== undefined) query = query.where("task_key", "=", choice.taskKey);
  if (choice.levels !== undefined) query = query.where("level", "in", choice.levels);
  if (choice.attempt !== undefined) query = query.where("attempt", "=", choice.attempt);
  return query;
}

/** See `Ledger.findLogs`. */
export async function findLogs(
  world: LedgerWorld,
  id: FlowRunId,
  choice: LogChoice,
  { text, limit }: Readonly<{ text: string; limit: number }>,
): Promise<readonly FoundLine[]> {
  // What people type is no pattern.
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, "\\$&")}%`;
  const found = await world.db
    .selectFrom(numbered(world, id, choice))
    .select(["line.id", "line.place"])
    .where(sql<boolean>`lower(line.message || ' ' || coalesce(line.data, '')) like ${pattern} escape '\\'`)
    .orderBy("line.id")
    .limit(limit)
    .execute();
  return found.map((line) => ({ id: Number(line.id), place: Number(line.place) }));
}
