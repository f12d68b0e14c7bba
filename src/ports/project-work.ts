/** Port: what tasks of ready-made flows do with the project's own streams and datasets. */
import type { JsonObject } from "../model/json-value.ts";

/** A stream that is to be synced, and for whom. */
export type PlannedStream = Readonly<{
  /** `source.stream`. */
  stream: string;
  source: string;
  /** The stream, as `source.stream`, whose records say what this one asks for; `null`: none that is planned. */
  parent: string | null;
  tenants: readonly string[];
}>;

/** A file that its publisher shows. */
export type PlannedFile = Readonly<{
  id: string;
  name: string;
  /** Some version of it is landed. */
  isLanded: boolean;
}>;

/** What a step of the work is given by its task. */
export type WorkWorld = Readonly<{
  signal: AbortSignal;
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
  /** Chosen datasets, and before each those that it reads. */
  planDatasets(names: readonly string[]): Promise<readonly string[]>;
  /** Builds one dataset from what is landed and loaded, and tells by an event of a new version. */
  build(dataset: string, world: WorkWorld): Promise<JsonObject>;
}

/** Where a task's context has the work: a symbol of the registry, so that two copies of leat understand each other. */
export const projectWork: unique symbol = Symbol.for("leat.flow.projectWork");

/** What a task's context has beside what its type shows. */
export type WithProjectWork = Readonly<{ [projectWork]?: ProjectWork | undefined }>;
