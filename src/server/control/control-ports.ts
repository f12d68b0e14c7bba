/** What the control API works with. */
import type { SecretWriter } from "../../config/dotenv-secrets.ts";
import type { FlowRegistry } from "../../flow/deployment.ts";
import type { DatasetManifest } from "../../model/dataset-manifest.ts";
import type { VersionDiff } from "../../ports/dataset-engine.ts";
import type { Dispatcher } from "../../ports/dispatcher.ts";
import type { Ledger } from "../../ports/ledger.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { Project } from "../../ports/project.ts";
import type { Tenant } from "../../ports/source.ts";
import type { Warehouse } from "../../ports/warehouse.ts";
import type { Clock, Places, Random, Secrets } from "../../ports/world.ts";
import type { DataApi } from "../../serve/data-api.ts";
import type { Access } from "../access/access.ts";
import type { UiPlace } from "../console/answer-ui.ts";
import type { SqlEngineFiles } from "../data/pages/sql-engine.ts";

/** Two versions of a dataset, by what people call them. */
export type ComparedPair = Readonly<{ dataset: string; before: string; later: string; samplesMax: number }>;

/** Datasets as the console shows them. Engines are loaded when somebody looks at one first. */
export type ConsoleData = Readonly<{
  /** The data API of one of the project's datasets. */
  openApi: (dataset: string) => Promise<DataApi>;
  /** Has these opened in the background: somebody is about to look at them. */
  warm: (datasets: readonly string[]) => void;
  compare: (
    pair: ComparedPair,
    signal: AbortSignal,
  ) => Promise<
    Readonly<{
      before: DatasetManifest;
      later: DatasetManifest;
      schema: readonly string[];
      rows: VersionDiff;
    }>
  >;
  /** Files of the engine that runs in browsers; `undefined`: it is not installed. */
  sqlEngine: () => SqlEngineFiles | undefined;
}>;

export type ControlPorts = Readonly<{
  project: Project;
  readTenants: () => readonly Tenant[];
  registry: FlowRegistry;
  ledger: Ledger;
  dispatcher: Dispatcher;
  /** The landing, for cursors, packages and datasets. */
  store: ObjectStore;
  /** Opened when somebody asks for loads: its engine takes memory that the other requests do not need. */
  openWarehouse: () => Promise<Warehouse>;
  data: ConsoleData;
  secrets: Secrets;
  /** Where secrets can be set; `undefined`: nowhere. */
  secretWriter: SecretWriter | undefined;
  places: Places;
  /** `warehouse`: its address without credentials. */
  settings: Readonly<{ codeVersion: string; keepDays: number; warehouse: string }>;
  clock: Clock;
  random: Random;
  redact: (text: string) => string;
  /** Who may do what. */
  access: Access;
  /** The built console, and what addresses begin with. */
  ui: UiPlace;
  version: string;
  /** Told of failures that are no caller's fault. */
  onProblem: (error: unknown) => void;
}>;
