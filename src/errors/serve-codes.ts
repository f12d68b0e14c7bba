/** Codes of datasets that are served. A part of the catalogue in `codes.ts`. */

export const serveCodes = {
  VERSION_REFUSED: {
    meaning: "A dataset's version cannot be served; the one before stays up.",
    hint: "Look at the cause: publish a version that fits the declared routes, or change them.",
    retryable: false,
  },
  DATASET_TOO_LARGE: {
    meaning: "A dataset's version takes more memory than serving may use.",
    hint: "Raise `packBytesMax`, or publish a smaller dataset beside it and serve that one.",
    retryable: false,
  },
  KEY_UNKNOWN: {
    meaning: "There is no API key of this id.",
    hint: "Run `leat keys list`.",
    retryable: false,
  },
  API_UNKNOWN: {
    meaning: "The project has no API of this name, or nothing that can be served.",
    hint: "Declare it in `apis` of leat.config.ts with defineApi(...).",
    retryable: false,
  },
  SERVE_FAILED: {
    meaning: "The server cannot listen at its address.",
    hint: "Choose another --port or --host; 0 takes a free port.",
    retryable: false,
  },
  QUERY_BUSY: {
    meaning: "More queries wait for the engine than may.",
    hint: "Ask again a little later.",
    retryable: true,
  },
  QUERY_TIMEOUT: {
    meaning: "A query over a dataset took longer than it may and was ended.",
    hint: "Ask for less: fewer groups, a narrower filter.",
    retryable: true,
  },
  QUERY_MEMORY: {
    meaning: "A query over a dataset took more memory than it may and was ended.",
    hint: "Ask for less: fewer groups, a narrower filter.",
    retryable: true,
  },
  QUERY_OVERFLOW: {
    meaning: "A sum over a dataset has more digits than can be told exactly.",
    hint: "Ask for avg, or for fewer rows by a filter or a group.",
    retryable: false,
  },
  QUERY_ENGINE_LOST: {
    meaning: "The process that runs queries over datasets has ended; another takes its place.",
    hint: "Ask again a little later.",
    retryable: true,
  },
} as const;
