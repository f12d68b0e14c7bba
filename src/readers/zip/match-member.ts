/** Patterns for names of an archive's members. */

/**
 * Makes a test of names: `*` is any text in one folder, `**` any folders, `?` one character.
 *
 * A pattern without a slash fits the last name in any folder: `*.csv` fits `data/2018.csv`.
 */
export function matchMember(pattern: string): (member: string) => boolean {
  const source = pattern.replace(/\*\*\/|\*\*|[*?]|[\\^$+.()|[\]{}]/g, (part) => {
    if (part === "**/") return "(?:[^/]*/)*";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : `\\${part}`;
  });
  const expression = new RegExp(`^${pattern.includes("/") ? "" : "(?:.*/)?"}${source}$`, "i");
  return (member) => expression.test(member);
}
