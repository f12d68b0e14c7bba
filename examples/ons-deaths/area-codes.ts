/** What the publisher's codes say of an area. */

const types: readonly (readonly [RegExp, string])[] = [
  [/^K04/, "countries"],
  [/^[EW]92/, "country"],
  [/^E12/, "region"],
  [/^E13/, "inner or outer London"],
  [/^E10/, "county"],
  [/^E11/, "metropolitan county"],
  [/^[EW]06/, "unitary authority"],
  [/^E07/, "district"],
  [/^E08/, "metropolitan district"],
  [/^E09/, "London borough"],
  [/^J99/, "non-residents"],
];

const isCode = /^[A-Z]\d{8}$/;

/** The kind of area; `code of before 2011` for the old codes, null without a code. */
export function codeTypeOf(code: string | null): string | null {
  if (code === null) return null;
  if (!isCode.test(code)) return "code of before 2011";
  return types.find(([pattern]) => pattern.test(code))?.[1] ?? "other";
}

/** Depth in the table that a code of nine characters tells: 1 country or region, 2 county or authority, 3 district. */
export function levelOfCode(code: string | null): number | undefined {
  if (code === null || !isCode.test(code)) return undefined;
  if (/^(?:K04|E92|W92|E12|J99)/.test(code)) return 1;
  return /^E0[789]/.test(code) ? 3 : 2;
}
