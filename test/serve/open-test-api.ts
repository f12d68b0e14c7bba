/** An API over versions that a test publishes, with a real engine in a process of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiSpec } from "../../src/ports/api-spec.ts";
import type { ObjectStore } from "../../src/ports/object-store.ts";
import { type ApiAnswer, isFileBody, isStreamBody } from "../../src/serve/api-answer.ts";
import { type DataApi, type DataApiOptions, openDataApi } from "../../src/serve/data-api.ts";
import type { ServeEvent } from "../../src/serve/served-dataset.ts";
import { createMemoryStore } from "../../src/testing/memory-store.ts";
import { openDuckDbQueries, type QueryEngineOptions } from "../../src/warehouses/duckdb/query-engine.ts";
import { PublishedVersions } from "./published-versions.ts";

/** What was answered, read to its end. */
export type Answered = Readonly<{
  status: number;
  headers: ReadonlyMap<string, string>;
  bytes: Buffer;
  text: string;
  /** Parsed; what it is, the test knows. */
  json: <Value>() => Value;
}>;

export type TestApi = AsyncDisposable &
  Readonly<{
    api: DataApi;
    published: PublishedVersions;
    /** Where it keeps its files. */
    folder: string;
    store: ObjectStore;
    events: ServeEvent[];
    refresh: () => Promise<void>;
    get: (url: string, headers?: Readonly<Record<string, string>>, method?: string) => Promise<Answered>;
  }>;

/** Opens an API; versions are published by the test, and taken by `refresh`. */
export async function openTestApi(
  spec: ApiSpec,
  options: Partial<DataApiOptions> &
    Readonly<{ engine?: Partial<QueryEngineOptions>; store?: ObjectStore }> = {},
): Promise<TestApi> {
  const folder = await mkdtemp(join(tmpdir(), "leat-serve-"));
  const store = options.store ?? createMemoryStore();
  const published = new PublishedVersions(store);
  const engine = openDuckDbQueries({ folder, ...options.engine });
  const events: ServeEvent[] = [];
  const clock = {
    nowMs: () => Date.now(),
    sleep: async (ms: number, signal: AbortSignal) => void (await sleep(ms, undefined, { signal })),
  };
  const api = openDataApi(
    spec,
    { published, store, engine, clock },
    { bakeBytesMax: 0, ...options, folder, tell: (event) => events.push(event) },
  );
  return {
    api,
    published,
    folder,
    store,
    events,
    refresh: () => api.refresh(new AbortController().signal),
    get: async (url, headers = {}, method = "GET") => {
      const signal = new AbortController().signal;
      return await readAnswer(await api.answer({ method, url, headers, signal }));
    },
    async [Symbol.asyncDispose]() {
      await api.close();
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Reads an answer to its end. */
export async function readAnswer({ status, headers, body }: ApiAnswer): Promise<Answered> {
  const bytes = await readBody(body);
  const named = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) named.set(headers[at]!, headers[at + 1]!);
  const text = bytes.toString("utf8");
  return { status, headers: named, bytes, text, json: <Value>() => JSON.parse(text) as Value };
}

async function readBody(body: ApiAnswer["body"]): Promise<Buffer> {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === "string") return Buffer.from(body, "latin1");
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (isFileBody(body)) {
    const bytes = Buffer.alloc(body.to - body.from);
    await body.file.read(bytes, 0, bytes.length, body.from);
    await body.close();
    return bytes;
  }
  const pieces: Uint8Array[] = [];
  if (isStreamBody(body)) for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}
