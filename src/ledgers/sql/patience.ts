/** Waiting for a database that is busy or away, and telling what is wrong with it. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";

/** What an engine's error means. `again`: the same call may succeed in a moment. */
export type Verdict = "again" | "full" | "unreadable" | "other";

/** How long a call waits for a database before it fails, ms: a server restarts in half of it. */
const waitMsMax = 60_000;

/** First and greatest pause between two tries, ms. */
const pauseMs = 25;
const pauseMsMax = 1000;

/** What waiting needs to know. */
export type Patience = Readonly<{
  url: string;
  judge: (error: unknown) => Verdict;
  sleep: (ms: number) => Promise<void>;
  fraction: () => number;
}>;

/**
 * Calls until the database answers, for a minute at most. Calls of the ledger are safe to repeat: the second one finds
 * what the first has done.
 *
 * @throws LeatError `LEDGER_UNAVAILABLE`, `LEDGER_FULL`, `LEDGER_UNREADABLE`; any other error as it is.
 */
export async function withPatience<T>(patience: Patience, what: string, call: () => Promise<T>): Promise<T> {
  let waitedMs = 0;
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (isLeatError(error)) throw error;
      const verdict = patience.judge(error);
      if (verdict === "other") throw error;
      if (verdict !== "again" || waitedMs >= waitMsMax) throw toLeatError(patience.url, what, verdict, error);
      const ms = Math.min(pauseMs * 2 ** (tries - 1), pauseMsMax) * (0.5 + patience.fraction());
      waitedMs += ms;
      await patience.sleep(ms);
    }
  }
}

function toLeatError(url: string, what: string, verdict: Verdict, cause: unknown): LeatError {
  const said = cause instanceof Error ? cause.message : String(cause);
  if (verdict === "full") {
    return new LeatError("LEDGER_FULL", {
      message: `The disk of the ledger at ${url} is full (${what}): ${said}.`,
      cause,
    });
  }
  if (verdict === "unreadable") {
    return new LeatError("LEDGER_UNREADABLE", {
      message: `The ledger at ${url} cannot be used (${what}): ${said}.`,
      cause,
    });
  }
  return new LeatError("LEDGER_UNAVAILABLE", {
    message: `The ledger at ${url} did not answer for ${waitMsMax / 1000} s (${what}): ${said}.`,
    cause,
  });
}
