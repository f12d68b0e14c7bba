/** The form of answers of Google's JSON APIs. */
import type { FakeAnswer } from "./fault-server.ts";

export const json = (status: number, value: unknown): FakeAnswer => ({
  status,
  headers: { "content-type": "application/json; charset=UTF-8" },
  body: JSON.stringify(value),
});

/** @see https://cloud.google.com/storage/docs/json_api/v1/status-codes */
export const gcsError = (status: number, reason: string, message: string): FakeAnswer =>
  json(status, { error: { code: status, message, errors: [{ message, domain: "global", reason }] } });
