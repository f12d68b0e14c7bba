/** A record that cannot be a row, as a line of `quarantine/…`: why, where it came from, and its bytes. */
import { isUtf8 } from "node:buffer";

/** What a person does about each reason. */
const hints: Readonly<Record<string, string>> = {
  "reserved-column":
    "A field has the name of one of leat's columns; rename leat's column with `tenantColumn`.",
  "missing-key": "The primary key is missing or null; correct `primaryKey`, or ask the partner.",
  "duplicate-key": "An object has one key twice; which value is meant only the partner knows.",
  "too-large": "The record is above the bound; its beginning is kept.",
};

/** The line, with its end. Bytes that are not UTF-8 are kept as base64. */
export function quarantineLine(facts: {
  problem: string;
  at: string;
  index: number;
  record: Uint8Array;
}): Buffer {
  const content = isUtf8(facts.record)
    ? { text: Buffer.from(facts.record).toString("utf8") }
    : { base64: Buffer.from(facts.record).toString("base64") };
  const hint = hints[facts.problem];
  const line = {
    reason: facts.problem,
    ...(hint === undefined ? {} : { hint }),
    at: facts.at,
    index: facts.index,
    ...content,
  };
  return Buffer.from(`${JSON.stringify(line)}\n`, "utf8");
}
