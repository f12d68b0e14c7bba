/** The data API on a socket of this machine, over versions that a test publishes. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import type { AdmissionRules } from "../../src/server/data/admission.ts";
import { parseProxies } from "../../src/server/data/client-address.ts";
import { createDataHost, type DataHost, type DataHostOptions } from "../../src/server/data/data-host.ts";
import { KeyRing } from "../../src/server/data/key-ring.ts";
import { KeyUsage } from "../../src/server/data/key-usage.ts";
import { openAssets } from "../../src/server/data/pages/assets.ts";
import { serveData } from "../../src/server/data/serve-data.ts";
import { deathsApi, deathsRows, deathsSchema } from "../serve/deaths-api.ts";
import { openTestApi, type TestApi } from "../serve/open-test-api.ts";

export type TestHost = AsyncDisposable &
  Readonly<{
    url: string;
    port: number;
    host: DataHost;
    test: TestApi;
    ring: KeyRing;
    /** Lines of the log, parsed. */
    logged: Record<string, unknown>[];
    get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Response>;
    /** Sends text as it stands, and reads until the server closes the connection. */
    raw: (request: string) => Promise<string>;
    /** Stops as SIGTERM does; whether every answer was sent. */
    stop: () => Promise<boolean>;
  }>;

export type TestHostOptions = Readonly<{
  admission?: Partial<AdmissionRules>;
  /** Proxies that are trusted. With `loopback` a test says in X-Forwarded-For who asks. */
  proxies?: readonly string[];
  areas?: number;
  bakeBytesMax?: number;
  drainMs?: number;
  /** Clock of quotas, rates and keys; the machine's. */
  nowMs?: () => number;
}> &
  Partial<Pick<DataHostOptions, "cors" | "slowReaders" | "showsMetrics" | "connectionsOfAddressMax">>;

export async function openTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  const { admission, proxies = [], areas = 5, bakeBytesMax = 0, drainMs = 2000, ...rest } = options;
  const { nowMs = Date.now, ...more } = rest;
  const test = await openTestApi(deathsApi, { bakeBytesMax });
  await test.published.publish("deaths", deathsSchema, deathsRows(areas));
  await test.refresh();
  const logged: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void logged.push(JSON.parse(line)) });
  const fail = (error: unknown): void => log.error({ err: error }, "keys");
  const ring = new KeyRing(test.store, fail);
  await ring.open();
  const usage = new KeyUsage(test.store, nowMs, fail);
  const host = await createDataHost(
    {
      api: test.api,
      keys: { ring, usage },
      log,
      pages: { assets: openAssets("test"), sqlEngine: undefined },
      nowMs,
    },
    {
      admission: { keys: "none", addressRate: undefined, keyRate: undefined, ...admission },
      proxies: parseProxies(proxies),
      cors: { origins: "*" },
      logsEveryRequest: true,
      showsMetrics: true,
      ...more,
    },
  );
  const stopping = new AbortController();
  const listening = Promise.withResolvers<string>();
  const served = serveData(
    host,
    { host: "127.0.0.1", port: 0, drainMs, onListening: listening.resolve },
    stopping.signal,
  );
  const url = await listening.promise;
  const port = Number(new URL(url).port);
  const stop = async (): Promise<boolean> => {
    stopping.abort();
    return await served;
  };
  return {
    url,
    port,
    host,
    test,
    ring,
    logged,
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers, redirect: "manual" }),
    raw: async (request) => {
      const socket = connect(port, "127.0.0.1");
      socket.write(request);
      return await text(socket);
    },
    stop,
    async [Symbol.asyncDispose]() {
      ring.close();
      await usage.close();
      await stop();
      await test[Symbol.asyncDispose]();
    },
  };
}

/** A connection that asks for something and then reads nothing. */
export async function openSlowReader(port: number, path: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {}); // The server cuts it, sooner or later.
  await once(socket, "connect");
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
  return socket;
}
