/** Whether a text is the one looked for: by name, by name with footnote marks, or by pattern. */
import { cleanText, comparable } from "./cell-text.ts";
import { toNamePattern } from "./footnote-marks.ts";
import { toRegExp, type WantedText } from "./layout.ts";

/** What is known of a file besides its cells, e.g. `year`. */
export type Fields = Readonly<Record<string, string>>;

/** How well a text fits: `name` exactly, `marked` but for footnote marks, `pattern` by a regular expression. */
export type Fit = Readonly<{ how: "name" | "marked" | "pattern"; fields: Fields }>;

export type Wish = Readonly<{
  /** As people wrote it, for messages. */
  label: string;
  /** Set for a name without unknown fields: what closeness is measured against. */
  name: string | undefined;
  fit(text: string): Fit | undefined;
}>;

/** Longest text that a pattern is tried on, in characters: a header is shorter, and a slow pattern stays harmless. */
const textMax = 2000;
const placeholder = /\{([A-Za-z_]\w*)\}/g;
const none: Fields = Object.freeze({});

/**
 * Prepares one wanted text.
 *
 * A field in a name that is not known fits any one word, and is then known by it: `Figures for {year}` finds
 * `Figures for 2018` and tells that the year is 2018.
 */
export function compileWish(wanted: WantedText, fields: Fields): Wish {
  if (typeof wanted !== "string") {
    const pattern = toRegExp(wanted);
    return {
      label: `/${wanted.pattern}/${wanted.flags}`,
      name: undefined,
      fit: (text) => {
        const found = pattern.exec(cleanText(text).slice(0, textMax));
        return found === null ? undefined : { how: "pattern", fields: { ...found.groups } };
      },
    };
  }
  const unknown: string[] = [];
  const filled = wanted.replace(placeholder, (whole, field: string) => {
    if (Object.hasOwn(fields, field)) return fields[field]!;
    unknown.push(field);
    return whole;
  });
  const name = comparable(filled);
  if (unknown.length > 0) return compileCapture(wanted, name, unknown);
  const marked = toNamePattern(name);
  return {
    label: JSON.stringify(filled),
    name,
    fit: (text) => {
      const compared = comparable(text.slice(0, textMax));
      if (compared === name) return { how: "name", fields: none };
      return marked.test(compared) ? { how: "marked", fields: none } : undefined;
    },
  };
}

function compileCapture(wanted: string, name: string, unknown: readonly string[]): Wish {
  const pattern = toNamePattern(name, unknown);
  return {
    label: JSON.stringify(wanted),
    name: undefined,
    fit: (text) => {
      const found = pattern.exec(comparable(text.slice(0, textMax)));
      return found === null ? undefined : { how: "name", fields: { ...found.groups } };
    },
  };
}
