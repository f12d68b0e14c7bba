/** Which of the things found are files that a stream means, and what their addresses say. */
import { redactAddress } from "../http/redaction.ts";
import { decodePath } from "./file-name.ts";
import type { MatchFile, PatternSubject } from "./file-pattern.ts";

/** Compiled `match` and `exclude` of a stream. */
export type FileChoice = Readonly<{
  /** Empty: everything is meant. */
  match: readonly MatchFile[];
  exclude: readonly MatchFile[];
  /** As it was declared, for messages. */
  shown: string;
}>;

/** The fields of a file that is meant; `undefined`: it is not. */
export function chooseFile(
  choice: FileChoice,
  subject: PatternSubject,
): Readonly<Record<string, string>> | undefined {
  if (choice.exclude.some((fits) => fits(subject) !== undefined)) return undefined;
  if (choice.match.length === 0) return {};
  return firstFit(choice.match, subject);
}

/** The fields of the first pattern that fits; `undefined`: none does. */
export function firstFit(
  patterns: readonly MatchFile[],
  subject: PatternSubject,
): Readonly<Record<string, string>> | undefined {
  for (const fits of patterns) {
    const fields = fits(subject);
    if (fields !== undefined) return fields;
  }
  return undefined;
}

/** An address as patterns see it: its path alone, and with its query. Secrets in it are not seen. */
export function subjectOfAddress(address: URL, secrets: Iterable<string>): PatternSubject {
  const clean = redactAddress(address.href, new Set(), secrets);
  const [path = "", query] = clean.slice(address.origin.length).split(/\?(.*)/s, 2);
  const decoded = decodePath(path);
  return {
    paths: query === undefined ? [decoded] : [decoded, `${decoded}?${decodePath(query)}`],
    address: clean,
  };
}
