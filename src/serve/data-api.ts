/**
 * An API over datasets: a request in, an answer out, and no socket. Whatever is asked, the answer is right or says what
 * is wrong with the question. What goes wrong inside is told to the host, and to the client only that it did.
 */
import { createHash } from "node:crypto";
import type { JsonObject } from "../model/json-value.ts";
import type { ApiSpec } from "../ports/api-spec.ts";
import type { DatasetQueryEngine, PublishedDatasets } from "../ports/dataset-query.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Clock } from "../ports/world.ts";
import { type ApiAnswer, type ApiRequest, problemAnswer, withoutBody } from "./api-answer.ts";
import { readAsk } from "./api-ask.ts";
import { ApiDispatch } from "./api-dispatch.ts";
import { BakeSchedule } from "./bake-schedule.ts";
import { answerKnown, isAnyKnown } from "./finish-answer.ts";
import { Problem, toProblem } from "./problem.ts";
import { RenderThread } from "./render-thread.ts";
import { ResultCache } from "./result-cache.ts";
import { ScanThread } from "./scan-thread.ts";
import type { ServeContext } from "./serve-context.ts";
import { type DatasetState, ServedDataset, type ServeEvent } from "./served-dataset.ts";

/** What serving stands on. */
export type DataApiPorts = Readonly<{
  published: PublishedDatasets;
  /** Where the versions' files are. */
  store: ObjectStore;
  engine: DatasetQueryEngine;
  clock: Clock;
}>;

/** How an API is served; all but the folder have defaults. */
export type DataApiOptions = Readonly<{
  /** A folder of this server's own: copies of parts, exports. Whoever made it removes it after `close`. */
  folder: string;
  /** Largest version in memory, bytes. Default 4 GiB; ten million rows of four columns take 83 MB. */
  packBytesMax?: number | undefined;
  /** Results of the engine and compressed bodies, bytes. Default 64 MiB. */
  cacheBytesMax?: number | undefined;
  /** Largest export that is kept as a file, bytes. Default 1 GiB; 0: none, each is printed when it is asked for. */
  bakeBytesMax?: number | undefined;
  /** Versions of a dataset in memory, at least 2: the newest, and the one that clients are still paging through. Default 2. */
  versionsLoadedMax?: number | undefined;
  /** Seals cursors. Default: made of the declaration, so that all servers of an API take each other's; see `docs/concepts/serving.md`. */
  cursorSecret?: string | undefined;
  /** Is told what happens to versions, and of errors that clients are not told. */
  tell?: ((event: ServeEvent) => void) | undefined;
}>;

/** An API that is being served. */
export interface DataApi {
  readonly spec: ApiSpec;
  /**
   * Answers a request. At once where nothing has to be waited for, so that a host need not wait either.
   *
   * Never throws, and its promise never rejects. Whoever takes an answer writes or discards its body.
   */
  answer(request: ApiRequest): ApiAnswer | Promise<ApiAnswer>;
  /** The OpenAPI document of what is served now. */
  openApi(): JsonObject;
  /** How each dataset stands; the API is ready when each has a version. */
  states(): readonly DatasetState[];
  /** Looks for newer versions and takes them: on a signal that there is one. Never throws. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Looks every `intervalMs` until the signal is aborted. */
  watch(intervalMs: number, signal: AbortSignal): Promise<void>;
  /** Resolves when exports of what is served are made. */
  settled(): Promise<void>;
  /** Gives back memory, threads and files; answers that are still being read go on. The engine stays its owner's. */
  close(): Promise<void>;
}

/** Goes up when the same question over the same version is answered with other bytes. */
const answersVersion = 1;

const mebibyte = 2 ** 20;
const defaults = {
  packBytesMax: 4096 * mebibyte,
  cacheBytesMax: 64 * mebibyte,
  bakeBytesMax: 1024 * mebibyte,
  versionsLoadedMax: 2,
} as const;

/** Opens an API. Nothing is loaded before `refresh` or `watch`; until then it says that it is not ready. */
export function openDataApi(spec: ApiSpec, ports: DataApiPorts, options: DataApiOptions): DataApi {
  return new ServedApi(spec, ports, options);
}

class ServedApi implements DataApi {
  readonly spec: ApiSpec;
  readonly #context: ServeContext;
  readonly #datasets: ReadonlyMap<string, ServedDataset>;
  readonly #dispatch: ApiDispatch;
  readonly #bakes: BakeSchedule;
  readonly #clock: Clock;
  readonly #tell: (event: ServeEvent) => void;

  constructor(spec: ApiSpec, ports: DataApiPorts, options: DataApiOptions) {
    const { engine, store, published, clock } = ports;
    const declaration = createHash("sha256")
      .update(JSON.stringify([answersVersion, spec]))
      .digest();
    const renderer = new RenderThread();
    const scanner = new ScanThread();
    const tell = options.tell ?? (() => {});
    this.spec = spec;
    this.#clock = clock;
    this.#tell = tell;
    this.#context = {
      spec,
      apiTag: declaration.toString("hex", 0, 4),
      engine,
      cache: new ResultCache(options.cacheBytesMax ?? defaults.cacheBytesMax),
      renderer,
      scanner,
      cursorKey: options.cursorSecret === undefined ? declaration : Buffer.from(options.cursorSecret, "utf8"),
      folder: options.folder,
      load: { exports: 0 },
    };
    this.#bakes = new BakeSchedule(
      { engine, renderer },
      options.bakeBytesMax ?? defaults.bakeBytesMax,
      (error) => tell({ type: "failed", what: "making export files", error }),
    );
    const tools = {
      spec,
      store,
      engine,
      renderer,
      scanner,
      folder: options.folder,
      packBytesMax: options.packBytesMax ?? defaults.packBytesMax,
    };
    const served = {
      versionsLoadedMax: Math.max(2, options.versionsLoadedMax ?? defaults.versionsLoadedMax),
      nowMs: () => clock.nowMs(),
      tell,
    };
    this.#datasets = new Map(
      spec.datasets.map((name) => [name, new ServedDataset(name, tools, published, this.#bakes, served)]),
    );
    this.#dispatch = new ApiDispatch(this.#context, this.#datasets);
  }

  answer(request: ApiRequest): ApiAnswer | Promise<ApiAnswer> {
    try {
      if (request.method !== "GET" && request.method !== "HEAD")
        throw new Problem("method-not-allowed", {
          detail: "Data are only read here.",
          allowed: ["GET", "HEAD"],
          headers: ["allow", "GET, HEAD"],
        });
      const recent = this.#dispatch.findRecent(request);
      if (recent !== undefined) return request.method === "HEAD" ? withoutBody(recent) : recent;
      const answered = this.#dispatch.answer(readAsk(request));
      if (answered instanceof Promise) return this.#settle(request, answered);
      if (isAnyKnown(request)) return this.#settle(request, Promise.resolve(answered));
      return request.method === "HEAD" ? withoutBody(answered) : answered;
    } catch (error) {
      return this.#refuse(request, error);
    }
  }

  async #settle(request: ApiRequest, answered: Promise<ApiAnswer>): Promise<ApiAnswer> {
    try {
      const answer = await answered;
      if (isAnyKnown(request)) return await answerKnown(answer);
      return request.method === "HEAD" ? await withoutBody(answer) : answer;
    } catch (error) {
      return this.#refuse(request, error);
    }
  }

  #refuse(request: ApiRequest, error: unknown): ApiAnswer {
    const problem = toProblem(error);
    if (!(error instanceof Problem) && !request.signal.aborted)
      this.#tell({ type: "failed", what: `${request.method} ${request.url.slice(0, 500)}`, error });
    const answer = problemAnswer(problem);
    return request.method === "HEAD" ? { ...answer, body: undefined } : answer;
  }

  openApi(): JsonObject {
    return this.#dispatch.openApi;
  }

  states(): readonly DatasetState[] {
    return [...this.#datasets.values()].map(({ state }) => state);
  }

  async refresh(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#datasets.values()].map((dataset) => dataset.refresh(signal)));
  }

  async watch(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.refresh(signal);
      await this.#clock.sleep(intervalMs, signal).catch(() => {}); // Aborted: the loop sees it.
    }
  }

  async settled(): Promise<void> {
    await this.#bakes.settled();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#datasets.values()].map((dataset) => dataset.close()));
    await Promise.all([this.#context.renderer.close(), this.#context.scanner.close()]);
  }
}
