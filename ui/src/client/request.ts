/** Requests to the control API, which stands below the console: `api/` from the page's base. */
import { Problem, readProblem } from "./problem.ts";

/** Where the console is, with a slash at its end. */
export const basePath: string = new URL(document.baseURI).pathname;

const apiUrl = new URL("api/", document.baseURI);

/** How long an answer may take, ms: beyond it people think that nothing happens. */
const timeoutMs = 30_000;

/** Values of a query; lists are repeated, `undefined` is left out. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** Address of something below the API, for links and downloads too. */
export function apiHref(path: string, query: Query = {}): string {
  const url = new URL(path.replace(/^\//, ""), apiUrl);
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
  }
  return url.href;
}

export type RequestOptions = Readonly<{
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}>;

/** Told when a session is over, so that people can sign in where they are. */
let onSignedOut: () => void = () => {};

export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

/** Says that an answer was 401. */
export function tellSignedOut(): void {
  onSignedOut();
}

/**
 * Asks the API.
 *
 * @returns the answer's JSON; its shape is what the API's description says, which the type `Answer` is made of.
 * @throws {@link Problem} for whatever goes wrong, silence included.
 */
export async function request<Answer>(path: string, options: RequestOptions = {}): Promise<Answer> {
  const answer = await ask(path, options);
  if (answer.status === 204) return undefined as Answer; // Routes without an answer say so in their type.
  return (await answer.json()) as Answer; // The server's tests hold each answer against its schema.
}

async function ask(path: string, options: RequestOptions): Promise<Response> {
  const { method = "GET", query, body, headers, signal } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(apiHref(path, query), {
    method,
    credentials: "same-origin",
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error; // The caller gave up, and knows why.
    throw silence(error);
  });
  if (answer.ok) return answer;
  const problem = await readProblem(answer);
  if (problem.status === 401) tellSignedOut();
  throw problem;
}

function silence(error: unknown): Problem {
  const isSlow = error instanceof DOMException && error.name === "TimeoutError";
  return new Problem(isSlow ? `No answer within ${timeoutMs / 1000} s.` : "The server cannot be reached.", {
    status: 0,
    code: isSlow ? "TIMEOUT" : "UNREACHABLE",
    hint: "Is `leat up` running, and is this machine online?",
  });
}
