/** What the engine says, as errors for the person who must act. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";

/** Where an engine's error happened. */
export type EngineErrorPlace = Readonly<{ file: string; doing: "open" | "work"; waitedMs?: number }>;

/** Whether another process holds the file. */
export function isLockError(error: unknown): boolean {
  return /could not set lock on file|conflicting lock/i.test(messageOf(error));
}

/** Whether values could not be read as the types asked for: the load then goes on cell by cell. */
export function isValueError(error: unknown): boolean {
  return (
    isLeatError(error) &&
    error.code === "LOAD_FAILED" &&
    /^(Conversion|Invalid Input|Out of Range|Mismatch Type)/.test(messageOf(error.cause))
  );
}

/** Disk full, quota reached, or a file that may not grow; also the bound of the engine's own temporary files. */
const fullPattern =
  /no space left on device|disk (is )?full|disk quota exceeded|file too large|could not write all bytes|max_temp_directory_size/i;

/** Translates an error of the engine or of the file system; a LeatError passes through. */
export function toLeatError(error: unknown, place: EngineErrorPlace): LeatError {
  if (isLeatError(error)) return error;
  const text = messageOf(error);
  const { file } = place;
  if (isLockError(error)) return toLockError(error, place);
  if (fullPattern.test(text))
    return new LeatError("WAREHOUSE_FULL", {
      message: `The disk of the warehouse ${file} is full; nothing was loaded.`,
      hint: `Free some space where ${file} lies, then run again.`,
      details: { file },
      cause: error,
    });
  if (place.doing === "open")
    return new LeatError("WAREHOUSE_UNREADABLE", {
      message: `The warehouse ${file} cannot be opened: ${firstLine(text)}`,
      hint: "Check the path and its permissions; a file that is no DuckDB database must be moved away.",
      details: { file },
      cause: error,
    });
  return new LeatError("LOAD_FAILED", {
    message: `The warehouse ${file} refused: ${firstLine(text)}`,
    hint: hintOf(text),
    details: { file },
    cause: error,
  });
}

function hintOf(text: string): string | undefined {
  if (/^Out of Memory/.test(text)) return "Raise the engine's memory limit, or give it fewer threads.";
  // leat keeps its tables itself, so one that is not as it was left has been changed by somebody else.
  if (/^(Catalog|Binder|Dependency) Error/.test(text))
    return "If somebody changed leat's tables or made something depend on them, undo it or run `leat rebuild`.";
  return undefined;
}

function toLockError(error: unknown, place: EngineErrorPlace): LeatError {
  const holder = /held in (.+?) \(PID (\d+)\)/.exec(messageOf(error));
  const waitedS = Math.round((place.waitedMs ?? 0) / 100) / 10;
  const who = holder === null ? "another process" : `${holder[1]} (PID ${holder[2]})`;
  return new LeatError("WAREHOUSE_LOCKED", {
    message: `The warehouse ${place.file} is held by ${who}; waited ${waitedS} s for it.`,
    hint: `Close ${holder === null ? "it" : `process ${holder[2]}`}, or wait longer for it (LEAT_LOCK_WAIT, in seconds), then run again.`,
    details: { file: place.file, ...(holder === null ? {} : { pid: Number(holder[2]) }) },
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The engine's sentence without its picture of the statement, which may be long and hold values. */
export function firstLine(text: string): string {
  const line = text.split("\n", 1)[0]!.trim();
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
