/**
 * Requests to BigQuery's REST interface by the official client, which finds and renews the credentials.
 *
 * Retries are decided here alone, and the client's own are off: every request that leat sends may be sent twice, since
 * jobs and tables have names of their own, and a second creation is told that there is one.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { BigQuery } from "@google-cloud/bigquery";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { BigQueryAddress } from "./address.ts";
import { credentialError, GoogleFailure, type GoogleFault, isPassing, toLeatError } from "./google-errors.ts";

/** JSON of an answer. Fields are read where they are needed, each with its check. */
export type Answer = Readonly<Record<string, unknown>>;

/** A request below `/bigquery/v2/projects/<project>`. */
export type ApiRequest = Readonly<{
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  path: string;
  query?: Readonly<Record<string, string>>;
  body?: unknown;
  /** For messages: `read the table d.t`. */
  what: string;
}>;

/** Times that a request is sent, and how long is waited between: 0.5 s, doubled to 8 s; half a minute in all. */
const sendsMax = 7;
const firstWaitMs = 500;
const waitMsMax = 8_000;

/** How the API is reached. */
export type ApiOptions = Readonly<{
  address: BigQueryAddress;
  /** Multiplies waits; tests say 0.01. Default 1. */
  waitFactor?: number | undefined;
}>;

export class GoogleApi {
  readonly address: BigQueryAddress;
  readonly #waitFactor: number;
  #client: Promise<BigQuery> | undefined;
  /** Requests sent, repeats included. */
  requestCount = 0;

  constructor({ address, waitFactor = 1 }: ApiOptions) {
    this.address = address;
    this.#waitFactor = waitFactor;
  }

  /**
   * Sends a request until it is answered.
   *
   * @throws GoogleFailure for an answer that says no, so that callers can tell 404 and 409; LeatError for everything
   *   that nobody handles: credentials, a service that stays away.
   */
  async send(request: ApiRequest, signal?: AbortSignal): Promise<Answer> {
    for (let sends = 1; ; sends += 1) {
      this.throwIfStopped(signal);
      try {
        this.requestCount += 1;
        return await this.#sendOnce(request);
      } catch (error) {
        const denied = credentialError(error);
        if (denied !== undefined) throw denied;
        if (!(error instanceof GoogleFailure) || !isPassing(error)) throw error;
        if (sends >= sendsMax) throw toLeatError(error, request.what);
        await this.wait(
          Math.min(firstWaitMs * 2 ** (sends - 1), waitMsMax) * (0.5 + Math.random() / 2),
          signal,
        );
      }
    }
  }

  /** The same, with every failure as a LeatError. */
  async call(request: ApiRequest, signal?: AbortSignal): Promise<Answer> {
    try {
      return await this.send(request, signal);
    } catch (error) {
      throw error instanceof GoogleFailure ? toLeatError(error, request.what) : error;
    }
  }

  /** An answer, or `undefined` where there is no such thing. */
  async find(request: ApiRequest, signal?: AbortSignal): Promise<Answer | undefined> {
    try {
      return await this.send(request, signal);
    } catch (error) {
      if (!(error instanceof GoogleFailure)) throw error;
      if (error.status === 404) return undefined;
      throw toLeatError(error, request.what);
    }
  }

  /** Waits, unless stopped. */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    await sleep(ms * this.#waitFactor, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    this.throwIfStopped(signal);
  }

  throwIfStopped(signal: AbortSignal | undefined): void {
    if (signal?.aborted === true)
      throw new LeatError("INTERRUPTED", {
        message: "The work on BigQuery was stopped.",
        cause: signal.reason,
      });
  }

  async #sendOnce({ method, path, query, body }: ApiRequest): Promise<Answer> {
    this.#client ??= openClient(this.address);
    const client = await this.#client;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const options = {
      method,
      uri: path,
      ...(query && { qs: query }),
      ...(body !== undefined && { json: body }),
    };
    client.request(options, (error, answer) => {
      if (error) reject(toFailure(error));
      else resolve((answer ?? {}) as Answer); // Parsed JSON; an empty body is no answer to read from.
    });
    return await promise;
  }
}

function toFailure(error: unknown): unknown {
  if (isLeatError(error) || !(error instanceof Error)) return error;
  const { code, errors } = error as Error & { code?: unknown; errors?: readonly GoogleFault[] };
  const fault = errors?.[0] ?? {};
  if (typeof code === "number") return new GoogleFailure(code, { message: error.message, ...fault }, error);
  // No status: the connection failed, or was cut before the answer. Credentials are told apart by their words.
  return credentialError(error) ?? new GoogleFailure(0, { message: error.message }, error);
}

type Credentials = NonNullable<NonNullable<ConstructorParameters<typeof BigQuery>[0]>["authClient"]>;

/** Whoever asks another server than Google's is not looked for: that search takes seconds, and warns of what it lacks. */
const nobody = {
  getRequestHeaders: async () => new Headers(),
} as unknown as Credentials; // All that the client asks of credentials for a request.

async function openClient(address: BigQueryAddress): Promise<BigQuery> {
  let library: typeof import("@google-cloud/bigquery");
  try {
    library = await import("@google-cloud/bigquery");
  } catch (error) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "The BigQuery warehouse needs the package @google-cloud/bigquery.",
      hint: "Run: npm install @google-cloud/bigquery",
      cause: error,
    });
  }
  const { project, location, endpoint } = address;
  return new library.BigQuery({
    projectId: project,
    location,
    autoRetry: false,
    userAgent: "leat",
    ...(endpoint !== undefined && { apiEndpoint: endpoint, authClient: nobody }),
  });
}
