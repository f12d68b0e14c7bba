/** A request of Node's server as the API takes it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ApiRequest } from "../../serve/api-answer.ts";

export class HostRequest implements ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: ApiRequest["headers"];
  readonly #response: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.method = request.method ?? "GET";
    this.url = request.url ?? "/";
    this.headers = request.headers;
    this.#response = response;
  }

  /** Made when somebody asks for it: a request that is answered at once has no use for one. */
  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.#response);
    return this.#signal;
  }
}

function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  if (response.destroyed) controller.abort();
  // Also after an answer that was sent whole: then nobody listens any more.
  response.once("close", () => controller.abort());
  return controller.signal;
}
