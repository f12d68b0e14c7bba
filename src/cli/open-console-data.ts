/** Datasets as the console shows them: the data API of each, opened when somebody looks at it first. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DatasetQueryEngine, PublishedDatasets } from "../ports/dataset-query.ts";
import type { DataApi } from "../serve/data-api.ts";
import type { ConsoleData } from "../server/control/control-ports.ts";
import { findSqlEngine } from "../server/data/pages/sql-engine.ts";
import type { Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import { makeServerFolder } from "./server-folder.ts";
import { systemClock } from "./system-world.ts";

/** Datasets in memory at once: the one that was looked at longest ago makes way. */
const openMax = 8;

/** Pause between looks for newer versions, ms. */
const refreshMs = 10_000;

/** Exports are printed when they are asked for: nobody waits for those of a console. */
const bakeBytesMax = 0;

/** How long datasets that nobody has asked for wait, ms: whoever looks at a list chooses one, and that one goes first. */
const warmAfterMs = 2000;

type Opened = Readonly<{ api: DataApi; isReady: Promise<void>; close: () => Promise<void> }>;

/** What all of them stand on. */
type Base = Readonly<{
  folder: string;
  engine: DatasetQueryEngine;
  published: PublishedDatasets;
  defineApi: typeof import("../serve/define-api.ts").defineApi;
  openDataApi: typeof import("../serve/data-api.ts").openDataApi;
}>;

export type ConsoleDataWorld = Readonly<{
  onProblem: (error: unknown) => void;
  /** The API that this process serves to everybody: its versions are in memory already. */
  served: () => DataApi | undefined;
}>;

/** Opens nothing yet; whatever is opened is closed when the invocation ends. */
export function openConsoleData(
  invocation: Invocation,
  opened: OpenProject,
  { onProblem, served }: ConsoleDataWorld,
): ConsoleData {
  const { project, store } = opened;
  const apis = new Map<string, Promise<Opened>>();
  let base: Promise<Base> | undefined;
  const openBase = async (): Promise<Base> => {
    const { stateFolder } = opened.warehouse;
    await mkdir(stateFolder, { recursive: true });
    const modules = await Promise.all([
      import("../warehouses/duckdb/query-engine.ts"),
      import("../serve/define-api.ts"),
      import("../serve/data-api.ts"),
      import("../dataset/published-datasets.ts"),
    ]);
    const [{ openDuckDbQueries }, { defineApi }, { openDataApi }, published] = modules;
    const folder = await makeServerFolder(stateFolder);
    invocation.atEnd(() => rm(folder, { recursive: true, force: true }));
    const engine = openDuckDbQueries({ folder });
    invocation.atEnd(async () => {
      for (const one of apis.values()) await (await one).close();
      await engine.close();
    });
    return { folder, engine, defineApi, openDataApi, published: published.openPublishedDatasets(store) };
  };

  const openOne = async (name: string): Promise<Opened> => {
    base ??= openBase();
    const { folder, engine, defineApi, openDataApi, published } = await base;
    const dataset = project.datasets.find((one) => one.name === name)!; // Whoever asks has looked.
    const spec = defineApi({
      title: project.name,
      description: dataset.description,
      datasets: [dataset],
      servesTenantRows: true, // To those who have signed in to the console.
    });
    const own = await mkdtemp(join(folder, "api-"));
    const stop = new AbortController();
    const signal = AbortSignal.any([invocation.signal, stop.signal]);
    const api = openDataApi(
      spec,
      { published, store, engine, clock: systemClock },
      {
        folder: own,
        bakeBytesMax,
        tell: (event) => {
          if (event.type === "refused" || event.type === "failed") onProblem(event.error);
        },
      },
    );
    const isReady = api.refresh(signal);
    const watching = isReady.then(() => api.watch(refreshMs, signal));
    const close = async (): Promise<void> => {
      stop.abort();
      await watching;
      await api.close();
      await rm(own, { recursive: true, force: true });
    };
    return { api, isReady, close };
  };

  const isWarm = new Set<string>();
  let warming: Promise<void> = Promise.resolve();

  /** Opened, which does not say that a version is in memory. */
  const openApi = async (name: string): Promise<DataApi> => {
    const api = served();
    if (api?.spec.datasets.includes(name) === true) return api;
    const opening = apis.get(name) ?? openOne(name);
    apis.delete(name); // The last of the map is the one that was looked at last.
    apis.set(name, opening);
    const [oldest] = apis;
    if (apis.size > openMax && oldest !== undefined) {
      apis.delete(oldest[0]);
      oldest[1].then((one) => one.close()).catch(onProblem);
    }
    try {
      return (await opening).api;
    } catch (error) {
      apis.delete(name); // The next request tries again.
      throw error;
    }
  };

  const allReady = async (): Promise<void> => {
    for (const one of apis.values()) await (await one).isReady;
  };
  const warmAll = async (names: readonly string[]): Promise<void> => {
    base ??= openBase();
    await (await base).engine.start(); // At once: it is what first rows wait for longest.
    await systemClock.sleep(warmAfterMs, invocation.signal);
    for (const name of names) {
      await allReady(); // One after the other, and those that somebody waits for before all others.
      await openApi(name);
    }
  };

  return {
    sqlEngine: () => findSqlEngine([pathToFileURL(opened.configPath), import.meta.url]),
    warm(names) {
      const isServed = (name: string): boolean => served()?.spec.datasets.includes(name) === true;
      const wanted = names.filter((name) => !isWarm.has(name) && !isServed(name)).slice(0, openMax);
      for (const name of wanted) isWarm.add(name);
      if (wanted.length === 0) return;
      warming = warming
        .then(() => warmAll(wanted))
        .catch((error: unknown) => {
          if (!invocation.signal.aborted) onProblem(error);
        });
    },
    openApi,
    async compare(pair, signal) {
      base ??= openBase();
      const { compareVersions } = await import("./compare-versions.ts");
      return await compareVersions(opened, { ...pair, folder: (await base).folder }, signal);
    },
  };
}
