/** Every error code of leat, once: what it means, what to do, whether trying again may help. */

import { cloudCodes } from "./cloud-codes.ts";
import { consoleCodes } from "./console-codes.ts";
import { fileCodes } from "./file-codes.ts";
import { flowCodes } from "./flow-codes.ts";
import { serveCodes } from "./serve-codes.ts";
import { shareCodes } from "./share-codes.ts";

/** What the catalogue says of a code. `docs/reference/errors.md` is generated from it. */
export type CodeFacts = Readonly<{ meaning: string; hint: string; retryable: boolean }>;

const generalCodes = {
  // Configuration
  USAGE: {
    meaning: "The command line or the request cannot be understood.",
    hint: "Run the command with --help.",
    retryable: false,
  },
  CONFIG_INVALID: {
    meaning: "A declaration or setting is wrong; every fault is listed with its path.",
    hint: "Mend the listed paths, then run `leat check`.",
    retryable: false,
  },
  CONFIG_MISSING: {
    meaning: "No leat.config.ts was found.",
    hint: "Run `leat init` in an empty folder, or name the file with --config.",
    retryable: false,
  },
  TENANTS_INVALID: {
    meaning: "The tenants file is not a list of tenants with distinct ids.",
    hint: "Mend the named entry of the tenants file.",
    retryable: false,
  },
  TENANT_UNKNOWN: { meaning: "No tenant has this id.", hint: "Use one of the listed ids.", retryable: false },
  TENANT_NOT_READ: {
    meaning: "The source is not read for this tenant: its `tenants` say for whom it is.",
    hint: "Leave the tenant out, or name one that the source is read for.",
    retryable: false,
  },
  STREAM_UNKNOWN: {
    meaning: "No source has a stream of this name.",
    hint: "Use one of the listed streams.",
    retryable: false,
  },
  SECRET_MISSING: {
    meaning: "A secret that is needed now cannot be found.",
    hint: "Set it in the place named; nothing was fetched.",
    retryable: false,
  },
  NAME_INVALID: {
    meaning: "A source, stream or tenant name is empty or not well-formed text.",
    hint: "Rename it.",
    retryable: false,
  },
  DEPENDENCY_MISSING: {
    meaning: "An engine that the project names is not installed.",
    hint: "Run the install line named.",
    retryable: false,
  },
  NODE_TOO_OLD: {
    meaning: "This Node is older than leat needs.",
    hint: "Install Node 22.19 or newer.",
    retryable: false,
  },
  NOT_SUPPORTED: {
    meaning: "leat does not do this (yet).",
    hint: "See the documentation page named.",
    retryable: false,
  },

  // The partner
  SOURCE_UNREACHABLE: {
    meaning: "The partner could not be reached within the retry budget.",
    hint: "Check the base URL and the network; nothing was committed.",
    retryable: true,
  },
  SOURCE_TIMEOUT: {
    meaning: "The partner did not answer in time.",
    hint: "Raise the time-out of the source, or try later.",
    retryable: true,
  },
  SOURCE_AUTH_FAILED: {
    meaning: "The partner refused the credential.",
    hint: "Renew this tenant's credential; its cursor has not moved.",
    retryable: false,
  },
  SOURCE_RATE_LIMITED: {
    meaning: "The partner still answered 429 when the retry budget was used up.",
    hint: "Lower the source's rate limit, or try later.",
    retryable: true,
  },
  SOURCE_FAILED: {
    meaning: "The partner answered with an error.",
    hint: "Read the answer in the details; nothing was committed.",
    retryable: true,
  },
  SOURCE_MOVED: {
    meaning: "The partner's address answers with a redirect or a page for people.",
    hint: "Correct the base URL or path of the stream.",
    retryable: false,
  },
  SOURCE_NOT_JSON: {
    meaning: "The partner's answer is not JSON.",
    hint: "Look at the beginning of the answer in the details.",
    retryable: true,
  },
  SOURCE_TRUNCATED: {
    meaning: "The partner's answer ended in the middle.",
    hint: "Try again; nothing of it was committed.",
    retryable: true,
  },
  SOURCE_SHAPE_CHANGED: {
    meaning: "The records are not where the stream's selector says.",
    hint: "Compare `records` of the stream with the answer named.",
    retryable: false,
  },
  SOURCE_UNSTABLE: {
    meaning: "The partner's data changed during every pass, so that no complete page sequence was seen.",
    hint: "Use a quieter hour, a declared sort, a window with an end, or more passes.",
    retryable: true,
  },
  SOURCE_CLOCK_OFF: {
    meaning: "The partner's clock and ours differ by more than the tolerance.",
    hint: "Set this machine's clock, or raise `clockToleranceMs` of the source.",
    retryable: true,
  },
  PAGES_ENDLESS: {
    meaning: "A next link or token came twice, or more pages came than the bound.",
    hint: "Compare the pagination of the stream with the partner's documentation, or raise `pagesMax`.",
    retryable: false,
  },
  CURSOR_INVALID: {
    meaning: "A cursor value cannot be read in the stream's declared format.",
    hint: "Compare `cursor.format` with the value named.",
    retryable: false,
  },
  FILE_REFUSED: {
    meaning: "Files that were found are not what their names say; the others were landed.",
    hint: "Nothing of a refused file counts as known: the next run asks for it again. Leave it out with `exclude`, or ask the publisher.",
    retryable: false,
  },
  ORDER_BROKEN: {
    meaning: "The partner did not keep the sort order that leat asked for.",
    hint: "Run the stream again: leat has stopped trusting its order and set it back.",
    retryable: false,
  },
  QUARANTINE_SHARE_EXCEEDED: {
    meaning: "More records than allowed cannot be rows; nothing was committed.",
    hint: "Look at the reasons listed; raise `quarantineShareMax` only if they are known.",
    retryable: false,
  },
  REFRESH_SHRANK: {
    meaning: "A full refresh brought no or far fewer records than the one before; it was not taken.",
    hint: "If the partner really has so few, run again with --confirm-shrink.",
    retryable: false,
  },
  RUN_BOUND_REACHED: {
    meaning: "A declared bound of the run was reached.",
    hint: "Raise the option named.",
    retryable: false,
  },
  EXTRACT_FAILED: { meaning: "The stream's own code threw.", hint: "Look at the cause.", retryable: false },

  // Landing
  STATE_CONFLICT: {
    meaning: "Another run committed this place in the log first; this run changed nothing.",
    hint: "Run again: it starts from what the other has committed.",
    retryable: true,
  },
  BUSY: {
    meaning: "A full refresh of this stream and tenant is running.",
    hint: "Wait for it to end.",
    retryable: true,
  },
  STORE_UNREADABLE: {
    meaning: "The landing cannot be read.",
    hint: "Check the address and the permissions named.",
    retryable: true,
  },
  STORE_UNWRITABLE: {
    meaning: "The landing cannot be written.",
    hint: "Check the permissions of the place named; the cursor has not moved.",
    retryable: true,
  },
  STORE_FULL: {
    meaning: "The disk of the landing is full.",
    hint: "Free some space and run again; the cursor has not moved.",
    retryable: true,
  },
  STORE_DENIED: {
    meaning: "The object store does not know us, or does not let us.",
    hint: "Grant what is named, then run again; nothing was lost.",
    retryable: false,
  },
  STORE_MISSING: {
    meaning: "There is no such bucket, or it is not where the address says.",
    hint: "Correct the address, or make the bucket.",
    retryable: false,
  },
  MANIFEST_INVALID: {
    meaning: "A manifest of the log cannot be understood.",
    hint: "It was written by a newer leat or by hand: update leat, or restore the object named.",
    retryable: false,
  },
  LOG_GAP: {
    meaning: "A manifest in the middle of the log is missing.",
    hint: "Restore the object named from a backup.",
    retryable: false,
  },
  PART_MISSING: {
    meaning: "A landed file that a manifest names is not there.",
    hint: "Restore the object named: a bucket with soft delete or versions still has it, else a backup.",
    retryable: false,
  },
  PART_CORRUPT: {
    meaning: "A landed file is not what its manifest says (size or checksum).",
    hint: "Restore the object named from a backup.",
    retryable: false,
  },
  ACCOUNTING_MISMATCH: {
    meaning: "Counts that must add up do not; nothing was committed.",
    hint: "This is a fault of leat: report it with the details.",
    retryable: false,
  },

  // Warehouse
  WAREHOUSE_LOCKED: {
    meaning: "Another process holds the warehouse file.",
    hint: "Close it, or wait longer for it: LEAT_LOCK_WAIT, in seconds.",
    retryable: true,
  },
  WAREHOUSE_UNREADABLE: {
    meaning: "The warehouse cannot be opened.",
    hint: "Check the address named.",
    retryable: false,
  },
  WAREHOUSE_UNREACHABLE: {
    meaning: "The warehouse's server cannot be reached, or the connection to it was lost.",
    hint: "Run again when the server answers: its ledger knows what has been loaded, and nothing is loaded twice.",
    retryable: true,
  },
  WAREHOUSE_FULL: {
    meaning: "The warehouse's disk is full; nothing was loaded.",
    hint: "Free some space and run again.",
    retryable: true,
  },
  WAREHOUSE_DENIED: {
    meaning: "The warehouse's service refused the credentials, or they lack a right.",
    hint: "Give the account named the role named; nothing was loaded.",
    retryable: false,
  },
  WAREHOUSE_QUOTA: {
    meaning: "A quota of the warehouse's service is used up; nothing was loaded.",
    hint: "Wait until it refills, load less often, or ask the provider for more.",
    retryable: true,
  },
  QUERY_TOO_COSTLY: {
    meaning:
      "A statement would be billed for more bytes than the warehouse's address allows; it was not run.",
    hint: "Narrow the statement, or raise maximumBytesBilled in the warehouse's address.",
    retryable: false,
  },
  LEDGER_MISMATCH: {
    meaning: "The warehouse's rows and its ledger disagree for a package; nothing was written.",
    hint: "Somebody edited the table: run `leat rebuild` for the stream.",
    retryable: false,
  },
  LOG_REWRITTEN: {
    meaning: "The log's manifest is not the one that this warehouse loaded.",
    hint: "The landing was restored or edited: run `leat rebuild`.",
    retryable: false,
  },
  LOAD_FAILED: {
    meaning: "The warehouse refused a load; nothing of it was written.",
    hint: "Look at the cause.",
    retryable: false,
  },
  SCHEMA_FROZEN: {
    meaning: "New columns or kinds arrived in a stream whose contract is `freeze`.",
    hint: "Add the column named to the stream, or use contract `evolve`.",
    retryable: false,
  },
  QUERY_FAILED: {
    meaning: "The SQL was refused by the warehouse.",
    hint: "Look at the message of the engine.",
    retryable: false,
  },
  VERIFY_FAILED: {
    meaning: "Landing, warehouse and source do not agree.",
    hint: "Look at the listed differences.",
    retryable: false,
  },

  // Datasets
  DATASET_UNKNOWN: {
    meaning: "The project has no dataset of this name.",
    hint: "Use one of the listed names.",
    retryable: false,
  },
  VERSION_UNKNOWN: {
    meaning: "The dataset has no such version, or it was collected.",
    hint: "Use one of the listed versions, `latest` or `previous`.",
    retryable: false,
  },
  INPUT_EMPTY: {
    meaning: "There is nothing to build a dataset from; no version was made.",
    hint: "Look at the place named: run `leat sync` first, or widen the filter.",
    retryable: false,
  },
  INPUT_UNREADABLE: {
    meaning: "Some of a dataset's files cannot be read as declared; no version was made.",
    hint: "Mend the declaration for the files named, or leave them out with `files`.",
    retryable: false,
  },
  RELEASE_UNKNOWN: {
    meaning: "A file's place in the order of release cannot be read.",
    hint: "Compare `release` of the dataset with the file named, or leave the file out with `files`.",
    retryable: false,
  },
  COLUMN_MISMATCH: {
    meaning: "Rows and columns of a dataset do not have the same names.",
    hint: "Compare `columns` of the dataset with the names listed.",
    retryable: false,
  },
  MAP_FAILED: {
    meaning: "The project's own code failed while making rows of a dataset.",
    hint: "Look at the cause and the row named.",
    retryable: false,
  },
  ROW_INVALID: {
    meaning: "Values are not what their columns declare; no version was made.",
    hint: "Look at the places named. Mend the declaration, or change the values in `map` or SQL.",
    retryable: false,
  },
  KEY_DUPLICATE: {
    meaning: "Rows of one file have the same key; no version was made.",
    hint: "Add what tells them apart to `key`, or say with `duplicates` which of them counts.",
    retryable: false,
  },
  RULE_FAILED: {
    meaning: "A quality rule of severity `error` does not hold; no version was published.",
    hint: "Look at the offending rows. What is known and right can be a rule of severity `warn`.",
    retryable: false,
  },

  INTERRUPTED: {
    meaning: "The run was stopped at a safe point.",
    hint: "Run it again: it goes on from there.",
    retryable: true,
  },
  INTERNAL: {
    meaning: "A promise of leat's own code was broken.",
    hint: "This is a fault of leat: report it with the cause.",
    retryable: false,
  },
} as const;

export const codes: typeof generalCodes &
  typeof cloudCodes &
  typeof consoleCodes &
  typeof fileCodes &
  typeof flowCodes &
  typeof serveCodes &
  typeof shareCodes = {
  ...generalCodes,
  ...cloudCodes,
  ...consoleCodes,
  ...fileCodes,
  ...flowCodes,
  ...serveCodes,
  ...shareCodes,
};

codes satisfies Record<string, CodeFacts>;

/** A stable error code; see `docs/reference/errors.md`. */
export type ErrorCode = keyof typeof codes;
