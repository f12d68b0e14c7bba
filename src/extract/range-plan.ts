/**
 * Which range a stream reads next, and what a completed range means for its state (PROTOCOL I3, I4, I8). Pure.
 *
 * A partition knows `next` (where the next range begins, inclusive), `scannedTo` (everything before it was asked for
 * and received) and its cursor (greatest usable value landed). Windows are planned from `next` to the end of time as
 * the source knows it (T0); each completed window moves `scannedTo`, so that a quiet year is asked for once.
 */
import {
  type CursorValue,
  latestUs,
  maxCursor,
  minCursor,
  roundDown,
  roundUp,
  stepDown,
  stepUp,
} from "../model/cursor.ts";
import type { PartitionState } from "../model/manifest.ts";
import type { CursorSpec, StreamSpec } from "../model/stream.ts";

/** The source's clock at the run's first answer, µs. */
export type SourceTime = Readonly<{
  t0: CursorValue;
  /** Whether the source itself told it; if not, `scannedTo` never moves (T0). */
  isFromSource: boolean;
}>;

/** A range as it is sent. Both ends are values that the parameters can express. */
export type SentRange = Readonly<{ start: CursorValue | undefined; end: CursorValue | undefined }>;

const isTime = (cursor: CursorSpec) => cursor.format !== "integer";

/** The start as it will be sent for `next`: rounded down, one unit of the parameter lower where it is exclusive. */
export function startToSend(
  cursor: CursorSpec | undefined,
  next: CursorValue | undefined,
): CursorValue | undefined {
  const range = cursor?.range;
  if (cursor === undefined || range === undefined || next === undefined) return undefined;
  const rounded = roundDown(next, range.startFormat, cursor.zone);
  return range.isStartInclusive ? rounded : stepDown(rounded, range.startFormat, cursor.zone);
}

/** Whether the stream is read in windows from `next`: it sends an end, and knows where to begin. */
export function isWindowed(cursor: CursorSpec | undefined, next: CursorValue | undefined): boolean {
  return cursor?.range?.hasEnd === true && next !== undefined && isTime(cursor);
}

/**
 * Where windows end at the latest, as seen at `t0`: there, or for settled ranges at what the parameter can express of
 * `t0 - lag`. An end rounded up would let in what has not come to rest (I16).
 */
export function windowsUntil(spec: StreamSpec, t0: CursorValue): CursorValue {
  const { cursor, stability } = spec;
  if (stability !== "settled" || cursor?.range === undefined) return t0;
  return roundDown(t0 - cursor.lag, cursor.range.endFormat, cursor.zone);
}

/**
 * Plans the range that begins at `from`.
 *
 * @param from - where to begin; `next` for the first range of a run, then the end of the window before.
 * @param until - where windows end at the latest, {@link windowsUntil} of T0, or before the first answer of our own
 *   clock (what lies above T0 is then not counted).
 * @returns `undefined` when there is nothing left to ask for.
 */
export function planRange(
  cursor: CursorSpec | undefined,
  from: CursorValue | undefined,
  until: CursorValue,
): SentRange | undefined {
  const start = startToSend(cursor, from);
  if (cursor?.range === undefined || from === undefined || !isWindowed(cursor, from)) {
    return { start, end: undefined };
  }
  if (from >= until) return undefined;
  const { endFormat, spanMax } = cursor.range;
  let end = roundUp(until, endFormat, cursor.zone);
  if (spanMax !== undefined && start !== undefined) {
    end = minCursor(end, roundDown(start + spanMax, endFormat, cursor.zone));
  }
  // `define` refuses spans that are too short for the parameter; a day of 25 hours may still be longer than 24 h.
  if (end <= from) end = stepUp(roundDown(from, endFormat, cursor.zone), endFormat, cursor.zone);
  return { start, end };
}

/** Whether a record's value may move the cursor: from the declared minimum up to T0 (I3). */
export function isUsable(
  cursor: CursorSpec,
  value: number | CursorValue | undefined,
  time: SourceTime,
): boolean {
  if (value === undefined || value < cursor.minimum) return false;
  return !isTime(cursor) || (value <= time.t0 && value <= latestUs);
}

/** The cursor after records were landed. */
export const moveCursor = (
  cursor: CursorValue | undefined,
  greatestLanded: CursorValue | undefined,
): CursorValue | undefined => {
  if (greatestLanded === undefined) return cursor;
  return cursor === undefined ? greatestLanded : maxCursor(cursor, greatestLanded);
};

/** The state after a range was completely received: `scannedTo` and `next` move up, never down (I8). */
export function completeRange(
  spec: CursorSpec | undefined,
  state: PartitionState,
  range: SentRange,
  time: SourceTime,
): PartitionState {
  if (spec?.range === undefined) return state;
  const { lag } = spec;
  let scannedTo = state.scannedTo;
  if (range.end !== undefined && isTime(spec) && time.isFromSource) {
    scannedTo = atLeast(scannedTo, minCursor(range.end, time.t0 - lag));
  }
  const landed = state.cursor === undefined ? undefined : countedTo(state.cursor, range.end) - lag;
  let next = state.next;
  if (landed !== undefined) next = atLeast(next, landed);
  // For integers `scannedTo` only says what was seen; see `RangeLander`.
  if (scannedTo !== undefined && isTime(spec)) next = atLeast(next, scannedTo);
  return { ...state, scannedTo, next };
}

/** Where `next` would stand if the range ended now: what a run may forget of its own lies below it (I5). */
export function runningNext(
  spec: CursorSpec | undefined,
  state: PartitionState,
  range: SentRange,
): CursorValue | undefined {
  if (spec?.range === undefined || state.cursor === undefined) return state.next;
  return atLeast(state.next, countedTo(state.cursor, range.end) - spec.lag);
}

const countedTo = (cursor: CursorValue, end: CursorValue | undefined) =>
  end === undefined ? cursor : minCursor(cursor, end);
const atLeast = (value: CursorValue | undefined, floor: CursorValue) =>
  value === undefined ? floor : maxCursor(value, floor);

/** The lower of two states (I7): an unset value is the lowest. */
export function lowerState(a: PartitionState, b: PartitionState): PartitionState {
  const lower = (x: CursorValue | undefined, y: CursorValue | undefined) =>
    x === undefined || y === undefined ? undefined : minCursor(x, y);
  return {
    cursor: lower(a.cursor, b.cursor),
    scannedTo: lower(a.scannedTo, b.scannedTo),
    next: lower(a.next, b.next),
    since: lower(a.since, b.since),
  };
}
