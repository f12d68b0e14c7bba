/** How near a sheet's name is to the one looked for. */
import { nearestName } from "../errors/nearest-name.ts";
import { comparable } from "./cell-text.ts";

/** Share of words that two names must have in common to be close though they are written differently. */
const sharedWordsMin = 0.6;

/**
 * Whether a name is nearly the one looked for: a few letters differ, or most words are the same.
 *
 * Numbers must be equal: `Figures for 2017` is not nearly `Figures for 2018`.
 */
export function isClose(wanted: string, name: string): boolean {
  const [one, other] = [comparable(wanted), comparable(name)];
  if (numbersOf(one) !== numbersOf(other)) return false;
  if (nearestName(one, [other]) !== undefined) return true;
  const [wantedWords, words] = [wordsOf(one), wordsOf(other)];
  const shared = [...wantedWords].filter((word) => words.has(word)).length;
  return shared >= 2 && shared / Math.max(wantedWords.size, words.size) >= sharedWordsMin;
}

function numbersOf(text: string): string {
  return (text.match(/\d+/g) ?? []).join(" ");
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== ""));
}
