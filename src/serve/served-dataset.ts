/**
 * A dataset that is served: its newest version that can be, and a few others that are asked for.
 *
 * | state | what it answers | leaves it |
 * |---|---|---|
 * | waiting | 503: nothing is published, or nothing of it loads; first rows of what is being loaded to those who take them | `refresh` that loads a version |
 * | serving | from `current` | `refresh` that loads a newer one: one reference is replaced |
 *
 * A version that was refused is tried again with growing pauses, since a store may have had a bad moment; a newer one is
 * tried at once. Requests read `current` once and hold what they read, so that no answer is of two versions.
 */
import { isLeatError } from "../errors/leat-error.ts";
import type { DatasetManifest } from "../model/dataset-manifest.ts";
import type { PublishedDatasets, VersionEntry } from "../ports/dataset-query.ts";
import type { BakeSchedule } from "./bake-schedule.ts";
import type { DatasetView } from "./dataset-view.ts";
import { FriendlyRoute } from "./friendly-route.ts";
import { type LoadTools, loadVersion, unloadVersion } from "./load-version.ts";
import { Problem, unknownName } from "./problem.ts";

/** What happens to versions, for logs. */
export type ServeEvent = Readonly<
  | { type: "loaded" | "swapped" | "dropped"; dataset: string; version: string; rows: number; ms: number }
  | { type: "refused"; dataset: string; version: string | undefined; error: unknown }
  | { type: "failed"; what: string; error: unknown }
>;

/** How a dataset stands. */
export type DatasetState = Readonly<{
  dataset: string;
  /** What is served; `undefined`: nothing yet. */
  version: string | undefined;
  seq: number | undefined;
  rowCount: number | undefined;
  builtAt: string | undefined;
  /** The newest version, if it cannot be served, and why. */
  refused: Readonly<{ seq: number; message: string }> | undefined;
}>;

export type ServedOptions = Readonly<{
  /** Versions kept loaded, the newest among them. */
  versionsLoadedMax: number;
  nowMs: () => number;
  tell: (event: ServeEvent) => void;
}>;

/** Pause before a refused version is tried again, ms: doubled each time, up to the longest. */
const retryMs = { first: 15_000, longest: 10 * 60_000 } as const;
/** Older versions tried when a server starts and the newest ones cannot be loaded. */
const olderTriedMax = 5;
/** Longest wait of a request for an old version to load, ms; whoever comes later finds it loaded. */
const loadWaitMs = 5000;
/** Longest wait of those who rather wait for the newest version than be told to come back, ms: less than browsers' and proxies' 30 s. */
const wholeWaitMs = 25_000;
/** Old versions that may wait to be loaded. */
const loadsWaitingMax = 4;
/** Beginnings of versions that are taken in addresses, digits. */
const prefixDigits = { min: 12, max: 64 } as const;

type Loaded = { view: DatasetView; routes: ReadonlyMap<string, FriendlyRoute>; usedAt: number };

/** A version with the routes over it. */
export type ServedVersion = Readonly<{ view: DatasetView; routes: ReadonlyMap<string, FriendlyRoute> }>;

export class ServedDataset {
  readonly name: string;
  readonly #tools: LoadTools;
  readonly #published: PublishedDatasets;
  readonly #options: ServedOptions;
  readonly #bakes: BakeSchedule;
  /** By full version. */
  readonly #loaded = new Map<string, Loaded>();
  readonly #loading = new Map<string, Promise<Loaded>>();
  readonly #unloading = new Set<Promise<void>>();
  #current: Loaded | undefined;
  #seq: number | undefined;
  #versions: readonly VersionEntry[] = [];
  #refused: { seq: number; message: string; tries: number; retryAt: number } | undefined;
  #refreshing: Promise<void> | undefined;
  /** First rows of the version that is being loaded, as long as nothing else is served. */
  #head: DatasetView | undefined;
  #headCame = Promise.withResolvers<void>();
  #loads = 0;

  constructor(
    name: string,
    tools: LoadTools,
    published: PublishedDatasets,
    bakes: BakeSchedule,
    options: ServedOptions,
  ) {
    this.name = name;
    this.#tools = tools;
    this.#published = published;
    this.#bakes = bakes;
    this.#options = options;
  }

  /** What is served now. */
  get current(): ServedVersion | undefined {
    return this.#current;
  }

  /** All that were published, as of the last look. */
  get versions(): readonly VersionEntry[] {
    return this.#versions;
  }

  get state(): DatasetState {
    const manifest = this.#current?.view.manifest;
    return {
      dataset: this.name,
      version: manifest?.version,
      seq: manifest?.seq,
      rowCount: manifest?.rowCount,
      builtAt: manifest?.builtAt,
      refused:
        this.#refused === undefined ? undefined : { seq: this.#refused.seq, message: this.#refused.message },
    };
  }

  /** Looks for a newer version and takes it. Never throws; several calls at once are one. */
  async refresh(signal: AbortSignal): Promise<void> {
    this.#refreshing ??= this.#refresh(signal).finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      const newest = await this.#published.newestSeq(this.name);
      if (newest === undefined || newest === this.#seq || this.#isPausing(newest)) return;
      const listing = this.#listVersions();
      const oldest = this.#current === undefined ? Math.max(1, newest - olderTriedMax) : newest;
      for (let seq = newest; seq >= oldest; seq--) if (await this.#take(seq, newest, listing, signal)) return;
    } catch (error) {
      this.#options.tell({ type: "failed", what: `looking for versions of ${this.name}`, error });
    }
  }

  /** One entry that cannot be read must not keep the others from being served. */
  async #listVersions(): Promise<void> {
    try {
      this.#versions = await this.#published.listVersions(this.name);
    } catch (error) {
      this.#options.tell({ type: "failed", what: `listing the versions of ${this.name}`, error });
    }
  }

  #isPausing(seq: number): boolean {
    const refused = this.#refused;
    return refused !== undefined && refused.seq === seq && this.#options.nowMs() < refused.retryAt;
  }

  /** Loads an entry and makes it the current one; false: it was refused. */
  async #take(seq: number, newest: number, listing: Promise<void>, signal: AbortSignal): Promise<boolean> {
    let manifest: DatasetManifest | undefined;
    try {
      manifest = await this.#published.readEntry(this.name, seq);
      const begunAt = this.#options.nowMs();
      const takeHead = (head: DatasetView): void => {
        this.#head = head;
        this.#headCame.resolve();
      };
      const isFirst = this.#current === undefined;
      const loaded = await this.#load(manifest, signal, isFirst ? takeHead : undefined);
      await listing; // Whoever is answered may ask for another version next.
      const before = this.#current;
      this.#current = loaded;
      if (seq === newest) [this.#seq, this.#refused] = [seq, undefined];
      if (before !== undefined) before.usedAt = this.#options.nowMs();
      this.#tell(before === undefined ? "loaded" : "swapped", loaded.view, begunAt);
      this.#bakes.add(loaded.view);
      this.#evict();
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      if (seq === newest) this.#refuse(seq, error);
      this.#options.tell({ type: "refused", dataset: this.name, version: manifest?.version, error });
      return false;
    } finally {
      this.#head = undefined;
      this.#headCame = Promise.withResolvers();
    }
  }

  /**
   * First rows of the version that is being loaded, as soon as they are there.
   *
   * @returns `undefined` when there is no need for them any more, or none is being loaded.
   */
  async firstRows(): Promise<DatasetView | undefined> {
    if (this.#current === undefined && this.#head === undefined)
      await Promise.race([this.#headCame.promise, this.#refreshing]);
    return this.#current === undefined ? this.#head : undefined;
  }

  /**
   * The version that is being loaded, as soon as it is there.
   *
   * @throws Problem `not-ready` when that takes too long, or it was refused.
   */
  async whole(signal: AbortSignal): Promise<ServedVersion> {
    await orLate(this.#refreshing, wholeWaitMs, signal);
    if (this.#current !== undefined) return this.#current;
    const detail =
      this.#refreshing === undefined
        ? (this.state.refused?.message ?? `${this.name} has no version that can be served yet.`)
        : `The newest version of ${this.name} is still being loaded.`;
    throw new Problem("not-ready", { detail, retryAfterSeconds: 5 });
  }

  #refuse(seq: number, error: unknown): void {
    const tries = this.#refused?.seq === seq ? this.#refused.tries + 1 : 1;
    const pauseMs = Math.min(retryMs.first * 2 ** (tries - 1), retryMs.longest);
    const message = isLeatError(error) ? error.message : "an unexpected error";
    this.#refused = { seq, message, tries, retryAt: this.#options.nowMs() + pauseMs };
  }

  /** A loaded version, loading it if it is not; one load of a version at a time. */
  async #load(
    manifest: DatasetManifest,
    signal: AbortSignal,
    onHead?: (head: DatasetView) => void,
  ): Promise<Loaded> {
    const known = this.#loaded.get(manifest.version);
    if (known !== undefined) return known;
    const loading = this.#loading.get(manifest.version) ?? this.#begin(manifest, signal, onHead);
    return await loading;
  }

  #begin(
    manifest: DatasetManifest,
    signal: AbortSignal,
    onHead: ((head: DatasetView) => void) | undefined,
  ): Promise<Loaded> {
    const id = `${this.name}-${manifest.version.slice(0, 16)}-${++this.#loads}`;
    const loading = loadVersion(this.#tools, manifest, id, signal, onHead)
      .then((view) => {
        const ours = this.#tools.spec.routes.filter((route) => route.dataset === this.name);
        const routes = new Map(ours.map((route) => [route.path, new FriendlyRoute(route, view)]));
        const loaded: Loaded = { view, routes, usedAt: this.#options.nowMs() };
        this.#loaded.set(manifest.version, loaded);
        return loaded;
      })
      .finally(() => this.#loading.delete(manifest.version));
    this.#loading.set(manifest.version, loading);
    return loading;
  }

  /** Drops what was not asked for longest, until no more are loaded than may be. */
  #evict(): void {
    const others = [...this.#loaded.values()]
      .filter((loaded) => loaded !== this.#current)
      .sort((one, other) => other.usedAt - one.usedAt);
    for (const loaded of others.slice(Math.max(0, this.#options.versionsLoadedMax - 1))) this.#drop(loaded);
  }

  #drop({ view }: Loaded): void {
    this.#loaded.delete(view.manifest.version);
    const begunAt = this.#options.nowMs();
    const unloading = this.#bakes
      .cancel(view)
      .then(() => unloadVersion(this.#tools, view))
      .then(() => this.#tell("dropped", view, begunAt))
      .catch((error: unknown) => this.#options.tell({ type: "failed", what: `dropping ${view.id}`, error }))
      .finally(() => this.#unloading.delete(unloading));
    this.#unloading.add(unloading);
  }

  #tell(type: "loaded" | "swapped" | "dropped", { manifest }: DatasetView, begunAt: number): void {
    const ms = this.#options.nowMs() - begunAt;
    this.#options.tell({ type, dataset: this.name, version: manifest.version, rows: manifest.rowCount, ms });
  }

  /**
   * The version whose name begins so.
   *
   * @returns at once when it is loaded.
   * @throws Problem `unknown-version`, `version-gone`, or `not-ready` while it loads.
   */
  findVersion(prefix: string, signal: AbortSignal): ServedVersion | Promise<ServedVersion> {
    const known = this.#findLoaded(prefix);
    if (known === undefined) return this.#loadOld(this.#findEntry(prefix), signal);
    known.usedAt = this.#options.nowMs();
    return known;
  }

  #findLoaded(prefix: string): Loaded | undefined {
    if (prefix.length < prefixDigits.min) return undefined;
    for (const [version, loaded] of this.#loaded) if (version.startsWith(prefix)) return loaded;
    return undefined;
  }

  #findEntry(prefix: string): VersionEntry {
    const isPrefix =
      prefix.length >= prefixDigits.min && prefix.length <= prefixDigits.max && /^[0-9a-f]+$/.test(prefix);
    const entry = isPrefix ? this.#versions.find(({ version }) => version.startsWith(prefix)) : undefined;
    if (entry === undefined)
      throw unknownName(
        "unknown-version",
        `version of ${this.name}`,
        prefix,
        this.#versions.map(({ version }) => version.slice(0, 16)),
      );
    if (entry.isKept) return entry;
    throw this.#gone(entry.version);
  }

  #gone(version: string): Problem {
    const others = this.#versions.filter((entry) => entry.isKept && entry.version !== version);
    return new Problem("version-gone", {
      detail: `The version ${version.slice(0, 16)} of ${this.name} was published and is not kept any more.`,
      allowed: others.map((entry) => entry.version.slice(0, 16)),
    });
  }

  async #loadOld({ seq, version }: VersionEntry, signal: AbortSignal): Promise<ServedVersion> {
    if (!this.#loading.has(version) && this.#loading.size >= loadsWaitingMax)
      throw new Problem("busy", { detail: "Other versions are being loaded.", retryAfterSeconds: 5 });
    const loading = this.#published
      .readEntry(this.name, seq)
      .then((manifest) => this.#load(manifest, new AbortController().signal))
      .then((loaded) => {
        this.#evict();
        return loaded;
      });
    loading.catch(() => {}); // Whoever waits is told; nobody may wait any more.
    try {
      const loaded = await orLate(loading, loadWaitMs, signal);
      if (loaded !== undefined) return loaded;
    } catch (error) {
      throw isLeatError(error) && error.code === "PART_MISSING" ? this.#gone(version) : error;
    }
    throw new Problem("not-ready", {
      detail: `The version ${version.slice(0, 16)} is being loaded.`,
      retryAfterSeconds: 5,
    });
  }

  /** Gives everything back. */
  async close(): Promise<void> {
    await this.#refreshing;
    await Promise.allSettled(this.#loading.values());
    this.#current = undefined;
    for (const loaded of [...this.#loaded.values()]) this.#drop(loaded);
    await Promise.all(this.#unloading);
  }
}

/** What is waited for, or `undefined` when that takes too long or nobody waits any more. */
async function orLate<Value>(
  wanted: Promise<Value> | undefined,
  waitMs: number,
  signal: AbortSignal,
): Promise<Value | undefined> {
  const late = Promise.withResolvers<undefined>();
  const leave = (): void => late.resolve(undefined);
  const timer = setTimeout(leave, waitMs);
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([wanted, late.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", leave);
  }
}
