/** Codes of the console and its API. A part of the catalogue in `codes.ts`. */

export const consoleCodes = {
  SIGN_IN_NEEDED: {
    meaning: "Nobody is signed in, or the session is over.",
    hint: "Sign in; what you looked at is still there.",
    retryable: false,
  },
  SIGN_IN_FAILED: {
    meaning: "Somebody could not be signed in.",
    hint: "Try again from the sign-in page; if it stays, compare the provider's settings with docs/concepts/console.md.",
    retryable: false,
  },
  ROLE_MISSING: {
    meaning: "Whoever asks may not do this.",
    hint: "Ask an admin of the project.",
    retryable: false,
  },
  ORIGIN_REFUSED: {
    meaning: "A change was asked for by a page of another site.",
    hint: "Do it in the console itself.",
    retryable: false,
  },
  CURSOR_MOVED: {
    meaning: "A cursor was to be set, and is not any more what was seen.",
    hint: "Look at it again: a run has moved it, or somebody else has set it.",
    retryable: false,
  },
  CURSOR_UNSEEN: {
    meaning: "A cursor was to be set by somebody who does not say which one was seen.",
    hint: "Send If-Match with the ETag of the stream's state.",
    retryable: false,
  },
  STREAM_RUNS: {
    meaning: "A stream's cursor was to be set while a run reads the stream.",
    hint: "Wait for the run to end, or cancel it; nothing was changed.",
    retryable: true,
  },
  PACKAGE_UNKNOWN: {
    meaning: "There is no such package in the landing, or no such file in it.",
    hint: "See the packages of the stream and tenant.",
    retryable: false,
  },
  ROWS_TOO_MANY: {
    meaning: "More rows were asked for at once than may be.",
    hint: "Narrow the filter, or ask the warehouse itself with `leat query`.",
    retryable: false,
  },
  PREVIEW_IMPOSSIBLE: {
    meaning: "A file cannot be shown.",
    hint: "Download it from the landing.",
    retryable: false,
  },
  SECRET_FIXED: {
    meaning: "A secret cannot be set from here.",
    hint: "Set it where it is kept: the environment of the process, its file, or Secret Manager.",
    retryable: false,
  },
  ALERT_UNKNOWN: {
    meaning: "There is no alert rule of this name.",
    hint: "See what there is on the page of alerts.",
    retryable: false,
  },
} as const;
