/** Port: what tasks of ready-made flows do with the project's own streams and datasets. */
import type { JsonObject } from "../model/json-value.ts";
import type { FlowRunId } from "../model/run-ids.ts";

/** A stream that is to be synced, and for whom. */
export type PlannedStream = Readonly<{
  /** `source.stream`. */
  stream: string;
  source: string;
  /** The stream, as `source.stream`, whose records say what this one asks for; `null`: none that is planned. */
  parent: string | null;
  tenants: readonly string[];
}>;

/** A share that is to be delivered to a tenant. */
export type PlannedShare = Readonly<{ share: string; tenant: string }>;

/** A file that its publisher shows. */
export type PlannedFile = Readonly<{
  id: string;
  name: string;
  /** Some version of it is landed. */
  isLanded: boolean;
}>;

/** A file of a dataset that is to be laid out. */
export type UntidiedFile = Readonly<{
  name: string;
  fields: Readonly<Record<string, string>>;
  sha256: string;
  /** Where its bytes are in the landing. */
  objectKey: string;
}>;

/** A dataset whose rows and rules were checked, and what is to be published of it. */
export type CheckedDataset = Readonly<{
  dataset: string;
  /** `unchanged`: the newest version has these rows already. */
  status: "new" | "unchanged";
  seq: number;
  version: string;
  buildId: string;
  rows: number;
  /** Files that were read now; the rows of the others were known. */
  filesRead: number;
  /** Names of rules that do not hold, and only warn. */
  warnings: readonly string[];
  /** What it is made of, as labels of lineage. A run that began with an older leat has none. */
  inputs?: readonly string[];
}>;

/** What became of a checked dataset. `superseded`: another build was first, and it is to be checked again. */
export type DatasetPublication = Readonly<
  | { status: "superseded" }
  | { status: "published" | "unchanged"; version: string; seq: number; rows: number; parts: number }
>;

/** What a step of the work is given by its task. */
export type WorkWorld = Readonly<{
  signal: AbortSignal;
  /** The run whose task does it. */
  runId: FlowRunId;
  /** Equal each time this step is done, also after a crash. */
  idempotencyKey: string;
  /** Tells of something worth a line in the run's log. */
  tell: (level: "info" | "warn", message: string) => void;
}>;

/**
 * The project's streams and datasets, as flows work with them. Each step may be repeated after a crash: what it committed
 * before stays, and is not done twice.
 *
 * @throws LeatError what went wrong; plain results are what a ledger keeps.
 */
export interface ProjectWork {
  /** Chosen streams, parents first. Names and ids as on the command line; none: all. */
  planStreams(names: readonly string[], tenants: readonly string[]): Promise<readonly PlannedStream[]>;
  /** Files that a stream of files has to offer to a tenant; nothing is landed. */
  findFiles(stream: string, tenant: string, world: WorkWorld): Promise<readonly PlannedFile[]>;
  /** Lands what is new of one stream and tenant; of files only those named, by id. */
  extract(
    stream: string,
    tenant: string,
    world: WorkWorld,
    files?: readonly string[] | undefined,
  ): Promise<JsonObject>;
  /** Loads what is landed of one stream, and tells of it by an event where there were new packages. */
  load(stream: string, tenants: readonly string[], world: WorkWorld): Promise<JsonObject>;
  /** Chosen shares, for each tenant that takes part. Names and ids as on the command line; none: all. */
  planShares(names: readonly string[], tenants: readonly string[]): Promise<readonly PlannedShare[]>;
  /** Delivers one share to one tenant: what its warehouse lacks. */
  share(share: string, tenant: string, world: WorkWorld): Promise<JsonObject>;
  /** Chosen datasets, and before each those that it reads. */
  planDatasets(names: readonly string[]): Promise<readonly string[]>;
  /** Files of a dataset whose rows are not known yet; none where it is not made of files. */
  listUntidied(dataset: string, world: WorkWorld): Promise<readonly UntidiedFile[]>;
  /** Lays out one of them, and keeps its rows. */
  tidy(dataset: string, file: UntidiedFile, world: WorkWorld): Promise<JsonObject>;
  /** Makes a dataset's rows of what is landed and loaded, and checks them and its rules; nobody sees them yet. */
  check(dataset: string, world: WorkWorld): Promise<CheckedDataset>;
  /** Publishes what was checked, and tells by an event of a new version. */
  publish(checked: CheckedDataset, world: WorkWorld): Promise<DatasetPublication>;
}

/** Where a task's context has the work: a symbol of the registry, so that two copies of leat understand each other. */
export const projectWork: unique symbol = Symbol.for("leat.flow.projectWork");

/** What a task's context has beside what its type shows. */
export type WithProjectWork = Readonly<{ [projectWork]?: ProjectWork | undefined }>;
