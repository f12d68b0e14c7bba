/** What an error of Postgres or of the connection to it means. */
import type { Verdict } from "../sql/patience.ts";

/** SQLSTATE codes (Postgres manual, appendix A), and codes of sockets. */
const again: ReadonlySet<string> = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "53300", // too_many_connections
  "55P03", // lock_not_available
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "25006", // read_only_sql_transaction: a standby, before it is promoted
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT", // A socket in the file system, while the server is down.
  "EAI_AGAIN",
]);

const full: ReadonlySet<string> = new Set(["53100"]); // disk_full

const unreadable: ReadonlySet<string> = new Set([
  "3D000", // invalid_catalog_name
  "28000", // invalid_authorization_specification
  "28P01", // invalid_password
  "42501", // insufficient_privilege
  "ENOTFOUND",
]);

/** What pg says, without a code, of a connection that ended. */
const lostConnection =
  /connection terminated|connection ended|timeout exceeded when trying to connect|not queryable|Client was closed/i;

export function judgePostgres(error: unknown): Verdict {
  if (!(error instanceof Error)) return "other";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (again.has(code) || code.startsWith("08")) return "again";
  if (full.has(code)) return "full";
  if (unreadable.has(code)) return "unreadable";
  if (error instanceof AggregateError && error.errors.length > 0) return judgePostgres(error.errors[0]);
  return lostConnection.test(error.message) ? "again" : "other";
}
