/** Listens, and stops without cutting anybody off in the middle of an answer. */
import { setTimeout as wait } from "node:timers/promises";
import { LeatError } from "../../errors/leat-error.ts";
import type { DataHost } from "./data-host.ts";

/** Where to listen and how to stop. */
export type ServeDataOptions = Readonly<{
  host: string;
  /** 0: a free one. */
  port: number;
  /** From the stop signal until the last connections are cut, ms. */
  drainMs: number;
  onListening: (url: string) => void;
}>;

/** Pause between looks at what is left, ms. */
const lookMs = 50;

/**
 * Serves until `stop` is aborted. Then no connection is taken any more, idle ones are closed, and answers that are being
 * sent get the time that `drainMs` gives them.
 *
 * @returns whether every answer was sent.
 * @throws LeatError `SERVE_FAILED`.
 */
export async function serveData(
  host: DataHost,
  options: ServeDataOptions,
  stop: AbortSignal,
): Promise<boolean> {
  const { server } = host;
  options.onListening(await listen(host, options));
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
  host.beginStopping();
  const closed = new Promise<boolean>((resolve) => server.close(() => resolve(true)));
  const looking = setInterval(() => server.closeIdleConnections(), lookMs);
  const isDrained = await Promise.race([
    closed,
    wait(options.drainMs, false, { ref: false }), // The open connections keep the process alive.
  ]);
  clearInterval(looking);
  server.closeAllConnections();
  await closed;
  await host.dispose();
  return isDrained;
}

async function listen({ server }: DataHost, { host, port }: ServeDataOptions): Promise<string> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port, backlog: 1024 }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException; // Node's own.
    const why = code === "EADDRINUSE" ? "somebody else listens there" : (code ?? "it cannot be listened on");
    throw new LeatError("SERVE_FAILED", {
      message: `${host}, port ${port}: ${why}.`,
      details: { host, port },
      cause,
    });
  }
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  return `http://${host.includes(":") ? `[${host}]` : host}:${bound}`;
}
