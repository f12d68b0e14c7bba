/** A partner's API on this machine, that remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type SeenRequest = Readonly<{
  method: string;
  /** Path and query as they were sent. */
  url: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: string;
}>;

export type Respond = (request: SeenRequest, response: ServerResponse, count: number) => unknown;

export type Partner = AsyncDisposable & Readonly<{ origin: string; requests: SeenRequest[] }>;

/** Listens on a free port until disposed of. @param respond - is told how many requests came, this one included. */
export async function startPartner(respond: Respond): Promise<Partner> {
  const requests: SeenRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer); // A request without encoding gives Buffers.
    const url = new URL(incoming.url ?? "/", "http://partner");
    const request: SeenRequest = {
      method: incoming.method ?? "",
      url: incoming.url ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString("utf8"),
    };
    requests.push(request);
    await respond(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // A listening TCP server has one.
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with JSON. */
export function answerJson(
  response: ServerResponse,
  body: unknown,
  options: { status?: number; headers?: Readonly<Record<string, string | string[]>> } = {},
): void {
  response.writeHead(options.status ?? 200, { "content-type": "application/json", ...options.headers });
  response.end(JSON.stringify(body));
}
