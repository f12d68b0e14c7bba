/** What a run does, told on stderr while it does it: lines drawn anew on a terminal, plain lines in a pipe. */
import type { RunEvent } from "../flow/run-world.ts";
import type { Clock } from "../ports/world.ts";
import { printable, printCount, printSpan, type Terminal } from "./terminal.ts";

/** Something that tells of runs until it is closed. */
export type RunView = Readonly<{ tell: (event: RunEvent) => void; close(): void }>;

/** Task names drawn at once. */
const linesMax = 12;

/** How often they are drawn, ms; faster only flickers. */
const drawEveryMs = 100;

/** Ends told one by one of tasks of one name; a map of thousands is counted. */
const toldMax = 20;

/** How often a map that is no longer told one by one is counted in a pipe. */
const countedEvery = 100;

/** How often progress is told in a pipe, ms. */
const progressEveryMs = 5000;

type TaskEvent = Extract<RunEvent, { type: "task" }>;

/** Tasks of one name. */
type TaskGroup = { running: Set<string>; waiting: Set<string>; done: number; kept: number; failed: number };

/** Opens the view that fits: only warnings and failures when quiet. */
export function openRunView(
  terminal: Terminal,
  clock: Clock,
  options: Readonly<{ isQuiet: boolean }>,
): RunView {
  if (options.isQuiet) return { tell: (event) => tellQuietly(terminal, event), close: () => {} };
  const groups = new Map<string, TaskGroup>();
  const progress = new Map<string, { text: string; toldAtMs: number }>();
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) terminal.err(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    erase();
    const active = [...groups].filter(([, group]) => group.running.size + group.waiting.size > 0);
    const lines = [
      ...active.slice(-linesMax).map(([name, group]) => describeGroup(name, group)),
      ...[...progress.values()].map(({ text }) => text),
    ].slice(-Math.max(1, terminal.rows - 2));
    if (lines.length === 0) return;
    terminal.err(`${lines.map((line) => `  ${line}`.slice(0, terminal.columns - 1)).join("\n")}\n`);
    drawn = lines.length;
  };
  const say = (line: string): void => {
    erase();
    terminal.err(`${printable(line)}\n`);
  };
  const timer = terminal.isLive ? setInterval(draw, drawEveryMs) : undefined;
  timer?.unref();
  return {
    tell(event) {
      if (event.type === "task") {
        const line = noteTask(groups, event);
        if (line !== undefined) say(line);
      } else if (event.type === "progress") {
        const key = `${event.runId} ${event.name}`;
        const text = `${event.name}: ${printCount(event.done)} of ${printCount(event.total)}`;
        const toldAtMs = progress.get(key)?.toldAtMs ?? Number.NEGATIVE_INFINITY;
        const isDone = event.done >= event.total;
        const isDue = isDone || (!terminal.isLive && clock.nowMs() - toldAtMs >= progressEveryMs);
        if (isDue) say(text);
        if (isDone) progress.delete(key);
        else progress.set(key, { text, toldAtMs: isDue ? clock.nowMs() : toldAtMs });
      } else {
        const line = describe(event);
        if (line !== undefined) say(line);
      }
    },
    close() {
      clearInterval(timer);
      erase();
    },
  };
}

/** Counts a task's change; a line when it is one to tell of. */
function noteTask(groups: Map<string, TaskGroup>, event: TaskEvent): string | undefined {
  const group = groups.get(event.name) ?? {
    running: new Set(),
    waiting: new Set(),
    done: 0,
    kept: 0,
    failed: 0,
  };
  groups.set(event.name, group);
  group.running.delete(event.key);
  group.waiting.delete(event.key);
  switch (event.state) {
    case "running":
      group.running.add(event.key);
      return undefined;
    case "succeeded": {
      group.done += 1;
      if (event.isKept) group.kept += 1;
      if (group.done > toldMax) {
        return group.done % countedEvery === 0 ? `${event.name}: ${printCount(group.done)} done` : undefined;
      }
      const how = event.isKept ? "already done" : `done in ${printSpan(event.ms ?? 0)}`;
      return `${event.name}: ${how}`;
    }
    case "failed":
      group.failed += 1;
      return group.failed > toldMax ? undefined : `${event.name}: failed: ${event.error ?? ""}`;
    case "retrying":
      group.waiting.add(event.key);
      return `${event.name}: is tried again after: ${event.error ?? ""}`;
    case "waiting":
      group.waiting.add(event.key);
      if (event.name === "approve") return `approve: waits for \`leat approve ${event.runId}\``;
      return event.name === "sleep" ? "sleep: waiting" : undefined;
    default:
      return undefined;
  }
}

function describeGroup(name: string, { running, waiting, done, failed }: TaskGroup): string {
  const parts = [
    running.size > 0 ? `${printCount(running.size)} running` : "",
    waiting.size > 0 ? `${printCount(waiting.size)} waiting` : "",
    done > 0 ? `${printCount(done)} done` : "",
    failed > 0 ? `${printCount(failed)} failed` : "",
  ];
  return `${printable(name)}: ${parts.filter((part) => part !== "").join(", ")}`;
}

function describe(event: Exclude<RunEvent, { type: "task" | "progress" }>): string | undefined {
  if (event.type === "log") {
    const { level, message } = event.line;
    return `${level === "info" ? "" : `${level}: `}${message}`;
  }
  if (event.state !== "running") return undefined; // Its end is told with its result.
  const attempt = event.attempt === 1 ? "" : `, attempt ${event.attempt}`;
  return `run ${event.runId} of ${event.flow}${attempt}`;
}

function tellQuietly(terminal: Terminal, event: RunEvent): void {
  if (event.type !== "log" || event.line.level === "info" || event.line.level === "debug") return;
  terminal.err(`${printable(`${event.line.level}: ${event.line.message}`)}\n`);
}
