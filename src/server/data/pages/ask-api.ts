/** Pages are clients of the API like any other: they ask it by address, and read its JSON. */
import { text } from "node:stream/consumers";
import { parseExactJson } from "../../../model/exact-json.ts";
import { type ApiAnswer, type ApiRequest, isFileBody, isStreamBody } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";

/** What the API said; `problem` is for people. */
export type ApiReply<Value> = Readonly<{ value: Value } | { problem: PageProblem }>;

/** A problem document, as far as pages show it. */
export type PageProblem = Readonly<{
  status: number;
  title: string;
  detail: string;
  near?: string;
  allowed?: readonly unknown[];
}>;

/** Asks for JSON. What it is, the address says. */
export async function askApi<Value>(
  api: DataApi,
  url: string,
  { signal }: Pick<ApiRequest, "signal">,
): Promise<ApiReply<Value>> {
  const answer = await api.answer({ method: "GET", url, headers: { accept: "application/json" }, signal });
  const said = await readText(answer);
  if (answer.status === 200) return { value: parseExactJson(said) as Value }; // Of our own API.
  return { problem: JSON.parse(said) as PageProblem }; // Every other answer of it is a problem document.
}

async function readText({ body }: ApiAnswer): Promise<string> {
  if (body === undefined) return "";
  if (typeof body === "string") return Buffer.from(body, "latin1").toString("utf8");
  if (body instanceof Uint8Array) return Buffer.from(body).toString("utf8");
  if (isFileBody(body)) {
    try {
      return await text(body.file.createReadStream({ start: body.from, end: body.to - 1, autoClose: false }));
    } finally {
      await body.close();
    }
  }
  return isStreamBody(body) ? await text(body) : "";
}
