/** Topics of the live connection: what each reads from the ledger, and how far it has come. */
import { LeatError } from "../../errors/leat-error.ts";
import { printEventJson, printLineJson, printRunJson, printTaskJson } from "../../flow/run-json.ts";
import { toFlowRunId } from "../../model/run-ids.ts";
import { type FlowRun, isLogOver, type TaskRun } from "../../model/run-record.ts";
import { endedRunStates } from "../../model/run-state.ts";
import type { ControlPorts } from "./control-ports.ts";

/** What a look has brought. `isFull`: there is more to read at once. `isEnd`: nothing will come any more. */
export type News = Readonly<{ data: object | undefined; isFull: boolean; isEnd: boolean }>;

/** One topic of one connection. */
export interface Topic {
  readonly name: string;
  /** Where to go on; `undefined`: it begins anew each time, with everything. */
  readonly place: string | undefined;
  read(): Promise<News>;
}

/** Lines and events of one look. */
const linesMax = 500;
const eventsMax = 200;

/** Runs that are looked at: the newest, and all that are not over. */
const newestRuns = 50;
const liveRunsMax = 200;

/** Tasks told in one event. */
const tasksMax = 1000;

/** Events that tell of streams. */
const streamKinds = ["stream.packages", "stream.schema", "stream.cursor"];

const nothing: News = { data: undefined, isFull: false, isEnd: false };

/**
 * Opens a topic by its name.
 *
 * @param place - from an earlier connection.
 * @throws LeatError `USAGE`, `RUN_UNKNOWN`.
 */
export async function openTopic(
  ports: ControlPorts,
  named: string,
  place: string | undefined,
): Promise<Topic> {
  const match = /^(runs|streams|events|run|logs)(?::([0-9a-f-]{1,64}))?(?:@(\d{1,16}))?$/.exec(named);
  const [, kind, id, at] = match ?? [];
  const after = place ?? at;
  const name = named.replace(/@\d+$/, ""); // Where it began is no part of what it is.
  if (id === undefined && kind === "runs") return runsTopic(ports, name);
  if (id === undefined && kind === "streams") return await eventsTopic(ports, name, after, streamKinds);
  if (id === undefined && kind === "events") return await eventsTopic(ports, name, after, undefined);
  if (id !== undefined && (kind === "run" || kind === "logs")) {
    const run = await ports.ledger.readRun(toFlowRunId(id));
    if (run === undefined)
      throw new LeatError("RUN_UNKNOWN", {
        message: `There is no run "${id}".`,
        hint: "Old runs are pruned; /api/runs lists those that are there.",
      });
    return kind === "run" ? runTopic(ports, name, run) : logsTopic(ports, name, run, after);
  }
  throw new LeatError("USAGE", {
    message: `"${named.slice(0, 100)}" is no topic.`,
    hint: "Topics are runs, run:<id>, logs:<id>, streams and events.",
  });
}

/** What of a run people see to change. */
const markOf = (run: FlowRun): string =>
  [run.state, run.attempt, run.startedAtMs, run.endedAtMs, run.wakeAtMs, run.isLate].join();

function runsTopic({ ledger }: ControlPorts, name: string): Topic {
  let known = new Map<string, string>();
  let isFirst = true;
  return {
    name,
    place: undefined,
    async read() {
      const [newest, live] = await Promise.all([
        ledger.listRuns({ limit: newestRuns }),
        ledger.listRuns({ states: ["queued", "running", "waiting", "cancelling"], limit: liveRunsMax }),
      ]);
      const listed = new Map([...newest, ...live].map((run) => [run.id as string, run]));
      // One that has ended between two looks, and is not among the newest, is told of once more.
      const lost = isFirst ? [] : [...known.keys()].filter((id) => !listed.has(id));
      for (const id of lost) {
        const run = await ledger.readRun(toFlowRunId(id));
        if (run !== undefined) listed.set(id, run);
      }
      const moved = [...listed.values()].filter((run) => known.get(run.id) !== markOf(run));
      const kept = [...listed.values()].filter((run) => !lost.includes(run.id));
      known = new Map(kept.map((run) => [run.id, markOf(run)]));
      const hadNone = isFirst;
      isFirst = false;
      if (moved.length === 0 && !hadNone) return nothing;
      return { ...nothing, data: { runs: moved.map(printRunJson) } };
    },
  };
}

const taskMarkOf = (task: TaskRun): string =>
  [task.state, task.attempt, task.tryCount, task.startedAtMs, task.endedAtMs, task.retryAtMs].join();

function runTopic({ ledger }: ControlPorts, name: string, { id }: FlowRun): Topic {
  let runMark: string | undefined;
  const known = new Map<string, string>();
  return {
    name,
    place: undefined,
    async read() {
      // Before the tasks: what they have come to by its end is then told with it.
      const run = await ledger.readRun(id);
      if (run === undefined) return { data: undefined, isFull: false, isEnd: true };
      const tasks = await ledger.readTasks(id);
      const moved = tasks.filter((task) => known.get(task.key) !== taskMarkOf(task));
      const told = moved.slice(0, tasksMax);
      for (const task of told) known.set(task.key, taskMarkOf(task));
      const mark = markOf(run);
      const isFull = told.length < moved.length;
      const isEnd = !isFull && endedRunStates.includes(run.state);
      if (told.length === 0 && mark === runMark) return { ...nothing, isEnd };
      runMark = mark;
      const data = { run: printRunJson(run), tasks: told.map(printTaskJson), task_count: tasks.length };
      return { data, isFull, isEnd };
    },
  };
}

function logsTopic(
  { ledger }: ControlPorts,
  name: string,
  { id }: FlowRun,
  after: string | undefined,
): Topic {
  let afterId = Number(after ?? 0);
  return {
    name,
    get place() {
      return String(afterId);
    },
    async read() {
      // Asked before the lines are read: what was written before the end is then there.
      const isEnd = isLogOver(await ledger.readRun(id), ledger.nowMs());
      const lines = await ledger.readLogs(id, { afterId, limit: linesMax });
      afterId = lines.at(-1)?.id ?? afterId;
      const isFull = lines.length === linesMax;
      const data = lines.length === 0 ? undefined : { lines: lines.map(printLineJson) };
      return { data, isFull, isEnd: isEnd && !isFull };
    },
  };
}

async function eventsTopic(
  { ledger }: ControlPorts,
  name: string,
  after: string | undefined,
  kinds: readonly string[] | undefined,
): Promise<Topic> {
  const filter = kinds === undefined ? {} : { kinds };
  const newest = after === undefined ? await ledger.listEvents({ isNewestFirst: true, limit: 1 }) : [];
  let afterId = after === undefined ? (newest[0]?.id ?? 0) : Number(after);
  return {
    name,
    get place() {
      return String(afterId);
    },
    async read() {
      const events = await ledger.listEvents({ ...filter, afterId, limit: eventsMax });
      afterId = events.at(-1)?.id ?? afterId;
      if (events.length === 0) return nothing;
      return {
        data: { events: events.map(printEventJson) },
        isFull: events.length === eventsMax,
        isEnd: false,
      };
    },
  };
}
