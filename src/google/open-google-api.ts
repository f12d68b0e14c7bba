/**
 * Requests to Google's REST APIs with the credentials that this machine has: of the service it runs as, of a person who
 * said `gcloud auth application-default login`, or of a workload identity. Two or three methods of an API need no client
 * library of their own.
 */
import type { AuthClient } from "google-auth-library";
import { LeatError } from "../errors/leat-error.ts";
import type { JsonValue } from "../model/json-value.ts";
import type { Clock } from "../ports/world.ts";

/** One request. `url` holds no secret: it is told in messages. */
export type GoogleRequest = Readonly<{
  method: "GET" | "POST";
  url: string;
  body?: JsonValue;
  /** Role that the request needs, for the message of a refusal. */
  role: string;
  /** Statuses that are answers and no failures, beside 2xx. */
  expected?: readonly number[];
}>;

/** An answer: its status, and its body as JSON. */
export type GoogleAnswer = Readonly<{ status: number; body: unknown }>;

/** An API of Google Cloud. */
export interface GoogleApi {
  /**
   * @throws LeatError `CLOUD_REFUSED`, `CLOUD_UNAVAILABLE`; no body of an answer is told, since it may hold a secret.
   */
  request(request: GoogleRequest, signal: AbortSignal): Promise<GoogleAnswer>;
}

/** Tries of one request; with the waits between them, about four seconds. */
const triesMax = 4;
/** First wait, ms; doubled after each try. */
const firstWaitMs = 500;
/** Longest wait that an answer may ask for, ms: a caller of ours has a time-out as well. */
const askedWaitMsMax = 10_000;
/** One try, ms: such requests take some dozens of ms. */
const tryMsMax = 10_000;

const scopes = ["https://www.googleapis.com/auth/cloud-platform"];

/**
 * Opens an API. Nothing is asked yet, neither for credentials.
 *
 * @param what - whom it is for, in messages: `Secret Manager`.
 * @throws LeatError `DEPENDENCY_MISSING`.
 */
export async function openGoogleApi(what: string, clock: Clock): Promise<GoogleApi> {
  const { GoogleAuth } = await importAuth(what);
  const auth = new GoogleAuth({ scopes });
  let client: Promise<AuthClient> | undefined;
  const openClient = async (): Promise<AuthClient> => {
    client ??= auth.getClient();
    try {
      return await client;
    } catch (cause) {
      client = undefined; // Somebody may log in while the process lives.
      // A parser's words hold a piece of the file, which may be of its key.
      const isQuoting = cause instanceof Error && /JSON/.test(cause.message);
      throw new LeatError("CLOUD_REFUSED", {
        message: isQuoting
          ? `${what}: the file of Google Cloud's credentials is not JSON.`
          : `${what}: no credentials of Google Cloud were found.`,
        hint: "On your machine: gcloud auth application-default login. On Cloud Run: the service's own account is used.",
        ...(!isQuoting && { cause }),
      });
    }
  };
  return {
    async request(request, signal) {
      const opened = await openClient();
      for (let attempt = 1; ; attempt++) {
        signal.throwIfAborted();
        const answer = await send(opened, request, signal);
        const isSaid = answer.status !== undefined;
        if (isSaid && (answer.status < 300 || request.expected?.includes(answer.status)))
          return { status: answer.status, body: answer.body };
        const isPassing = !isSaid || answer.status === 429 || answer.status >= 500;
        if (!isPassing || attempt >= triesMax) throw refuse(what, request, answer);
        await clock.sleep(answer.askedWaitMs ?? firstWaitMs * 2 ** (attempt - 1), signal);
      }
    },
  };
}

/** The library, which is an optional peer. */
export async function importAuth(what: string): Promise<typeof import("google-auth-library")> {
  try {
    return await import("google-auth-library");
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: `${what} needs the package google-auth-library.`,
      hint: "Run: npm install google-auth-library",
      cause,
    });
  }
}

type Said = Readonly<
  | { status: number; body: unknown; askedWaitMs: number | undefined; cause?: undefined }
  | { status: undefined; askedWaitMs?: undefined; cause: unknown }
>;

async function send(client: AuthClient, request: GoogleRequest, signal: AbortSignal): Promise<Said> {
  try {
    const response = await client.request<unknown>({
      method: request.method,
      url: request.url,
      ...(request.body !== undefined && { data: request.body }),
      validateStatus: () => true,
      retry: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(tryMsMax)]),
    });
    const seconds = Number(response.headers.get("retry-after") ?? "");
    const askedWaitMs = seconds > 0 ? Math.min(seconds * 1000, askedWaitMsMax) : undefined;
    return { status: response.status, body: response.data, askedWaitMs };
  } catch (cause) {
    signal.throwIfAborted();
    return { status: undefined, cause };
  }
}

function refuse(what: string, request: GoogleRequest, said: Said): LeatError {
  const place = new URL(request.url).pathname;
  const details = { url: request.url, status: said.status ?? null };
  if (said.status === undefined) {
    // The library's error holds the request with its token; only its message is kept.
    const cause = new Error(said.cause instanceof Error ? said.cause.message : String(said.cause));
    return new LeatError("CLOUD_UNAVAILABLE", { message: `${what} did not answer.`, details, cause });
  }
  const { status } = said;
  if (status === 429 || status >= 500) {
    const message = `${what} answered ${status} to ${request.method} ${place}, ${triesMax} times.`;
    return new LeatError("CLOUD_UNAVAILABLE", { message, details });
  }
  const hints: Readonly<Record<number, string>> = {
    401: "The credentials have expired or are of another kind: log in again.",
    403: `Give the account that asks the role ${request.role}, and enable the API in the project.`,
    404: "There is no such resource: look at its project, location and name.",
  };
  return new LeatError("CLOUD_REFUSED", {
    message: `${what} answered ${status} to ${request.method} ${place}.`,
    hint: hints[status] ?? "Look at the request's address: a name in it may be wrong.",
    details,
  });
}
