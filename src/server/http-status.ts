/** Which HTTP status a failure is told with: 4xx the caller's, 502 the partner's, 503 come again, 500 ours. */
import type { ErrorCode } from "../errors/codes.ts";

/** Statuses of codes that are not ours to answer for; every other is 500. */
const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  USAGE: 400,
  CURSOR_INVALID: 502, // In a request's own range it is 400; see `sync-request.ts`.
  TENANT_UNKNOWN: 404,
  TENANT_NOT_READ: 404,
  STREAM_UNKNOWN: 404,
  SHARE_UNKNOWN: 404,
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
  STORE_DENIED: 503,
  STORE_MISSING: 503,
  WAREHOUSE_LOCKED: 503,
  WAREHOUSE_UNREACHABLE: 503,

  EXTRACT_FAILED: 502, // The stream's own code is on the partner's side of us.
  STORE_FULL: 507,
  WAREHOUSE_FULL: 507,
  DATASET_UNKNOWN: 404,
  VERSION_UNKNOWN: 404,

  FLOW_UNKNOWN: 404,
  RUN_UNKNOWN: 404,
  TASK_UNKNOWN: 404,
  SCHEDULE_UNKNOWN: 404,
  APPROVAL_UNKNOWN: 404,
  RUN_STATE: 409,
  PARAMS_INVALID: 422,
  SCHEDULE_BOUND: 422,
  VALUE_TOO_LARGE: 413,
  WEBHOOK_REFUSED: 401,
  TOKEN_REFUSED: 401,
  SIGN_IN_NEEDED: 401,
  SIGN_IN_FAILED: 403,
  ROLE_MISSING: 403,
  ORIGIN_REFUSED: 403,
  CURSOR_MOVED: 412,
  CURSOR_UNSEEN: 428,
  STREAM_RUNS: 409,
  PREVIEW_IMPOSSIBLE: 422,
  PACKAGE_UNKNOWN: 404,
  ROWS_TOO_MANY: 422,
  ALERT_UNKNOWN: 404,
  SECRET_FIXED: 409,
  NOT_SUPPORTED: 501,
  CALLER_UNKNOWN: 401,
  CALLER_FORBIDDEN: 403,
  CLOUD_UNAVAILABLE: 503,
  LEDGER_UNAVAILABLE: 503,
  LEDGER_FULL: 507,
  QUERY_FAILED: 422, // What the engine says of values that a request brought.
  QUERY_BUSY: 503,
  QUERY_TIMEOUT: 503,
  QUERY_MEMORY: 503,
  QUERY_ENGINE_LOST: 503,
};

/** The status of a code. */
export const statusOf = (code: ErrorCode): number => statuses[code] ?? 500;

/** Seconds after which coming again may help, for the statuses that say so. */
export const retryAfterSeconds: ReadonlyMap<number, number> = new Map([
  [409, 30],
  [503, 10],
]);
