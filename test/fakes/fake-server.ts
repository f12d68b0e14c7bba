/** An HTTP server on loopback that answers JSON as a vendor does, and fails as networks do when a test says so. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as a fake sees it. */
export type FakeRequest = Readonly<{
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}>;

/** An answer. `body` is sent as JSON, text as it is. */
export type FakeAnswer = Readonly<{
  status: number;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}>;

/**
 * What happens to a request in place of its answer: `before`: the connection breaks and nothing was done; `after`: all
 * was done and the answer is lost; a status: nothing was done.
 */
export type Fault = "before" | "after" | Readonly<{ status: number; retryAfter?: string }>;

/** A running fake. */
export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly FakeRequest[];
  /** Faults of the coming requests, one each. */
  readonly faults: (Fault | undefined)[];
}

/** Longest body that a fake takes: more is a test gone wrong. */
const bodyBytesMax = 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const piece = Buffer.from(chunk);
    bytes += piece.byteLength;
    if (bytes > bodyBytesMax) throw new Error(`a request of more than ${bodyBytesMax} bytes`);
    chunks.push(piece);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded"))
    return Object.fromEntries(new URLSearchParams(text));
  return text === "" ? undefined : JSON.parse(text);
}

/** Starts a fake. */
export async function startFake(answer: (request: FakeRequest) => FakeAnswer): Promise<FakeServer> {
  const requests: FakeRequest[] = [];
  const faults: (Fault | undefined)[] = [];
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const { method = "GET", url = "/", headers } = incoming;
      const request: FakeRequest = { method, path: url, headers, body: await readBody(incoming) };
      requests.push(request);
      const fault = faults.shift();
      if (fault === "before") return void incoming.socket.destroy();
      const isRefused = typeof fault === "object";
      const given: FakeAnswer = isRefused
        ? {
            status: fault.status,
            body: { error: { code: fault.status } },
            ...(fault.retryAfter !== undefined && { headers: { "retry-after": fault.retryAfter } }),
          }
        : answer(request);
      if (fault === "after") return void incoming.socket.destroy();
      const isText = typeof given.body === "string";
      outgoing.writeHead(given.status, {
        "content-type": isText ? "text/plain" : "application/json",
        ...given.headers,
      });
      outgoing.end(isText ? given.body : JSON.stringify(given.body ?? {}));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    faults,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
