/** What a sync is asked to do, what it works with, and what it says when it has ended. */
import type { LeatError } from "../errors/leat-error.ts";
import type { ExtractFiles, ExtractMode, ExtractOutcome, ExtractStream } from "../extract/extract-job.ts";
import type { LoadStream, TenantLoad } from "../load/load-outcome.ts";
import type { TenantId } from "../model/ids.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { Source, Tenant } from "../ports/source.ts";
import type { SchemaChange, Warehouse } from "../ports/warehouse.ts";
import type { Clock, Places, Progress, Random, Secrets } from "../ports/world.ts";
import type { OpenScanner } from "../scan/record-batch.ts";
import type { SyncLanes } from "./lanes.ts";

/** The world of a sync. The stages are given, so that a sync can be tried without them. */
export type SyncPorts = Readonly<{
  store: ObjectStore;
  warehouse: Warehouse;
  clock: Clock;
  random: Random;
  secrets: Secrets;
  places: Places;
  progress: Progress;
  openScanner: OpenScanner;
  /** A folder on this machine for private copies of parts while they are loaded. */
  workFolder: string;
  /** Shared by all syncs of a process, so that many requests together keep to the limits. */
  lanes: SyncLanes;
  extractStream: ExtractStream;
  extractFiles: ExtractFiles;
  loadStream: LoadStream;
}>;

/** A stream that was chosen, with the source that reads it. */
export type ChosenStream = Readonly<{ source: Source; spec: StreamSpec }>;

/** A stream with the tenants that are meant. Made by `choosePairs`. */
export type StreamTenants = ChosenStream & Readonly<{ tenants: readonly Tenant[] }>;

/** One sync of some streams, each for its tenants. */
export type SyncJob = Readonly<{
  /** Parents before their children. */
  streams: readonly StreamTenants[];
  steps: "extract" | "load" | "both";
  /** How each stream is read; a back-fill's range is in the stream's own units. */
  modeOf: (spec: StreamSpec) => ExtractMode;
  tenantColumn: string;
  /** A scheduler's name for this delivery (I17). */
  idempotencyKey: string | undefined;
  /** Extracts stop at the next safe point when the clock reaches this, ms. */
  softDeadlineMs: number | undefined;
  /** How often an extract that lost its place in the log to another run begins anew. 0: the caller is told at once. */
  conflictRetriesMax: number;
  /** How often an extract that stopped at one of its bounds with windows left goes on. 1: it does not. */
  roundsMax: number;
}>;

/** What became of one stream for one tenant. Each step has its own end: a load also brings in what older runs left. */
export type SyncItem = Readonly<{
  source: string;
  stream: string;
  tenant: TenantId;
  spec: StreamSpec;
  /** All rounds as one: counts added, `before` of the first, `after` of the last. `undefined`: failed, or not asked. */
  extract: ExtractOutcome | undefined;
  extractError: LeatError | undefined;
  load: TenantLoad | undefined;
  loadError: LeatError | undefined;
}>;

export type SyncResult = Readonly<{
  /** One for each chosen stream and tenant: streams in the order chosen, parents first, tenants as given. */
  items: readonly SyncItem[];
  changes: readonly Readonly<{ source: string; stream: string; change: SchemaChange }>[];
}>;

/** The failure of an item, the extract's before the load's; `undefined`: all that was asked for was done. */
export const itemError = (item: SyncItem): LeatError | undefined => item.extractError ?? item.loadError;
