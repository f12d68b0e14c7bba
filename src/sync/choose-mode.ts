/** How each stream is to be read: what is new, a range of the past, or everything anew. */
import { LeatError } from "../errors/leat-error.ts";
import type { ExtractMode } from "../extract/extract-job.ts";
import { type CursorValue, parseCursor, printCursor } from "../model/cursor.ts";
import type { StreamSpec } from "../model/stream.ts";

/** What a person asked for, as text. */
export type ModeRequest = Readonly<{
  from: string | undefined;
  to: string | undefined;
  isFullRefresh: boolean;
  confirmShrink: boolean;
}>;

/**
 * Reads a cursor value as a person writes it: a date or time (UTC, or the stream's zone where none is written) for
 * every kind of timestamp, a whole number for integers.
 *
 * @throws LeatError `CURSOR_INVALID` naming stream and option.
 */
export function readCursor(spec: StreamSpec, text: string, option: string): CursorValue {
  const { cursor } = spec;
  if (cursor === undefined) {
    throw new LeatError("CURSOR_INVALID", {
      message: `${spec.source}.${spec.name} has no cursor, so ${option} means nothing for it.`,
      hint: "Leave the option out, or name streams that have a cursor.",
    });
  }
  const value = parseCursor(text, cursor.format === "integer" ? "integer" : "iso", cursor.zone);
  if (value !== undefined) return value;
  const example =
    cursor.format === "integer" ? "a whole number" : "such as 2026-01-31 or 2026-01-31T09:30:00Z";
  throw new LeatError("CURSOR_INVALID", {
    message: `${spec.source}.${spec.name}: ${option} "${text}" cannot be read.`,
    hint: `Write ${example}.`,
  });
}

/**
 * Decides how one stream is read.
 *
 * @param nowMs - where a range without an end stops.
 * @throws LeatError `CURSOR_INVALID` when the range cannot be read or is empty, or contradicts a full refresh.
 */
export function chooseMode(spec: StreamSpec, request: ModeRequest, nowMs: number): ExtractMode {
  const { from, to } = request;
  if (request.isFullRefresh) {
    if (from === undefined && to === undefined)
      return { kind: "refresh", confirmShrink: request.confirmShrink };
    throw new LeatError("CURSOR_INVALID", {
      message: "A full refresh reads everything; a range contradicts it.",
      hint: "Give either the full refresh or the range.",
    });
  }
  if (from === undefined && to === undefined) return { kind: "incremental" };
  if (from === undefined) {
    throw new LeatError("CURSOR_INVALID", {
      message: "A range needs its beginning.",
      hint: "Give from as well as to.",
    });
  }
  const start = readCursor(spec, from, "from");
  const end = to === undefined ? endNow(spec, nowMs) : readCursor(spec, to, "to");
  const format = spec.cursor?.format ?? "iso"; // `readCursor` has refused a stream without a cursor.
  if (start < end) return { kind: "backfill", from: start, to: end };
  throw new LeatError("CURSOR_INVALID", {
    message: `${spec.source}.${spec.name}: the range from ${printCursor(start, format)} to ${printCursor(end, format)} is empty.`,
    hint: "The end is not part of the range: it must be later than the beginning.",
  });
}

function endNow(spec: StreamSpec, nowMs: number): CursorValue {
  if (spec.cursor?.format !== "integer") return BigInt(Math.floor(nowMs)) * 1000n;
  throw new LeatError("CURSOR_INVALID", {
    message: `${spec.source}.${spec.name} counts in whole numbers, so a range needs its end.`,
    hint: "Give to as well as from.",
  });
}
