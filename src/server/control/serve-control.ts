/** Listens. */
import { createControlApp } from "./control-app.ts";
import type { ControlPorts } from "./control-ports.ts";

/** Where to listen; port 0 takes a free one. */
export type ControlAddress = Readonly<{ host: string; port: number }>;

/** The API as it listens. */
export type ServedControl = Readonly<{ url: string; stop: () => Promise<void> }>;

/** Serves until it is stopped; connections are cut then, since what they look at is in the ledger. */
export async function serveControl(ports: ControlPorts, address: ControlAddress): Promise<ServedControl> {
  const app = await createControlApp(ports);
  const url = await app.listen(address);
  return { url, stop: () => app.close() };
}
