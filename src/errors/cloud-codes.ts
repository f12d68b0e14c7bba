/** Codes of what runs in a cloud: credentials, queues, and who may call. A part of the catalogue in `codes.ts`. */

export const cloudCodes = {
  CLOUD_REFUSED: {
    meaning:
      "Google Cloud refused a request: no credentials, a role that is missing, or a name that is wrong.",
    hint: "Look at the role and the resource named.",
    retryable: false,
  },
  CLOUD_UNAVAILABLE: {
    meaning: "Google Cloud did not answer, or asked to come again, until the tries were used up.",
    hint: "Try again later; what was done before stays.",
    retryable: true,
  },
  CALLER_UNKNOWN: {
    meaning: "A request to the sync app does not say who sends it, or cannot prove it.",
    hint: "Send an identity token or the key as `Authorization: Bearer ...`.",
    retryable: false,
  },
  CALLER_FORBIDDEN: {
    meaning: "The sender of a request to the sync app is known, and is not one of those that may.",
    hint: "Add its address to LEAT_AUTH_CALLERS, or call as one of those named there.",
    retryable: false,
  },
} as const;
