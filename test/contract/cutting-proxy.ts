/**
 * A proxy between a Postgres client and its server that counts messages, and cuts the connection at one of them: that
 * message, and all after it, are not delivered. The other side learns of it as of a network that broke.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A proxy that listens. */
export type CuttingProxy = Readonly<{
  /** The server's address by way of the proxy. */
  url: string;
  /** Cuts at the n-th message from now on, once; `undefined`: never. Begins to count anew. */
  arm(cutAt: number | undefined): void;
  /** Messages of both directions since it was armed. */
  count(): number;
  /** Whether the cut was made. */
  hasCut(): boolean;
  close(): Promise<void>;
}>;

/** Opens a proxy for the server of a database's address. */
export async function openCuttingProxy(database: string): Promise<CuttingProxy> {
  const target = new URL(database);
  const state = { counted: 0, cutAt: undefined as number | undefined, hasCut: false };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Messages are written one by one: each would wait some 40 ms for the answer to the one before.
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    const cut = () => {
      state.hasCut = true;
      client.destroy();
      upstream.destroy();
    };
    const pass = (from: Socket, to: Socket, isTyped: boolean) => {
      const split = splitMessages(isTyped);
      from.on("data", (chunk: Buffer) => {
        for (const message of split(chunk)) {
          if (state.hasCut && from.destroyed) return;
          state.counted += 1;
          if (state.counted === state.cutAt) {
            cut();
            return;
          }
          to.write(message);
        }
      });
      from.on("close", () => to.end());
    };
    pass(client, upstream, false);
    pass(upstream, client, true);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(database);
  url.port = String((server.address() as AddressInfo).port); // It listens on a port.
  return {
    url: url.href,
    arm(cutAt) {
      Object.assign(state, { counted: 0, cutAt, hasCut: false });
    },
    count: () => state.counted,
    hasCut: () => state.hasCut,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Cuts a direction's bytes into messages; a client's first one has no type before its length. */
function splitMessages(isTyped: boolean): (chunk: Buffer) => readonly Buffer[] {
  let held = Buffer.alloc(0);
  let isFirst = !isTyped;
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    const messages: Buffer[] = [];
    for (;;) {
      const before = isFirst ? 0 : 1;
      if (held.length < before + 4) return messages;
      const length = before + held.readUInt32BE(before);
      if (held.length < length) return messages;
      messages.push(held.subarray(0, length));
      held = held.subarray(length);
      isFirst = false;
    }
  };
}
