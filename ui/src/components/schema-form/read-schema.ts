/** What a form shows of a JSON Schema: the subset that flows' parameters are made of; anything else is typed as JSON. */

type Json = Readonly<Record<string, unknown>>;

export type FormField = Readonly<{
  name: string;
  title: string;
  about: string | undefined;
  isRequired: boolean;
  /** What is there when nothing is said; `undefined`: nothing. */
  usual: unknown;
  kind: FieldKind;
}>;

export type FieldKind = Readonly<
  | { type: "text"; isLong: boolean; format: string | undefined; pattern: string | undefined }
  | { type: "number"; isWhole: boolean; min: number | undefined; max: number | undefined }
  | { type: "flag" }
  | { type: "choice"; options: readonly (string | number | boolean | null)[] }
  /** A list of texts, one a line. */
  | { type: "texts" }
  | { type: "json" }
>;

const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const numberOf = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);
const isPlain = (value: unknown): value is string | number | boolean | null =>
  value === null || ["string", "number", "boolean"].includes(typeof value);

/** Longer texts are typed on several lines, characters. */
const lineLengthMax = 200;

/** Fields of an object's schema, in its order; a schema that is none of an object has none. */
export function readFields(schema: unknown): readonly FormField[] {
  if (!isRecord(schema) || !isRecord(schema["properties"])) return [];
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(schema["properties"]).map(([name, property]) => {
    const own = isRecord(property) ? property : {};
    return {
      name,
      title: textOf(own["title"]) ?? name,
      about: textOf(own["description"]),
      isRequired: required.includes(name) && own["default"] === undefined,
      usual: own["default"],
      kind: readKind(own),
    };
  });
}

function readKind(schema: Json): FieldKind {
  if (Array.isArray(schema["enum"]) && schema["enum"].every(isPlain)) {
    return { type: "choice", options: schema["enum"] };
  }
  if (Array.isArray(schema["anyOf"])) return readUnion(schema["anyOf"]);
  switch (schema["type"]) {
    case "string":
      return {
        type: "text",
        isLong: (numberOf(schema["maxLength"]) ?? 0) > lineLengthMax,
        format: textOf(schema["format"]),
        pattern: schema["format"] === undefined ? textOf(schema["pattern"]) : undefined,
      };
    case "number":
    case "integer":
      return {
        type: "number",
        isWhole: schema["type"] === "integer",
        min: numberOf(schema["minimum"]),
        max: numberOf(schema["maximum"]),
      };
    case "boolean":
      return { type: "flag" };
    case "array":
      return isRecord(schema["items"]) && schema["items"]["type"] === "string"
        ? { type: "texts" }
        : { type: "json" };
    default:
      return { type: "json" };
  }
}

/** Several words are a choice; anything else that can be of several kinds is JSON. */
function readUnion(members: readonly unknown[]): FieldKind {
  const words = members.flatMap((one) => (isRecord(one) && "const" in one ? [one["const"]] : []));
  return words.length === members.length && words.every(isPlain)
    ? { type: "choice", options: words }
    : { type: "json" };
}
