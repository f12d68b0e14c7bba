/** What an extract fails with: every error knows its stream and tenant, and a stop is told from a failure. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";

/** Adds the place to an error; whatever else an aborted run throws is `INTERRUPTED`. */
export function placeError(error: unknown, place: StreamPlace, signal: AbortSignal): unknown {
  if (isLeatError(error)) return error instanceof LeatError ? error.at(place) : error;
  if (!signal.aborted) return error;
  return new LeatError("INTERRUPTED", {
    message: `${describePlace(place)} was stopped; what had been completed is committed.`,
    details: place,
    cause: error,
  });
}
