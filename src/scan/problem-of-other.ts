/** What is wrong with a value in a record's place that is no object. */
import { codeOf } from "./record-batch.ts";

const notAnObject = codeOf("not-an-object");
const invalidJson = codeOf("invalid-json");
const scalarPattern = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** The problem's code for the value at `[start, end)`. Arrays and strings are not looked into. */
export function problemOfOther(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]!;
  if (first === 0x5b || first === 0x22) return notAnObject;
  const text = Buffer.from(bytes.subarray(start, end)).toString("latin1");
  return scalarPattern.test(text) ? notAnObject : invalidJson;
}
