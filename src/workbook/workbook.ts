/** The declarative front: `workbook({ … })` says what table to look for in spreadsheets. */
import { LeatError } from "../errors/leat-error.ts";
import type { JsonObject, JsonValue } from "../model/json-value.ts";
import type { TidyDeclaration } from "../ports/tidy.ts";
import { parseLayout } from "./parse-layout.ts";
import type { WorkbookOptions } from "./workbook-options.ts";

/**
 * Declares how a publisher's spreadsheets become tidy rows, for a family of layouts and not for one file.
 *
 * @example
 * ```ts
 * workbook({
 *   sheets: ["Figures for {year}", /^figures/i],
 *   columns: {
 *     geo_code: { header: ["Area code", "Area of usual residence"], values: /^[A-Z]\d{8}/, optional: true },
 *     place_name: { label: "first" },
 *     month: { heading: 1, kind: "month" },
 *     deaths: { figure: true, kind: "integer", symbols: { "-": "zero" } },
 *   },
 * });
 * ```
 * @returns a declaration: plain data, frozen. Nothing is read.
 * @throws {@link LeatError} `CONFIG_INVALID` with every fault and its path.
 */
export function workbook(options: WorkbookOptions): TidyDeclaration {
  const plain = toPlain(options, "");
  parseLayout(plain);
  const object = plain as JsonObject; // `parseLayout` has refused anything else.
  const columns = Object.freeze(Object.keys(object["columns"] as JsonObject)); // It has seen to this, too.
  return Object.freeze({ format: "workbook", columns, options: object });
}

/** Options as JSON: a regular expression is its source and flags, what is undefined is left out. */
function toPlain(value: unknown, path: string): JsonValue {
  if (value instanceof RegExp) return Object.freeze({ pattern: value.source, flags: value.flags });
  if (Array.isArray(value))
    return Object.freeze(value.map((item, index) => toPlain(item, `${path}[${index}]`)));
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, toPlain(inner, path === "" ? key : `${path}.${key}`)]);
    return Object.freeze(Object.fromEntries(members));
  }
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value as JsonValue; // Just checked.
  throw new LeatError("CONFIG_INVALID", {
    message: `The workbook's declaration: ${path === "" ? "the whole" : path} is a ${typeof value}.`,
    hint: "A declaration is plain data and regular expressions: it is handed to the process that reads the file.",
  });
}
