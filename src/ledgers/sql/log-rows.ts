/** Lines of logs and artifacts, written under the fence of their run (F3). */
import type { JsonObject, JsonValue } from "../../model/json-value.ts";
import { type FlowRunId, toFlowRunId } from "../../model/run-ids.ts";
import type { Artifact, ArtifactKind, Fence, LogLine, NewLogLine } from "../../model/run-record.ts";
import type { LogFilter, LogWriter } from "../../ports/ledger.ts";
import { type Fenced, writeFenced } from "./fence.ts";
import { parseOwn, toText } from "./run-rows.ts";
import type { LedgerTransaction, LedgerWorld, LogRow } from "./tables.ts";

/** Lines of one statement: ten parameters each stay below what Postgres (65,535) and SQLite (32,766) take. */
const linesPerInsert = 500;

/** Lines that one call reads at most, and as a rule. */
const linesMax = 10_000;
const linesUsual = 1000;

/**
 * See `Ledger.appendLogs`.
 *
 * A watching process may add lines after the attempt has ended: what the flow wrote last comes out of its pipe later than
 * its end does. Only a new attempt shuts it out.
 */
export async function appendLogs(
  world: LedgerWorld,
  fence: Fence,
  writer: LogWriter,
  lines: readonly NewLogLine[],
): Promise<Fenced<"written">> {
  if (writer === "flow") {
    return writeFenced<"written">(world, fence, async (db) => insertLines(db, fence, writer, lines));
  }
  return world.db.transaction().execute(async (db) => {
    const run = await db
      .selectFrom("run")
      .select("id")
      .where("id", "=", fence.runId)
      .where("attempt", "=", fence.attempt)
      .$if(world.engine.hasManyWriters, (query) => query.forShare())
      .executeTakeFirst();
    return run === undefined ? "fenced" : insertLines(db, fence, writer, lines);
  });
}

async function insertLines(
  db: LedgerTransaction,
  fence: Fence,
  writer: LogWriter,
  lines: readonly NewLogLine[],
): Promise<"written"> {
  for (let from = 0; from < lines.length; from += linesPerInsert) {
    await db
      .insertInto("log")
      .values(
        lines.slice(from, from + linesPerInsert).map((line) => ({
          run_id: fence.runId,
          attempt: fence.attempt,
          writer,
          seq: line.seq,
          at: line.atMs,
          level: line.level,
          task_key: line.taskKey,
          message: toText(line.message),
          data: line.data === null ? null : JSON.stringify(line.data),
        })),
      )
      .onConflict((conflict) => conflict.columns(["run_id", "attempt", "writer", "seq"]).doNothing())
      .execute();
  }
  return "written";
}

export async function readLogs(
  world: LedgerWorld,
  id: FlowRunId,
  filter: LogFilter,
): Promise<readonly LogLine[]> {
  let query = world.db.selectFrom("log").selectAll().where("run_id", "=", id).orderBy("id");
  if (filter.afterId !== undefined) query = query.where("id", ">", filter.afterId);
  if (filter.taskKey !== undefined) query = query.where("task_key", "=", filter.taskKey);
  if (filter.levels !== undefined) query = query.where("level", "in", filter.levels);
  if (filter.attempt !== undefined) query = query.where("attempt", "=", filter.attempt);
  const rows = await query.limit(Math.min(filter.limit ?? linesUsual, linesMax)).execute();
  return rows.map(toLogLine);
}

const toLogLine = (row: LogRow): LogLine => ({
  id: row.id,
  runId: toFlowRunId(row.run_id),
  attempt: row.attempt,
  atMs: row.at,
  level: row.level,
  taskKey: row.task_key,
  message: row.message,
  data: row.data === null ? null : parseOwn<JsonObject>(row.data),
});

/** See `Ledger.saveArtifact`. */
export async function saveArtifact(
  world: LedgerWorld,
  fence: Fence,
  artifact: Omit<Artifact, "runId" | "updatedAtMs">,
): Promise<Fenced<"written">> {
  return writeFenced<"written">(world, fence, async (db) => {
    const columns = {
      kind: artifact.kind,
      task_key: artifact.taskKey,
      data: JSON.stringify(artifact.data),
      updated_at: world.nowMs(),
    };
    await db
      .insertInto("artifact")
      .values({ run_id: fence.runId, name: artifact.name, ...columns })
      .onConflict((conflict) => conflict.columns(["run_id", "name"]).doUpdateSet(columns))
      .execute();
    return "written";
  });
}

export async function listArtifacts(world: LedgerWorld, id: FlowRunId): Promise<readonly Artifact[]> {
  const rows = await world.db
    .selectFrom("artifact")
    .selectAll()
    .where("run_id", "=", id)
    .orderBy("name")
    .execute();
  return rows.map((row) => ({
    runId: id,
    name: row.name,
    kind: row.kind as ArtifactKind, // One of the texts that were written.
    taskKey: row.task_key,
    data: parseOwn<JsonValue>(row.data),
    updatedAtMs: row.updated_at,
  }));
}
