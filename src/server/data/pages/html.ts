/** HTML as text that is safe by construction: every value is escaped, unless it is HTML already. */

/** Text that is HTML. Made by {@link html} alone. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template; nothing is printed of `undefined` and `false`. */
export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function print(value: HtmlValue): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(print).join("");
  // What no page can hold, such as a half of a pair, must not make it another page.
  return String(value)
    .toWellFormed()
    .replaceAll("\0", "�")
    .replace(/[&<>"']/g, (character) => escapes[character]!); // The table has all five.
}

/** A piece of a page. */
export function html(texts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(texts.reduce((page, text, at) => page + print(values[at - 1]) + text));
}
