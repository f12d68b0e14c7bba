/** Tables of the ledger as Kysely knows them. Instants are ms since the epoch, flags 0 or 1, JSON is text: alike in both engines. */
import type { Generated, Insertable, Kysely, Selectable, Transaction } from "kysely";
import type { LogLevel, TaskKind } from "../../model/run-record.ts";
import type { CatchUp } from "../../model/run-schedule.ts";
import type { RunMove, RunState } from "../../model/run-state.ts";
import type { TaskState } from "../../model/run-task-state.ts";

type RunTable = {
  id: string;
  flow: string;
  deployment: string;
  pool: string;
  state: RunState;
  params: string;
  priority: number;
  cause: string;
  /** Where it belongs. */
  root_id: string;
  parent_id: string | null;
  parent_key: string | null;
  idempotency_key: string | null;
  coalesce_key: string | null;
  limit_key: string | null;
  limit_count: number | null;
  limit_conflict: string | null;
  /** Whether it counts against its key (F8). */
  holds_key: number;
  attempt: number;
  lost_count: number;
  retry_count: number;
  worker_id: string | null;
  code_version: string | null;
  is_code_changed: number;
  created_at: number;
  /** When it was queued last. */
  queued_at: number;
  start_at: number;
  scheduled_at: number | null;
  late_at: number | null;
  is_late: number;
  started_at: number | null;
  ended_at: number | null;
  wake_at: number | null;
  cancel_reason: string | null;
  error: string | null;
  result: string | null;
  result_ref: string | null;
  result_bytes: number | null;
  /** Whom its parameters name; `null`: nobody, or several. */
  tenant: string | null;
};

type AttemptTable = {
  run_id: string;
  attempt: number;
  worker_id: string;
  code_version: string | null;
  started_at: number;
  ended_at: number | null;
  end_move: RunMove | null;
};

type TaskTable = {
  run_id: string;
  key: string;
  name: string;
  kind: TaskKind;
  ordinal: number;
  state: TaskState;
  attempt: number;
  try_count: number;
  input: string | null;
  limit_name: string | null;
  is_cached: number;
  produces: string;
  consumes: string;
  result: string | null;
  result_ref: string | null;
  result_bytes: number | null;
  error: string | null;
  opened_at: number;
  started_at: number | null;
  ended_at: number | null;
  retry_at: number | null;
  wake_at: number | null;
};

type CacheTable = {
  key: string;
  run_id: string;
  result: string | null;
  result_ref: string | null;
  result_bytes: number | null;
  expires_at: number;
};

type LogTable = {
  id: Generated<number>;
  run_id: string;
  attempt: number;
  writer: string;
  seq: number;
  at: number;
  level: LogLevel;
  task_key: string | null;
  message: string;
  data: string | null;
};

type EventTable = {
  id: Generated<number>;
  at: number;
  kind: string;
  subject: string;
  run_id: string | null;
  data: string;
  dedup_key: string | null;
  is_handled: number;
};

type ArtifactTable = {
  run_id: string;
  name: string;
  kind: string;
  task_key: string | null;
  data: string;
  updated_at: number;
};

type DeploymentTable = {
  name: string;
  flow: string;
  description: string;
  pool: string;
  params: string;
  params_schema: string;
  code_version: string | null;
  about: string;
  saved_at: number;
};

type ScheduleTable = {
  id: string;
  deployment: string;
  ticks: string;
  catch_up: CatchUp;
  params: string;
  late_after_ms: number | null;
  is_paused: number;
  cursor_at: number;
};

type WorkerTable = {
  id: string;
  kind: "worker" | "foreground";
  pools: string;
  slots: number;
  host: string;
  pid: number;
  code_version: string | null;
  lease_ms: number;
  started_at: number;
  seen_at: number;
};

type LeaseTable = { name: string; holder: string; until_at: number };

/** Everything, by the name of its table. */
export type LedgerTables = {
  ledger_version: { version: number };
  run: RunTable;
  attempt: AttemptTable;
  task: TaskTable;
  task_cache: CacheTable;
  log: LogTable;
  event: EventTable;
  artifact: ArtifactTable;
  deployment: DeploymentTable;
  schedule: ScheduleTable;
  worker: WorkerTable;
  lease: LeaseTable;
};

export type RunRow = Selectable<RunTable>;
export type NewRunRow = Insertable<RunTable>;
export type AttemptRow = Selectable<AttemptTable>;
export type TaskRow = Selectable<TaskTable>;
export type LogRow = Selectable<LogTable>;
export type EventRow = Selectable<EventTable>;
export type ArtifactRow = Selectable<ArtifactTable>;
export type DeploymentRow = Selectable<DeploymentTable>;
export type ScheduleRow = Selectable<ScheduleTable>;
export type WorkerRow = Selectable<WorkerTable>;

/** The database, or a transaction of it. */
export type LedgerDb = Kysely<LedgerTables>;
export type LedgerTransaction = Transaction<LedgerTables>;

/** What the two engines do differently. */
export type LedgerEngine = Readonly<{
  name: "sqlite" | "postgres";
  /** Shared by many writers at once, so that rows and names have to be locked. SQLite has one writer at a time. */
  hasManyWriters: boolean;
}>;

/** What every part of the ledger works with. */
export type LedgerWorld = Readonly<{
  db: LedgerDb;
  engine: LedgerEngine;
  nowMs: () => number;
}>;
