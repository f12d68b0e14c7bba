/** Progress on stderr: lines drawn anew on a terminal, plain lines in a pipe. */
import type { Clock, Progress, ProgressEvent } from "../ports/world.ts";
import { printable, printBytes, printCount, printSpan, type Terminal } from "./terminal.ts";

/** Something that tells progress until it is closed. */
export type ProgressView = Readonly<{ progress: Progress; close(): void }>;

/** Lines drawn at most; more streams and tenants than this are only counted. */
const linesMax = 10;
/** How often the lines are drawn; faster only flickers. */
const drawEveryMs = 100;
/** How often one extract is told in a pipe: often enough to see that it lives, seldom enough for a log. */
const plainEveryMs = 10_000;

type ExtractEvent = Extract<ProgressEvent, { type: "extract" }>;

/** No event says that an extract has ended; one that has not moved for so long is no longer drawn. */
const stillMsMax = 20_000;

/** What is under way for one stream and tenant. */
type Activity = { event: ExtractEvent; startedAtMs: number; movedAtMs: number; toldAtMs: number };

/** Opens the view that fits: none when quiet, live lines on a terminal, else plain lines. */
export function openProgress(
  terminal: Terminal,
  clock: Clock,
  options: Readonly<{ isQuiet: boolean }>,
): ProgressView {
  if (options.isQuiet) return { progress: (event) => tellWarning(terminal, event), close: () => {} };
  return terminal.isLive ? openLiveProgress(terminal, clock) : openPlainProgress(terminal, clock);
}

function tellWarning(terminal: Terminal, event: ProgressEvent): void {
  if (event.type === "warning") terminal.err(`${describeEvent(event)}\n`);
}

function openPlainProgress(terminal: Terminal, clock: Clock): ProgressView {
  const activities = new Map<string, Activity>();
  return {
    progress(event) {
      if (event.type !== "extract") return terminal.err(`${describeEvent(event)}\n`);
      const activity = noteExtract(activities, event, clock.nowMs());
      if (clock.nowMs() - activity.toldAtMs < plainEveryMs) return;
      activity.toldAtMs = clock.nowMs();
      terminal.err(`${describeActivity(activity, clock.nowMs())}\n`);
    },
    close: () => {},
  };
}

function openLiveProgress(terminal: Terminal, clock: Clock): ProgressView {
  const activities = new Map<string, Activity>();
  let drawn = 0;
  const erase = (): void => {
    if (drawn > 0) terminal.err(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    erase();
    const nowMs = clock.nowMs();
    const room = Math.max(1, Math.min(linesMax, terminal.rows - 2));
    for (const [key, { event, movedAtMs }] of activities) {
      if (nowMs - movedAtMs > stillMsMax + (event.waitingMs ?? 0)) activities.delete(key);
    }
    const lines = [...activities.values()].slice(-room).map((activity) => describeActivity(activity, nowMs));
    if (activities.size > room) lines.push(`and ${activities.size - room} more`);
    if (lines.length === 0) return;
    terminal.err(`${lines.map((line) => line.slice(0, terminal.columns - 1)).join("\n")}\n`);
    drawn = lines.length;
  };
  const timer = setInterval(draw, drawEveryMs);
  timer.unref();
  return {
    progress(event) {
      if (event.type === "extract") {
        noteExtract(activities, event, clock.nowMs());
        return;
      }
      erase();
      terminal.err(`${describeEvent(event)}\n`);
      if (event.type === "load" && event.tenant !== undefined) activities.delete(keyOf(event));
      draw();
    },
    close() {
      clearInterval(timer);
      erase();
    },
  };
}

const keyOf = (event: ProgressEvent): string => JSON.stringify([event.source, event.stream, event.tenant]);

function noteExtract(activities: Map<string, Activity>, event: ExtractEvent, nowMs: number): Activity {
  const key = keyOf(event);
  const known = activities.get(key);
  // Fewer records than before: another run of the same stream and tenant has begun.
  const isNew = known === undefined || event.records < known.event.records;
  const activity = isNew ? { event, startedAtMs: nowMs, movedAtMs: nowMs, toldAtMs: nowMs } : known;
  activity.event = event;
  activity.movedAtMs = nowMs;
  activities.delete(key); // To the end: what moved last is shown.
  activities.set(key, activity);
  return activity;
}

function describeActivity({ event, startedAtMs }: Activity, nowMs: number): string {
  const seconds = (nowMs - startedAtMs) / 1000;
  const rate = seconds >= 0.5 ? `, ${printCount(Math.round(event.records / seconds))}/s` : "";
  const waiting = event.waitingMs ? `, waiting ${printSpan(event.waitingMs)}` : "";
  const records = `${printCount(event.records)} records, ${printBytes(event.bytes)}${rate}`;
  return `${describeWhere(event)}: ${records}, ${printCount(event.requests)} requests${waiting}`;
}

function describeEvent(event: Exclude<ProgressEvent, ExtractEvent>): string {
  const where = describeWhere(event);
  if (event.type === "warning") return `warning: ${where}: ${printable(event.message)}`;
  if (event.type === "committed") {
    return `${where}: committed package ${event.seq}, ${printCount(event.landed)} records`;
  }
  return `${where}: loaded package ${event.seq}, ${printCount(event.rows)} rows`;
}

const describeWhere = (event: ProgressEvent): string =>
  printable(`${event.source}.${event.stream}${event.tenant === undefined ? "" : ` ${event.tenant}`}`);
