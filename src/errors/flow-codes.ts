/** Codes of flows: authoring, running, and the ledger. A part of the catalogue in `codes.ts`. */

export const flowCodes = {
  FLOW_UNKNOWN: {
    meaning: "The project has no flow or deployment of this name.",
    hint: "Use one of the listed names.",
    retryable: false,
  },
  PARAMS_INVALID: {
    meaning: "Parameters do not fit the schema of the flow; every fault is listed with its path.",
    hint: "Mend the listed parameters.",
    retryable: false,
  },
  FLOW_FAILED: {
    meaning: "The flow's own code failed.",
    hint: "Look at the cause and at the run's log. A retry of the run skips the tasks that are finished.",
    retryable: true,
  },
  FLOW_MAP_FAILED: {
    meaning: "Some items of a map failed.",
    hint: "Look at the first failure, named as the cause. A retry of the run does only the failed ones again.",
    retryable: true,
  },
  FLOW_MISUSED: {
    meaning: "The flow's code uses its context in a way that cannot work.",
    hint: "Change the code as the message says.",
    retryable: false,
  },
  FLOW_NOT_REPEATABLE: {
    meaning: "The flow's code took another way when it was resumed, so that it cannot be continued.",
    hint: "Put what differs from time to time (the clock, random numbers, answers of others) into tasks: their results are kept.",
    retryable: false,
  },
  VALUE_NOT_SERIALISABLE: {
    meaning:
      "A parameter, an argument or a result is not plain JSON, so that it would come back as something else.",
    hint: "Return text, numbers, booleans, null, arrays and plain objects; a Date as text or milliseconds.",
    retryable: false,
  },
  VALUE_TOO_LARGE: {
    meaning: "A parameter, a result or an artifact is larger than the ledger keeps.",
    hint: "Write it to a file, the landing or the warehouse inside the task, and return where it is.",
    retryable: false,
  },
  TASK_KEY_NEEDED: {
    meaning: "A task's arguments cannot name its result, because they are not plain JSON or are too large.",
    hint: "Give the task a `key`, which makes a short text of the arguments.",
    retryable: false,
  },
  TASK_UNKNOWN: {
    meaning: "The run has no such task.",
    hint: "Use one of the listed tasks.",
    retryable: false,
  },
  TASK_TIMEOUT: {
    meaning: "A task took longer than its `timeout`.",
    hint: "Raise `timeout` of the task, or look why it takes so long.",
    retryable: true,
  },
  RUN_TIMEOUT: {
    meaning: "A run took longer than the `timeout` of its flow.",
    hint: "Raise `timeout` of the flow, or look in the run's log what took so long.",
    retryable: true,
  },
  RUN_UNKNOWN: {
    meaning: "The ledger has no such run; it may have been pruned.",
    hint: "Look at the list of runs.",
    retryable: false,
  },
  RUN_STATE: {
    meaning: "The run is in a state in which this cannot be done to it.",
    hint: "Look at the run's state named.",
    retryable: false,
  },
  RUN_CANCELLED: {
    meaning: "The run was cancelled.",
    hint: "A retry of the run skips the tasks that are finished.",
    retryable: false,
  },
  RUN_LOST: {
    meaning: "The process that executed the run died, or another has taken the run over.",
    hint: "A run of a worker is taken over by itself; one in the foreground is retried by hand.",
    retryable: true,
  },
  RUN_PROCESS_DIED: {
    meaning: "The flow's code ended the process in which it ran.",
    hint: "Look in the run's log for what it wrote last: process.exit, an uncaught error, or too little memory.",
    retryable: true,
  },
  APPROVAL_REFUSED: {
    meaning: "The run asked a question and the answer was no.",
    hint: "Look at the note of who refused.",
    retryable: false,
  },
  APPROVAL_TIMEOUT: {
    meaning: "The run asked a question and nobody answered in time.",
    hint: "Retry the run to ask again, or raise `timeout` of the question.",
    retryable: true,
  },
  APPROVAL_UNKNOWN: {
    meaning: "The run waits for no such answer.",
    hint: "Look at the run's open questions.",
    retryable: false,
  },
  SCHEDULE_UNKNOWN: {
    meaning: "No deployment has a schedule of this name.",
    hint: "Use one of the listed schedules.",
    retryable: false,
  },
  SCHEDULE_BOUND: {
    meaning: "A span of time holds more ticks of a schedule than are run at once.",
    hint: "Take a shorter span.",
    retryable: false,
  },
  WEBHOOK_REFUSED: {
    meaning: "A webhook came without the secret of its trigger, or with a wrong one.",
    hint: "Send the secret that the trigger names.",
    retryable: false,
  },
  TOKEN_REFUSED: {
    meaning: "A request to the control API came without its token, or with a wrong one.",
    hint: "Send it as `Authorization: Bearer ...`.",
    retryable: false,
  },
  NOTICE_FAILED: {
    meaning: "A notification could not be delivered.",
    hint: "Check the address and the credential of the notification.",
    retryable: true,
  },
  LEDGER_UNAVAILABLE: {
    meaning: "The ledger cannot be reached, or another process has held it for too long.",
    hint: "Check the address and the server named.",
    retryable: true,
  },
  LEDGER_UNREADABLE: {
    meaning: "The ledger is not what its address says, or may not be read or written.",
    hint: "Check the address and the permissions named.",
    retryable: false,
  },
  LEDGER_FULL: {
    meaning: "The ledger's disk is full; what was being written was not kept.",
    hint: "Free some space: runs go on from what is finished.",
    retryable: true,
  },
  LEDGER_NEWER: {
    meaning: "The ledger was made or changed by a newer leat.",
    hint: "Update leat on this machine.",
    retryable: false,
  },
} as const;
