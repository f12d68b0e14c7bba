/** Keys of everything that datasets keep in the landing, in one place. Prefixes end in `/`. */
import { encodeName } from "../model/path-name.ts";

/** Width of a seq in keys: listings by name are listings by number. */
const seqDigits = 12;
const printSeq = (seq: number): string => String(seq).padStart(seqDigits, "0");

/** `datasets/<name>/`. */
export const datasetPrefix = (dataset: string): string => `datasets/${encodeName(dataset)}/`;

/** `datasets/<name>/log/`: an entry a version. */
export const logPrefix = (dataset: string): string => `${datasetPrefix(dataset)}log/`;
export const entryKey = (dataset: string, seq: number): string =>
  `${logPrefix(dataset)}${printSeq(seq)}.json`;

/** `datasets/<name>/collected/`: one empty object for each version whose files were deleted. */
export const collectedPrefix = (dataset: string): string => `${datasetPrefix(dataset)}collected/`;
export const collectedKey = (dataset: string, seq: number): string =>
  `${collectedPrefix(dataset)}${printSeq(seq)}`;

/** The seq of a key of the log or of a collected version; `undefined` for strangers. */
export function entrySeq(key: string): number | undefined {
  const match = /\/(?:log\/(\d{12})\.json|collected\/(\d{12}))$/.exec(key);
  return match === null ? undefined : Number(match[1] ?? match[2]);
}

/** Names a build: the entry it means to create, and something random. What it writes belongs to nobody until then. */
export const newBuildId = (seq: number, random: string): string => `${printSeq(seq)}-${random}`;

/** `datasets/<name>/build=<id>/`. */
export const buildPrefix = (dataset: string, buildId: string): string =>
  `${datasetPrefix(dataset)}build=${buildId}/`;

/** An entry that is ready to be created, with the files it names; whoever creates it may be another process. */
export const draftKey = (dataset: string, buildId: string): string =>
  `${buildPrefix(dataset, buildId)}draft.json`;

/** The entry that a file of a build was written for; `undefined`: no such file. */
export function intendedSeq(key: string): number | undefined {
  const match = /\/build=(\d{12})-[0-9a-z]+\//.exec(key);
  return match === null ? undefined : Number(match[1]);
}

/** `tidy/`: rows of files as they were read; may be deleted at any time. */
export const tidyPrefix = "tidy/";
export const tidyReportKey = (id: string): string => `${tidyPrefix}${id}.json`;
export const tidyRowsKey = (id: string, rowsHash: string): string =>
  `${tidyPrefix}${id}-${rowsHash}.ndjson.zst`;
