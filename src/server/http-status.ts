/** Which HTTP status a failure is told with: 4xx the caller's, 502 the partner's, 503 come again, 500 ours. */
import type { ErrorCode } from "../errors/codes.ts";

/** A status for every code; one that is missing does not compile. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  USAGE: 400,
  CURSOR_INVALID: 502, // In a request's own range it is 400; see `sync-request.ts`.
  TENANT_UNKNOWN: 404,
  STREAM_UNKNOWN: 404,
  STATE_CONFLICT: 409,
  BUSY: 409,
  REFRESH_SHRANK: 409,

  SOURCE_UNREACHABLE: 502,
  SOURCE_TIMEOUT: 502,
  SOURCE_AUTH_FAILED: 502,
  SOURCE_RATE_LIMITED: 502,
  SOURCE_FAILED: 502,
  SOURCE_MOVED: 502,
  SOURCE_NOT_JSON: 502,
  SOURCE_TRUNCATED: 502,
  SOURCE_SHAPE_CHANGED: 502,
  SOURCE_UNSTABLE: 502,
  SOURCE_CLOCK_OFF: 502,
  PAGES_ENDLESS: 502,
  ORDER_BROKEN: 502,
  QUARANTINE_SHARE_EXCEEDED: 502,
  FILE_REFUSED: 502,

  INTERRUPTED: 503,
  STORE_UNREADABLE: 503,
  STORE_UNWRITABLE: 503,
  WAREHOUSE_LOCKED: 503,

  CONFIG_INVALID: 500,
  CONFIG_MISSING: 500,
  TENANTS_INVALID: 500,
  SECRET_MISSING: 500,
  NAME_INVALID: 500,
  DEPENDENCY_MISSING: 500,
  NODE_TOO_OLD: 500,
  NOT_SUPPORTED: 500,
  RUN_BOUND_REACHED: 500,
  EXTRACT_FAILED: 502, // The stream's own code is on the partner's side of us.
  STORE_FULL: 507,
  MANIFEST_INVALID: 500,
  LOG_GAP: 500,
  PART_MISSING: 500,
  PART_CORRUPT: 500,
  ACCOUNTING_MISMATCH: 500,
  WAREHOUSE_UNREADABLE: 500,
  WAREHOUSE_FULL: 507,
  LEDGER_MISMATCH: 500,
  LOG_REWRITTEN: 500,
  LOAD_FAILED: 500,
  SCHEMA_FROZEN: 500,
  QUERY_FAILED: 500,
  VERIFY_FAILED: 500,
  DATASET_UNKNOWN: 404,
  VERSION_UNKNOWN: 404,
  INPUT_EMPTY: 500,
  INPUT_UNREADABLE: 500,
  RELEASE_UNKNOWN: 500,
  COLUMN_MISMATCH: 500,
  MAP_FAILED: 500,
  ROW_INVALID: 500,
  KEY_DUPLICATE: 500,
  RULE_FAILED: 500,
  VERSION_REFUSED: 500,
  DATASET_TOO_LARGE: 500,
  QUERY_BUSY: 503,
  QUERY_TIMEOUT: 503,
  QUERY_MEMORY: 503,
  QUERY_ENGINE_LOST: 503,
  INTERNAL: 500,
};

/** The status of a code; a code of another copy of leat that this one does not know is ours to answer for. */
export const statusOf = (code: ErrorCode): number => statuses[code] ?? 500;

/** Seconds after which coming again may help, for the statuses that say so. */
export const retryAfterSeconds: ReadonlyMap<number, number> = new Map([
  [409, 30],
  [503, 10],
]);
