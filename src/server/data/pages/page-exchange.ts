/** Requests that Fastify's router answers: pages for people, and what supervisors ask. */
import type { IncomingMessage } from "node:http";
import { type ApiAnswer, type ApiRequest, headerOf } from "../../../serve/api-answer.ts";

/** A request on its way through the router, and where its answer goes. */
export type PageExchange = Readonly<{ asked: ApiRequest; send: (answer: ApiAnswer) => void }>;

const exchanges = new WeakMap<IncomingMessage, PageExchange>();

/** Notes who is answered, before the request goes to the router. */
export function beginPage(request: IncomingMessage, exchange: PageExchange): void {
  exchanges.set(request, exchange);
}

/** The exchange of a request that comes out of the router; `undefined`: it did not come through the host. */
export const exchangeOf = (request: IncomingMessage): PageExchange | undefined => exchanges.get(request);

/** First words of addresses that are pages' own. */
const pageWords: ReadonlySet<string> = new Set(["docs", "sql"]);
/** First words of what is answered without asking who asks. */
const openWords: ReadonlySet<string> = new Set([
  "assets",
  "live",
  "ready",
  "metrics",
  "favicon.ico",
  "robots.txt",
]);

/** The first word of an address. */
function firstWord(url: string): string {
  const mark = url.indexOf("?");
  const end = mark < 0 ? url.length : mark;
  const slash = url.indexOf("/", 1);
  return url.slice(1, slash < 0 || slash > end ? end : slash);
}

export const isAlwaysOpen = (url: string): boolean => openWords.has(firstWord(url));

/** Whether a person asks for a page; programs get data at the same addresses. */
export function isPageRequest(asked: ApiRequest): boolean {
  const word = firstWord(asked.url);
  if (pageWords.has(word)) return true;
  if (word !== "" && word !== "datasets" && word !== "v") return false;
  if (headerOf(asked, "accept")?.includes("text/html") !== true) return false;
  const [path = ""] = asked.url.split("?", 1);
  return /^\/(?:(?:v\/[^/]+\/)?datasets(?:\/[^/.]+)?\/?)?$/.test(path);
}
