/** JSON without loss: numbers that a double would round keep the text they were written with. */

/** Numbers that might not survive a double: of 15 digits and more, or with an exponent. Some texts look like one, too. */
const longNumber = /(?<=^|[:,[\s])-?(?:\d[\d.]{14,}(?:[eE][+-]?\d+)?|\d[\d.]*[eE][+-]?\d+)/g;

/** A number as it was written; `JSON.stringify` prints it so. */
export type RawJson = Readonly<{ rawJSON: string }>;

/** Part of the language since ES2025, and of Node since 21. */
type SourceJson = Readonly<{
  parse(
    text: string,
    revive: (key: string, value: unknown, context: Readonly<{ source?: string }>) => unknown,
  ): unknown;
  rawJSON(text: string): RawJson;
  isRawJSON(value: unknown): value is RawJson;
}>;
const json = JSON as unknown as SourceJson; // The compiler's library does not know these yet.

/** A number that keeps the text it is written with. */
export const toRawJson = (text: string): RawJson => json.rawJSON(text);
export const isRawJson = (value: unknown): value is RawJson => json.isRawJSON(value);

/**
 * Parses JSON. A number that a double cannot hold is its text: a string where it stands in the outermost object, and
 * deeper an opaque value that `JSON.stringify` writes as it was.
 *
 * @throws SyntaxError as `JSON.parse`.
 */
export function parseExactJson(text: string): unknown {
  // Nearly all lines end here: a double's own shortest text is what most programs write.
  if (hasOnlyShortest(text)) return JSON.parse(text);
  const value = json.parse(text, (_key, member, { source }) =>
    typeof member === "number" && source !== undefined && !isExact(member, source)
      ? toRawJson(source)
      : member,
  );
  if (isRawJson(value)) return value.rawJSON;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  for (const [key, member] of Object.entries(value)) {
    if (isRawJson(member))
      Object.defineProperty(value, key, {
        value: member.rawJSON,
        enumerable: true,
        writable: true,
        configurable: true,
      });
  }
  return value;
}

function hasOnlyShortest(text: string): boolean {
  return text.match(longNumber)?.every((literal) => String(Number(literal)) === literal) ?? true;
}

/** Whether a number is what its text says: equal digits and magnitude, however either is written. */
function isExact(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  const [ofValue, ofSource] = [normalize(String(value)), normalize(source)];
  return ofValue === ofSource;
}

/** A number's text as sign, digits without zeros at their ends, and power of ten. */
function normalize(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (match === null) return text;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  if (kept === "") return "0";
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length);
  return `${sign}${kept}e${power}`;
}
