/** A refusal, as the REST interface tells it. */
export class RestFault extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** A request below `/projects/<project>/`, cut at its slashes. */
export type RestRequest = Readonly<{
  method: string;
  project: string;
  parts: readonly string[];
  body: unknown;
  query: URLSearchParams;
}>;
