/** Codes of shares. A part of the catalogue in `codes.ts`. */

export const shareCodes = {
  SHARE_UNKNOWN: {
    meaning: "The project has no share of this name.",
    hint: "Use one of the listed names.",
    retryable: false,
  },
  SHARE_TABLE_TAKEN: {
    meaning:
      "A table of the customer's warehouse is somebody else's: another share's, another tenant's, or the customer's own.",
    hint: "Set `schema` or `table` of the share to another name, or have what is there removed; nothing was changed.",
    retryable: false,
  },
  SHARE_CHANGED: {
    meaning: "What a share declares is not what the customer's rows were made with; nothing was moved.",
    hint: "Run `leat share --full` for it: everything is loaded again aside, and put in place at once (in BigQuery the tables are away meanwhile).",
    retryable: false,
  },
  SHARE_COLUMN_MISSING: {
    meaning: "A column that is to be shared is in none of the tenant's records; nothing was moved.",
    hint: "Correct its name, or say `optional: true` where a customer's records may lack it.",
    retryable: false,
  },
  SHARE_TABLE_ALTERED: {
    meaning: "Rows of a shared table are not those that were moved there: somebody has changed them.",
    hint: "Run `leat share --full` for it: everything is loaded again aside, and put in place at once (in BigQuery the tables are away meanwhile).",
    retryable: false,
  },
  SHARE_OUT_OF_SCOPE: {
    meaning: "A share was led to an object that is not its tenant's; nothing was read.",
    hint: "A manifest of this tenant's log names files of somebody else: restore it from a backup.",
    retryable: false,
  },
  SHARE_DEADLINE: {
    meaning: "A tenant's share did not end within its deadline; what was committed stays.",
    hint: "Run it again: it goes on from there. Raise `deadline` of the share when there is so much to move; when nothing moves, ask the customer what holds the tables.",
    retryable: true,
  },
  SHARE_SALT_WEAK: {
    meaning: "The secret that values are masked with is too short to hide them.",
    hint: "Make it at least 16 characters that nobody can guess, such as those of `openssl rand -hex 32`.",
    retryable: false,
  },
} as const;
