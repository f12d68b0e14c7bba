/** Where the records stand in an answer: `data.items`, the root array, JSON Lines, `[*].plants[*]`. */
import { LeatError } from "../errors/leat-error.ts";

/** One step into a JSON value: into an object's member, or into every element of an array. */
export type SelectorStep = Readonly<{ key: string }> | "each";

/**
 * `json`: one JSON document; `steps` lead to the records, the last step being `each`.
 * An object found where the last `each` expects an array is itself the only record when `isSingle`.
 * `lines`: one record a line, blank lines skipped.
 */
export type RecordSelector =
  | Readonly<{ form: "json"; steps: readonly SelectorStep[]; isSingle: boolean }>
  | Readonly<{ form: "lines" }>;

/**
 * Parses a selector.
 *
 * @param text - dotted keys and `[*]`: `""` or `[*]` (root array), `data.items`, `[*].plants[*]`; a last `[*]` may be
 *   left out. A key with dots is written `["a.b"]`. `lines` is JSON Lines. `$` is the document itself as one record,
 *   `data.$` the object at `data` as one record.
 * @throws {@link LeatError} `CONFIG_INVALID` naming the position.
 */
export function parseRecordSelector(text: string): RecordSelector {
  if (text === "lines") return { form: "lines" };
  const steps: SelectorStep[] = [];
  let isSingle = false;
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const each = /^\.?\[\*\]/.exec(rest);
    const quoted = /^\.?\["((?:[^"\\]|\\.)*)"\]/.exec(rest);
    const plain = at === 0 ? /^[^.[\]"]+/.exec(rest) : /^\.[^.[\]"]+/.exec(rest);
    const match = each ?? quoted ?? plain;
    const quotedKey = quoted === null ? undefined : readQuoted(quoted[1] ?? "");
    if (match === null || isSingle || (match === quoted && quotedKey === undefined)) {
      throw new LeatError("CONFIG_INVALID", {
        message: `The record selector "${text}" cannot be read at position ${at + 1}.`,
        hint: "Write dotted keys and [*], such as data.items or [*].plants[*].",
      });
    }
    if (each) steps.push("each");
    else if (quotedKey !== undefined) steps.push({ key: quotedKey });
    else {
      const key = match[0].replace(/^\./, "");
      if (key === "$") isSingle = true;
      else steps.push({ key });
    }
    at += match[0].length;
  }
  if (!isSingle && steps.at(-1) !== "each") steps.push("each");
  return { form: "json", steps, isSingle };
}

/** The text between quotes, escapes resolved as in JSON; `undefined` when it is none. */
function readQuoted(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`) as string; // Between quotes there is nothing but a string.
  } catch {
    return undefined;
  }
}

/** A selector as people write it. */
export function printRecordSelector(selector: RecordSelector): string {
  if (selector.form === "lines") return "lines";
  const steps = selector.steps.map((step) => (step === "each" ? "[*]" : `.${step.key}`)).join("");
  return (steps + (selector.isSingle ? ".$" : "")).replace(/^\./, "");
}
