/** Which character stands between the fields of a text file, where nobody said. */

/** In order of trust: where two fit all lines alike, a comma is the likelier to be part of a number. */
const candidates = ["\t", ";", "|", ","] as const;

/** Lines looked at. */
const linesMax = 200;

/**
 * Finds the delimiter in the beginning of a file: the one that most lines have equally often.
 *
 * @param sample - text up to some line; its last line is left out when the file goes on.
 * @returns a comma where no character is between fields: each line is one field.
 */
export function findDelimiter(sample: string, isWhole: boolean): string {
  const counts = candidates.map(() => new Map<number, number>());
  let current = candidates.map(() => 0);
  let isQuoted = false;
  let lines = 0;
  const endLine = (): void => {
    for (const [index, count] of current.entries()) {
      if (count > 0) counts[index]!.set(count, (counts[index]!.get(count) ?? 0) + 1);
    }
    current = candidates.map(() => 0);
    lines++;
  };
  for (const char of sample) {
    if (char === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (char === "\n" || char === "\r") {
      endLine();
      if (lines >= linesMax) break;
    } else {
      const index = candidates.indexOf(char as (typeof candidates)[number]); // Compared, not trusted.
      if (index >= 0) current[index]!++;
    }
  }
  if (isWhole && lines < linesMax) endLine();
  let best: { delimiter: string; lines: number } = { delimiter: ",", lines: 0 };
  for (const [index, delimiter] of candidates.entries()) {
    const alike = Math.max(0, ...counts[index]!.values());
    if (alike > best.lines) best = { delimiter, lines: alike };
  }
  return best.delimiter;
}
