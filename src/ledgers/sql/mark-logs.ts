/** Where stretches of a log begin, and which of its lines hold a text: a log of a million lines is never read whole. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { type SelectQueryBuilder, sql } from "kysely";
import type { FlowRunId } from "../../model/run-ids.ts";
import type { FoundLine, LogChoice, LogMarks } from "../../ports/ledger.ts";
import type { LedgerTables, LedgerWorld } from "./tables.ts";

/** Marks of one log at most: with a thousand lines between two, ten million lines. */
const marksMax = 10_000;

/** Lines searched by one statement: a ledger in a file answers nobody else meanwhile, some 20 ms. */
const searchedAtOnce = 20_000;

/** Marks found before others have their turn. */
const stepsAtOnce = 50;

type Lines = SelectQueryBuilder<LedgerTables, "log", object>;

/** The chosen lines of a run. */
function chosen(world: LedgerWorld, id: FlowRunId, choice: LogChoice): Lines {
  let query: Lines = world.db.selectFrom("log").where("run_id", "=", id);
  if (choice.taskKey !== undefined) query = query.where("task_key", "=", choice.taskKey);
  if (choice.levels !== undefined) query = query.where("level", "in", choice.levels);
  if (choice.attempt !== undefined) query = query.where("attempt", "=", choice.attempt);
  return query;
}

const place = sql<number>`row_number() over (order by id) - 1`.as("place");

/**
 * Ids of the first line and of each `every`-th after it. A step over so many entries of the index at a time: numbering a
 * million lines in one statement took two seconds, in which a ledger in a file answers nobody else.
 */
async function readMarks(
  world: LedgerWorld,
  id: FlowRunId,
  choice: LogChoice,
  every: number,
): Promise<readonly number[]> {
  const marks: number[] = [];
  let next = chosen(world, id, choice);
  while (marks.length < marksMax) {
    const mark = await next.select("id").orderBy("id").limit(1).executeTakeFirst();
    if (mark === undefined) break;
    marks.push(Number(mark.id));
    next = chosen(world, id, choice)
      .where("id", ">", mark.id)
      .offset(every - 1);
    if (marks.length % stepsAtOnce === 0) await nextTurn();
  }
  return marks;
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
  const told = { count: Number(total.count), lastId: total.last === null ? null : Number(total.last) };
  if (lineId === undefined)
    return { ...told, marks: await readMarks(world, id, choice, every), before: null };
  const before = await chosen(world, id, choice)
    .select(sql<number>`count(*)`.as("count"))
    .where("id", "<", lineId)
    .executeTakeFirstOrThrow();
  return { ...told, marks: [], before: Number(before.count) };
}

/** See `Ledger.findLogs`. */
export async function findLogs(
  world: LedgerWorld,
  id: FlowRunId,
  choice: LogChoice,
  { text, limit, signal }: Readonly<{ text: string; limit: number; signal: AbortSignal | undefined }>,
): Promise<readonly FoundLine[]> {
  // What people type is no pattern.
  const pattern = `%${text.toLowerCase().replaceAll(/[\\%_]/g, "\\$&")}%`;
  const starts = await readMarks(world, id, choice, searchedAtOnce);
  const found: FoundLine[] = [];
  for (const [at, start] of starts.entries()) {
    await nextTurn();
    if (signal?.aborted) break;
    const end = starts[at + 1] ?? Number.MAX_SAFE_INTEGER;
    const lines = await world.db
      .selectFrom(
        chosen(world, id, choice)
          .select(["id", "message", "data"])
          .select(place)
          .where("id", ">=", start)
          .where("id", "<", end)
          .as("line"),
      )
      .select(["line.id", "line.place"])
      .where(sql<boolean>`lower(line.message || ' ' || coalesce(line.data, '')) like ${pattern} escape '\\'`)
      .orderBy("line.id")
      .limit(limit - found.length)
      .execute();
    found.push(
      ...lines.map((line) => ({ id: Number(line.id), place: at * searchedAtOnce + Number(line.place) })),
    );
    if (found.length >= limit) break;
  }
  return found;
}
