/** Listens. */
import type { FastifyInstance } from "fastify";
import { LeatError } from "../../errors/leat-error.ts";
import { createControlApp } from "./control-app.ts";
import type { ControlPorts } from "./control-ports.ts";

/** Where to listen; port 0 takes a free one. */
export type ControlAddress = Readonly<{ host: string; port: number }>;

/** The API as it listens. */
export type ServedControl = Readonly<{ url: string; stop: () => Promise<void> }>;

/**
 * Serves until it is stopped; connections are cut then, since what they look at is in the ledger.
 *
 * @throws LeatError `SERVE_FAILED` when the address cannot be had.
 */
export async function serveControl(ports: ControlPorts, address: ControlAddress): Promise<ServedControl> {
  const app = await createControlApp(ports);
  const url = await listen(app, address);
  return { url, stop: () => app.close() };
}

async function listen(app: FastifyInstance, { host, port }: ControlAddress): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
    const why = code === "EADDRINUSE" ? "somebody else listens there" : (code ?? "it cannot be listened on");
    throw new LeatError("SERVE_FAILED", {
      message: `The control API, ${host}, port ${port}: ${why}.`,
      hint:
        code === "EADDRINUSE"
          ? "Perhaps `leat up` runs already; take another --port, or 0 for a free one."
          : undefined,
      details: { host, port },
      cause,
    });
  }
}
