/** Port: what outlives the processes that run flows. Adapters are under `ledgers/`; rules F1 to F18 are in docs/concepts/flows.md. */
import type { JsonValue } from "../model/json-value.ts";
import type { FlowRunId, WorkerId } from "../model/run-ids.ts";
import type {
  Artifact,
  Fence,
  FlowEvent,
  FlowRun,
  LogLevel,
  LogLine,
  NewEvent,
  NewLogLine,
  NewRun,
  RunAttempt,
  StoredError,
  StoredValue,
  TaskKind,
  TaskRun,
  WorkerRecord,
} from "../model/run-record.ts";
import type { DeploymentRecord, ScheduleRecord, ScheduleSpec } from "../model/run-schedule.ts";
import type { RunState } from "../model/run-state.ts";

/** What became of a run that was handed in. Runs in `cancelled` made way for it. */
export type Submitted = Readonly<{
  /** `exists`: its idempotency key was there; `coalesced`: a queued run stands for it; `skipped`: its key is taken. */
  outcome: "created" | "exists" | "coalesced" | "skipped";
  run: FlowRun;
  cancelled: readonly FlowRunId[];
}>;

/** What became of a claim. `limited`: its key is taken, by runs whose end will name it as next. */
export type Claimed = Readonly<
  | { status: "claimed"; run: FlowRun }
  | { status: "limited"; key: string }
  | { status: "early"; startAtMs: number }
  | { status: "gone"; state: RunState | undefined }
>;

/** How an attempt ends. */
export type AttemptEnd = Readonly<
  | { move: "succeed"; result: StoredValue | null }
  | { move: "fail"; error: StoredError }
  | { move: "retry"; error: StoredError; startAtMs: number }
  /** `questions`: open ones that it waits for; where fewer are open, an answer has come meanwhile and it is queued at once. */
  | { move: "suspend"; wakeAtMs: number | null; questions: number }
  | { move: "stop"; error: StoredError }
  | { move: "release" }
>;

/** `fenced`: the attempt does not own the run any more, and nothing was written. `next`: runs that its key held back. */
export type AttemptEnded = Readonly<
  { status: "ended"; run: FlowRun; next: readonly FlowRun[] } | { status: "fenced" }
>;

/** A task's call as it is opened. */
export type TaskOpening = Readonly<{
  key: string;
  name: string;
  kind: TaskKind;
  ordinal: number;
  input: string | null;
  produces: readonly string[];
  consumes: readonly string[];
  /** At most so many running tasks of this name, over all live runs. */
  limit: Readonly<{ name: string; concurrency: number }> | null;
  /** Set for sleeps and questions: they wait, until then at most. */
  wait: Readonly<{ wakeAtMs: number | null }> | null;
}>;

/** How a task's try went on. */
export type TaskChange = Readonly<
  | { move: "succeed"; result: StoredValue | null; isCached: boolean; cache: CacheEntry | null }
  | { move: "fail"; error: StoredError }
  | { move: "retry"; error: StoredError; retryAtMs: number }
>;

/** Where else a result is kept, and how long. */
export type CacheEntry = Readonly<{ key: string; expiresAtMs: number }>;

/** What a worker learns by saying that it is alive: the attempts it owns, and which of them are to be cancelled. */
export type Beat = Readonly<{
  isKnown: boolean;
  owned: readonly Readonly<{
    runId: FlowRunId;
    /** The outermost run that it is part of. */
    rootId: FlowRunId;
    attempt: number;
    isCancelling: boolean;
  }>[];
}>;

/** What a sweep did. */
export type Swept = Readonly<{ requeued: readonly FlowRun[]; ended: readonly FlowRun[] }>;

/** A task that has made something of something. */
export type Maker = Readonly<{
  runId: FlowRunId;
  flow: string;
  deployment: string;
  task: string;
  produces: readonly string[];
  consumes: readonly string[];
  /** When it ended. */
  atMs: number;
}>;

/** Answer to a question of a run. */
export type ApprovalAnswer = Readonly<{
  isApproved: boolean;
  by: string;
  note: string | null;
  /** Whatever a form asked for. */
  input: JsonValue;
  atMs: number;
}>;

/** Which runs; all conditions hold. */
export type RunFilter = Readonly<{
  flow?: string | undefined;
  deployment?: string | undefined;
  pool?: string | undefined;
  states?: readonly RunState[] | undefined;
  /** Sub-flows of a run instead of outermost ones. */
  parentId?: FlowRunId | undefined;
  keyLimit?: string | undefined;
  /** Runs whose parameter `tenant` is this, sub-flows as well as outermost ones. */
  tenant?: string | undefined;
  /** Sub-flows as well as outermost ones. */
  isAnyDepth?: boolean | undefined;
  createdFromMs?: number | undefined;
  createdToMs?: number | undefined;
  /** Newest first; goes on after this run. */
  before?: FlowRunId | undefined;
  limit?: number | undefined;
}>;

/** How many runs of a pool are in a state. */
export type RunCount = Readonly<{ pool: string; state: RunState; count: number }>;

export type StateCount = Omit<RunCount, "pool">;
/** How many outermost runs that were made in a span of time are in a state. `atMs`: the beginning of the span. */
export type SpanCount = Readonly<{ atMs: number; state: RunState; count: number }>;

/** How the newest run that asked for a key stands, and when one of that key succeeded last. */
export type KeyStanding = Readonly<{
  key: string;
  runId: FlowRunId;
  state: RunState;
  createdAtMs: number;
  endedAtMs: number | null;
  succeededAtMs: number | null;
}>;

/** Which lines of a run's log. */
export type LogFilter = Readonly<{
  afterId?: number | undefined;
  taskKey?: string | undefined;
  levels?: readonly LogLevel[] | undefined;
  attempt?: number | undefined;
  limit?: number | undefined;
}>;

/** Which lines, without a place among them. */
export type LogChoice = Omit<LogFilter, "afterId" | "limit">;

/** How long a log is, and where each stretch of it begins. */
export type LogMarks = Readonly<{
  count: number;
  /** Of the last line; `null`: there is none. */
  lastId: number | null;
  /** Ids of the first line, and of each `every`-th after it. */
  marks: readonly number[];
  /** Lines before the one that was asked about. */
  before: number | null;
}>;

/** A line that holds a text: its id, and its place among the chosen lines, from 0. */
export type FoundLine = Readonly<{ id: number; place: number }>;

export type EventFilter = Readonly<{
  afterId?: number | undefined;
  beforeId?: number | undefined;
  /** From the highest id down. */
  isNewestFirst?: boolean | undefined;
  kinds?: readonly string[] | undefined;
  subject?: string | undefined;
  runId?: FlowRunId | undefined;
  atFromMs?: number | undefined;
  isHandled?: boolean | undefined;
  limit?: number | undefined;
}>;

/** What is thrown away. */
export type PrunePolicy = Readonly<{
  /** Runs that ended before this, with all they have. */
  endedBeforeMs: number;
  /** But so many of the newest of each deployment stay. */
  keepPerDeployment: number;
  /** At most so many runs in one call. */
  runsMax: number;
}>;

/**
 * **ledger** where runs, task runs, logs, events and schedules are kept.
 *
 * All methods may be called by several processes at once. Each waits, for a bounded time, for a database that is busy or
 * away, and may be repeated after a lost answer: a repeated call finds what the first has done. Writes under a
 * {@link Fence} are taken only while that attempt owns a live run.
 *
 * @throws LeatError `LEDGER_UNAVAILABLE`, `LEDGER_FULL`.
 */
export interface Ledger {
  /** For messages; no credentials. */
  readonly url: string;
  /** The one clock of all processes at this ledger, ms since the epoch. */
  nowMs(): number;
  /**
   * A mark that is another one whenever something was written since, by whatever process; costs next to nothing.
   * `undefined`: only a look tells.
   */
  mark(): string | undefined;

  /** Makes a run, unless its keys say otherwise. */
  submitRun(run: NewRun): Promise<Submitted>;
  /** Claims this run, or the one of its key and pool that goes before it. */
  claimRun(id: FlowRunId, claim: ClaimBy): Promise<Claimed>;
  /** Makes or takes over the sub-flow of that name within an attempt, as this attempt's own. */
  adoptRun(parent: Fence, parentKey: string, run: NewRun, claim: ClaimBy): Promise<Adopted>;
  /**
   * Says with which code an attempt is executed in truth: its process may have loaded a newer one than its worker had when
   * it claimed. A first attempt began with it, another one went on with it, and the run is marked.
   */
  noteCode(fence: Fence, codeVersion: string | null): Promise<"written" | "fenced">;
  /** Ends an attempt: the run, its attempt, its unfinished tasks and sub-flows, and the event that tells of it, at once. */
  endAttempt(fence: Fence, end: AttemptEnd): Promise<AttemptEnded>;
  /** Queued runs that could be claimed now, in the order in which they should be. */
  listClaimable(filter: {
    pools: readonly string[];
    limit: number;
    queuedBeforeMs?: number;
  }): Promise<readonly FlowRun[]>;
  /** The first moment after this one at which a queued run may begin, a sleeping one wakes or one is late. */
  nextDueMs(afterMs: number): Promise<number | null>;
  /**
   * Cancels a run, or asks its attempt to.
   *
   * @throws LeatError `RUN_UNKNOWN`, `RUN_STATE`.
   */
  cancelRun(id: FlowRunId, reason: string): Promise<AttemptEnded & { status: "ended" }>;
  /**
   * Queues a run that is over once more. Finished tasks stay finished; with `fromTask` that task and all that were opened
   * after its first call are reset.
   *
   * @throws LeatError `RUN_UNKNOWN`, `RUN_STATE`, `TASK_UNKNOWN`.
   */
  retryRun(
    id: FlowRunId,
    options: { fromTask?: string | undefined; pool?: string | undefined },
  ): Promise<FlowRun>;
  readRun(id: FlowRunId): Promise<FlowRun | undefined>;
  /** Newest first. */
  listRuns(filter: RunFilter): Promise<readonly FlowRun[]>;
  /** How many runs a filter finds in each state; states without any are left out. */
  countByState(filter: Omit<RunFilter, "limit">): Promise<readonly StateCount[]>;
  /** Outermost runs that are not over, by pool and state. */
  countRuns(): Promise<readonly RunCount[]>;
  /** Outermost runs made since `fromMs`, by spans of `spanMs` from there on, and by state. */
  countRunsBySpan(spans: Readonly<{ fromMs: number; spanMs: number }>): Promise<readonly SpanCount[]>;
  /** For each deployment whose newest ended run failed, that run; the last failure first. */
  listFailing(): Promise<readonly FlowRun[]>;
  /** Every key that runs have asked for, sub-flows included, and how its newest run stands. */
  listKeyStandings(): Promise<readonly KeyStanding[]>;
  /** Runs whose id begins with this text; at most two, to tell whether it is unique. */
  findRuns(idPrefix: string): Promise<readonly FlowRun[]>;
  listAttempts(id: FlowRunId): Promise<readonly RunAttempt[]>;

  readTasks(id: FlowRunId): Promise<readonly TaskRun[]>;
  /** `limited`: its limit is reached, and it waits. */
  openTask(fence: Fence, opening: TaskOpening): Promise<"opened" | "limited" | "fenced">;
  changeTask(fence: Fence, key: string, change: TaskChange): Promise<"changed" | "fenced">;
  /** Tasks that ended well since then and say what they have made: of all that say the same the newest, newest first. */
  listMakers(sinceMs: number): Promise<readonly Maker[]>;
  /** A result in the cache that has not expired; `undefined`: there is none. */
  readCached(cacheKey: string): Promise<Readonly<{ result: StoredValue | null }> | undefined>;
  /**
   * Answers a question and wakes the run that waits for it.
   *
   * @throws LeatError `APPROVAL_UNKNOWN` when the run has no open question of this key.
   */
  answerApproval(id: FlowRunId, key: string, answer: ApprovalAnswer): Promise<void>;

  /** Appends lines; a line whose number is there already is left as it is. */
  appendLogs(fence: Fence, writer: LogWriter, lines: readonly NewLogLine[]): Promise<"written" | "fenced">;
  readLogs(id: FlowRunId, filter: LogFilter): Promise<readonly LogLine[]>;
  /**
   * Measures a log, so that any stretch of a long one can be read.
   *
   * @param options - `lineId`: tells how many lines come before it instead, and no marks.
   */
  markLogs(
    id: FlowRunId,
    choice: LogChoice,
    options: Readonly<{ every: number; lineId: number | undefined }>,
  ): Promise<LogMarks>;
  /**
   * Lines that hold a text in their message or data, in order; case counts for nothing in Latin letters.
   *
   * @param options - `signal`: nobody waits for it any more; what was found until then is given back.
   */
  findLogs(
    id: FlowRunId,
    choice: LogChoice,
    options: Readonly<{ text: string; limit: number; signal: AbortSignal | undefined }>,
  ): Promise<readonly FoundLine[]>;
  saveArtifact(
    fence: Fence,
    artifact: Omit<Artifact, "runId" | "updatedAtMs">,
  ): Promise<"written" | "fenced">;
  listArtifacts(id: FlowRunId): Promise<readonly Artifact[]>;

  appendEvent(event: NewEvent): Promise<Readonly<{ id: number; isNew: boolean }>>;
  /** In the order of ids, unless the newest are to come first. */
  listEvents(filter: EventFilter): Promise<readonly FlowEvent[]>;
  markHandled(ids: readonly number[]): Promise<void>;

  /** Makes the project's deployments and schedules these. A schedule whose ticks changed begins anew, now. */
  saveDeployments(
    deployments: readonly DeploymentRecord[],
    schedules: readonly ScheduleSpec[],
  ): Promise<void>;
  listDeployments(): Promise<readonly DeploymentRecord[]>;
  listSchedules(): Promise<readonly ScheduleRecord[]>;
  /** Pauses or resumes; a schedule that is resumed goes on from now: nobody wanted the ticks in between. */
  setPaused(id: string, isPaused: boolean): Promise<"changed" | "unknown">;
  /**
   * Makes the runs of a schedule's ticks and moves its cursor, both or neither. A tick that has its run gets no other.
   *
   * @returns `moved`: its cursor is not at `fromMs` any more, or it was paused; nothing was done.
   */
  fireSchedule(
    id: string,
    cursor: Readonly<{ fromMs: number; toMs: number }>,
    runs: readonly NewRun[],
  ): Promise<readonly Submitted[] | "moved">;

  saveWorker(worker: WorkerRecord): Promise<void>;
  /** Says that a worker is alive. */
  beat(id: WorkerId): Promise<Beat>;
  removeWorker(id: WorkerId): Promise<void>;
  listWorkers(): Promise<readonly WorkerRecord[]>;
  /**
   * Takes the runs of dead workers away from them: queued again, or ended where nobody may take them over.
   *
   * @param isDead - what this host knows of a worker of its own; `undefined`: nothing, its lease decides.
   */
  sweepLost(isDead: (worker: WorkerRecord) => boolean | undefined): Promise<Swept>;
  /** Queues sleeping runs whose time has come. */
  wakeRuns(): Promise<readonly FlowRun[]>;
  /** Marks runs that are late, with an event each. */
  markLate(): Promise<readonly FlowRun[]>;
  /** Takes a name for `ttlMs`, a minute at most, unless another holds it. */
  takeLease(name: string, holder: WorkerId, ttlMs: number): Promise<boolean>;
  /** @returns the runs that are gone; their large results can be deleted. */
  prune(policy: PrunePolicy): Promise<readonly FlowRunId[]>;
  close(): Promise<void>;
}

/** Who claims, and with which code. */
export type ClaimBy = Readonly<{ workerId: WorkerId; codeVersion: string | null }>;

/** What became of a sub-flow. `ended`: it was over before. */
export type Adopted = Readonly<
  | { status: "adopted"; run: FlowRun }
  | { status: "ended"; run: FlowRun }
  | { status: "limited"; key: string }
  | { status: "fenced" }
>;

/** Who writes lines: the flow itself, or the process that watches over the process of the flow. */
export type LogWriter = "flow" | "watch";
