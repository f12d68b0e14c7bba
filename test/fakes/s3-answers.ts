/** The form of answers of Amazon S3. */
import type { FakeAnswer, FakeRequest } from "./fault-server.ts";

const header = '<?xml version="1.0" encoding="UTF-8"?>\n';

export const xml = (status: number, body: string): FakeAnswer => ({
  status,
  headers: { "content-type": "application/xml" },
  body: header + body,
});

export const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** An answer to HEAD has no body, so that only the status tells. */
export function s3Error(
  request: Pick<FakeRequest, "method" | "path">,
  status: number,
  code: string,
  message: string,
): FakeAnswer {
  if (request.method === "HEAD") return { status, headers: { "content-type": "application/xml" } };
  const told = `<Code>${code}</Code><Message>${escapeXml(message)}</Message><Resource>${escapeXml(request.path)}</Resource>`;
  return xml(status, `<Error>${told}<RequestId>fake</RequestId></Error>`);
}
