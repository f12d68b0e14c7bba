/**
 * A server of the benchmark: `node serve-host.ts hello|small|big [baked] [hosted]`. Prints its address, ends with its standard input.
 *
 * With `baked` it listens when its exports are made; with `hosted` as `leat serve` does. `hello` is what Node's own server costs: a handler that ends at once with 17 bytes. The others are leat's answers on the
 * same bare server, so that what differs is what leat does.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import type { ApiRequest } from "../src/serve/api-answer.ts";
import { type DataApi, openDataApi } from "../src/serve/data-api.ts";
import { parseProxies } from "../src/server/data/client-address.ts";
import { createDataHost } from "../src/server/data/data-host.ts";
import { openAssets } from "../src/server/data/pages/assets.ts";
import { openFsStore } from "../src/stores/fs/open-fs-store.ts";
import { openDuckDbQueries } from "../src/warehouses/duckdb/query-engine.ts";
import { makeVersion, publishedAnew, type Size, spec } from "./serve-data.ts";
import { writeAnswer } from "./write-answer.ts";

const kind = process.argv[2] ?? "hello";

/** Makes its signal only for those who read it. */
class HostRequest implements ApiRequest {
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  #controller: AbortController | undefined;

  constructor(message: IncomingMessage, response: ServerResponse) {
    this.#message = message;
    this.#response = response;
  }

  get method(): string {
    return this.#message.method ?? "GET";
  }

  get url(): string {
    return this.#message.url ?? "/";
  }

  get headers(): ApiRequest["headers"] {
    return this.#message.headers;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#response.once("close", () => controller.abort());
      this.#controller = controller;
    }
    return this.#controller.signal;
  }
}

/** Nothing around the answers. */
function openBare(): Server {
  return createServer((message, response) => {
    if (api === undefined) {
      response.end('{"hello":"world"}');
      return;
    }
    const answered = api.answer(new HostRequest(message, response));
    if (answered instanceof Promise) void answered.then((answer) => writeAnswer(answer, response));
    else void writeAnswer(answered, response);
  });
}

/** What `leat serve` opens, with its metrics, security headers and CORS; without rates and keys, which would refuse us. */
async function openHost(): Promise<Server> {
  if (api === undefined) throw new Error("a host needs an API");
  const host = await createDataHost(
    {
      api,
      keys: undefined,
      log: pino({ level: "silent" }),
      pages: { assets: openAssets("bench"), sqlEngine: undefined },
      nowMs: () => Date.now(),
    },
    {
      admission: { keys: "none", addressRate: undefined, keyRate: undefined },
      proxies: parseProxies([]),
      cors: { origins: "*" },
      logsEveryRequest: false,
      showsMetrics: true,
    },
  );
  return host.server;
}

const folder = await mkdtemp(join(tmpdir(), "leat-bench-host-"));
const engine = openDuckDbQueries({ folder });
let api: DataApi | undefined;
if (kind !== "hello") {
  const { folder: at, manifest } = await makeVersion(kind as Size); // Of the benchmark's own arguments.
  const clock = { nowMs: () => Date.now(), sleep: async (ms: number) => void (await sleep(ms)) };
  const log = publishedAnew(manifest);
  // The benchmark's signal for a new version of the same rows.
  process.on("SIGUSR2", () => {
    log.publish();
    void api?.refresh(new AbortController().signal);
  });
  const ports = { published: log, store: openFsStore(at), engine, clock };
  const begun = performance.now();
  // CSV is made beforehand, and the larger texts are not: the disk is the system's temporary folder.
  const bakeBytesMax = 512 * 2 ** 20;
  api = openDataApi(spec, ports, {
    folder,
    bakeBytesMax,
    tell: (event) => "error" in event && console.error(event),
  });
  await api.refresh(new AbortController().signal);
  console.error(`loaded in ${Math.round(performance.now() - begun)} ms`);
  if (process.argv.includes("baked")) await api.settled();
}
const server = process.argv.includes("hosted") ? await openHost() : openBare();
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""} ${process.pid}`);
});
process.stdin.resume();
process.stdin.once("end", async () => {
  server.closeAllConnections();
  server.close();
  await api?.close();
  await engine.close();
  await rm(folder, { recursive: true, force: true });
  process.exit(0);
});
