/** Which known name somebody who mistyped probably meant. */

/** Names compared; a list longer than this is cut, because a hint must not cost seconds. */
const candidatesMax = 5000;
/** Longest name compared, in characters; nobody mistypes a longer one by hand. */
const nameLengthMax = 100;

/**
 * Finds the known name that is nearest to a mistyped one.
 *
 * @returns `undefined` when nothing is near enough to be a likely slip: more than a third of the letters differ.
 */
export function nearestName(typed: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(Math.max(typed.length, 3) / 3) + 1;
  let seen = 0;
  for (const name of known) {
    if (++seen > candidatesMax) break;
    if (typed.length > nameLengthMax || name.length > nameLengthMax) continue;
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1);
      }
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length]!;
}

/** Names longer than this list are only counted in a hint. */
const listedMax = 20;

/**
 * A hint that names what exists: the near name first, then the list.
 *
 * @param what - plural noun, such as `streams`.
 */
export function hintOfKnown(typed: string, what: string, known: readonly string[]): string {
  const near = nearestName(typed, known);
  const listed = known.slice(0, listedMax).join(", ");
  const rest = known.length > listedMax ? `, and ${known.length - listedMax} more` : "";
  const list = known.length === 0 ? `There are no ${what}.` : `Known ${what}: ${listed}${rest}.`;
  return near === undefined ? list : `Did you mean "${near}"? ${list}`;
}
