/** What of a column's schema only zod itself can judge: patterns, refinements, shapes of JSON. */
import type { z } from "zod";
import type { DeclaredType } from "../model/stream.ts";

/** Issues that engines look for themselves; in zod's words they would be told twice. */
const engineIssues: ReadonlySet<string> = new Set([
  "invalid_type",
  "too_big",
  "too_small",
  "not_multiple_of",
  "invalid_value",
]);

/** Asks zod about a value; only what no engine looks for is told, of the inside of JSON everything. */
export function makeJudge(
  schema: z.core.$ZodType,
  type: DeclaredType,
): (text: string | null) => string | undefined {
  const { safeParse } = schema as z.ZodType; // Patterns and refinements are only kept by schemas with methods.
  return (text) => {
    const result = safeParse(text === null ? null : toValue(text, schema, type));
    if (result.success) return undefined;
    const isTold = ({ code }: Readonly<{ code: string }>) =>
      (type.type === "json" && text !== null) || !engineIssues.has(code);
    const issue = result.error.issues.find(isTold);
    if (issue === undefined) return undefined;
    const place = issue.path.length === 0 ? "" : ` at ${issue.path.map(String).join(".")}`;
    return issue.code === "invalid_format" && issue.pattern !== undefined
      ? `does not match ${issue.pattern}`
      : `${issue.message}${place}`;
  };
}

/** A value's text as what the schema expects to see; text that is none of the type stays text, and is told elsewhere. */
function toValue(text: string, schema: z.core.$ZodType, type: DeclaredType): unknown {
  switch (innermost(schema)) {
    case "number":
      return Number(text);
    case "bigint":
      return /^-?\d+$/.test(text) ? BigInt(text) : text;
    case "boolean":
      return text === "true";
    case "date":
      return new Date(text);
    default:
      return type.type === "json" ? JSON.parse(text) : text;
  }
}

function innermost(schema: z.core.$ZodType): string {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return "innerType" in def ? innermost(def.innerType as z.core.$ZodType) : def.type;
}
