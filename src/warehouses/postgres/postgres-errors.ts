/** What the server and the connection to it say, as errors for the person who must act. */
import { isLeatError, LeatError } from "../../errors/leat-error.ts";

/** What an error of the server carries, as far as it is needed here. */
export type ServerError = Error &
  Readonly<{
    /** SQLSTATE, or the code of a socket's error. */
    code?: string | undefined;
    detail?: string | undefined;
    hint?: string | undefined;
    where?: string | undefined;
  }>;

/** SQLSTATEs (Postgres manual, appendix A) and codes of sockets: come again later. */
const awayCodes: ReadonlySet<string> = new Set([
  "53300", // too_many_connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "57P05", // idle_session_timeout
  "25P03", // idle_in_transaction_session_timeout
  "25006", // read_only_sql_transaction: a standby, before it is promoted
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

const refusedCodes: ReadonlyMap<string, string> = new Map([
  ["28P01", "Check user and password of the address; special characters of a password are written as %XX."],
  ["28000", "Check user and password of the address, and who may connect (pg_hba.conf of the server)."],
  ["3D000", "Create the database, or name another in the address."],
  [
    "42501",
    "Give the role the rights that the page on Postgres lists; somebody else may own the table or schema.",
  ],
  ["ENOTFOUND", "Check the host of the address."],
]);

/** What the client says, without a code, of a connection that ended. */
const lostConnection =
  /connection terminated|connection ended|timeout exceeded when trying to connect|timeout expired|not queryable|Client was closed|socket disconnected/i;

/** Whether the connection is gone, so that nobody knows what became of the last statement. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.length > 0) return isConnectionLost(error.errors[0]);
  const code = (error as ServerError).code ?? ""; // Only read, and checked by what it equals.
  // A socket in the file system, while the server is down; any other ENOENT is of a file of ours.
  if (code === "ENOENT") return "syscall" in error && error.syscall === "connect";
  return (
    (awayCodes.has(code) && code !== "25006") || code.startsWith("08") || lostConnection.test(error.message)
  );
}

/**
 * Translates an error; a LeatError passes through.
 *
 * @param url - the address without credentials.
 */
export function toLeatError(error: unknown, url: string): LeatError {
  if (isLeatError(error)) return error;
  const first = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  const said = toServerError(first);
  const code = said.code ?? "";
  const details = { warehouse: url, ...(code === "" ? {} : { sqlState: code }) };
  const tell = firstLine(said.message);
  const refused = refusedCodes.get(code);
  if (refused !== undefined)
    return new LeatError("WAREHOUSE_UNREADABLE", {
      message: `The warehouse ${url} refused: ${tell}.`,
      hint: refused,
      details,
      cause: error,
    });
  if (isConnectionLost(first) || code === "25006")
    return new LeatError("WAREHOUSE_UNREACHABLE", {
      message: `The warehouse ${url} cannot be reached: ${tell}.`,
      details,
      cause: error,
    });
  if (code === "55P03" || code === "40P01" || code === "40001")
    return new LeatError("WAREHOUSE_LOCKED", {
      message: `The warehouse ${url} is at work for another process on the same tables: ${tell}.`,
      hint: "End the query or load that holds them, or wait longer for it (LEAT_LOCK_WAIT, in seconds), then run again.",
      details,
      cause: error,
    });
  if (code === "ENOSPC")
    return new LeatError("WAREHOUSE_FULL", {
      message: "The disk of this machine is full, where leat keeps what it is loading; nothing was loaded.",
      hint: "Free some space in the project's .leat folder, then run again.",
      details,
      cause: error,
    });
  if (code === "53100" || /no space left on device|disk quota exceeded/i.test(said.message))
    return new LeatError("WAREHOUSE_FULL", {
      message: `The disk of the warehouse ${url} is full; nothing was loaded.`,
      hint: "Free some space where the server keeps its data, then run again.",
      details,
      cause: error,
    });
  return new LeatError("LOAD_FAILED", {
    message: `The warehouse ${url} refused: ${tell}${said.detail === undefined ? "" : ` (${firstLine(said.detail)})`}`,
    hint: hintOf(code),
    details,
    cause: error,
  });
}

function hintOf(code: string): string | undefined {
  if (code === "2BP01")
    return "Something of yours is built on a view or column that has to change: drop it, load, and make it again.";
  // leat keeps its tables itself, so one that is not as it was left has been changed by somebody else.
  if (["42P01", "42703", "42804", "42P07"].includes(code))
    return "If somebody changed leat's tables, undo it or run `leat rebuild`.";
  if (code === "53200") return "The server has no memory left: look at its other work, or raise its limits.";
  return undefined;
}

/** An error with what the server may have added to it. */
export function toServerError(error: unknown): ServerError {
  return error instanceof Error ? error : new Error(String(error)); // The fields are optional; an Error has none of them.
}

/** The first line, bounded: it may hold values. */
export function firstLine(text: string): string {
  const line = text.split("\n", 1)[0]!.trim().replace(/\.$/, "");
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
