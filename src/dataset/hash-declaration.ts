/** Names for declarations: equal ones have equal hashes, in any process. */
import { createHash } from "node:crypto";
import type { DatasetSpec } from "../ports/dataset.ts";

/** SHA-256 of plain data, members of objects in the order of their names; functions and expressions by their text. */
export function hashJson(value: unknown): string {
  return createHash("sha256").update(printCanonical(value)).digest("hex");
}

function printCanonical(value: unknown): string {
  if (typeof value === "function" || value instanceof RegExp) return JSON.stringify(String(value));
  if (typeof value === "bigint") return JSON.stringify(`${value}n`);
  if (Array.isArray(value)) return `[${value.map(printCanonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${printCanonical(member)}`);
  return `{${members.join(",")}}`;
}

/** The hash of a whole declaration, for the lineage. */
export const hashDeclaration = (spec: DatasetSpec): string => hashJson(spec);

/** SHA-256 of a function's text. What it closes over has no text of its own; that is what its version is for. */
export const hashCode = (code: (...args: never[]) => unknown): string =>
  createHash("sha256").update(code.toString()).digest("hex");
