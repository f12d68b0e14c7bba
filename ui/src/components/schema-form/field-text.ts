/** Values of parameters as people type them, and back. The server is the only judge of what they may be. */
import type { FieldKind, FormField } from "./read-schema.ts";

/** What stands in each field; `undefined`: nothing is said, and the flow's own default counts. */
export type FormTexts = Readonly<Record<string, string>>;

export const printValue = (kind: FieldKind, value: unknown): string => {
  if (value === undefined) return "";
  if (kind.type === "texts" && Array.isArray(value)) return value.map(String).join("\n");
  if (kind.type === "json") return JSON.stringify(value, null, 2);
  if (kind.type === "choice") return JSON.stringify(value);
  return value === null ? "" : String(value);
};

/** What a field is filled with at first: what the deployment says, else what the flow's schema says. */
export const prefill = (fields: readonly FormField[], values: unknown): FormTexts =>
  Object.fromEntries(
    fields.map(({ name, kind, usual }) => {
      const own =
        typeof values === "object" && values !== null
          ? (values as Readonly<Record<string, unknown>>)[name] // An object is looked up by its names.
          : undefined;
      return [name, printValue(kind, own ?? usual)];
    }),
  );

/** @throws Error when JSON is mistyped, or a number is none: what cannot even be sent. */
export function readValue(kind: FieldKind, text: string): unknown {
  switch (kind.type) {
    case "number": {
      const number = Number(text);
      if (!Number.isFinite(number)) throw new Error(`"${text}" is not a number`);
      return number;
    }
    case "flag":
      return text === "true";
    case "texts":
      return text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
    case "choice":
    case "json":
      return JSON.parse(text) as unknown; // Whatever it is, the server looks at it.
    default:
      return text;
  }
}

export type ReadForm = Readonly<{
  values: Readonly<Record<string, unknown>>;
  faults: Readonly<Record<string, string>>;
}>;

/** What is sent: empty fields are left out, so that an empty text never stands for a value. */
export function readForm(fields: readonly FormField[], texts: FormTexts): ReadForm {
  const values: Record<string, unknown> = {};
  const faults: Record<string, string> = {};
  for (const { name, kind, isRequired } of fields) {
    const text = texts[name] ?? "";
    if (text === "") {
      if (isRequired) faults[name] = "is required";
      continue;
    }
    try {
      values[name] = readValue(kind, text);
    } catch (error) {
      faults[name] = error instanceof Error ? error.message : String(error);
    }
  }
  return { values, faults };
}
