/** What a build works with, what it is asked, and what it says when it has ended. */
import type { DatasetManifest, FileLayout } from "../model/dataset-manifest.ts";
import type { BuildEvent, DatasetSpec, ListFiles } from "../ports/dataset.ts";
import type { DatasetEngine, VersionDiff } from "../ports/dataset-engine.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import type { TidyReader } from "../ports/tidy.ts";
import type { Warehouse } from "../ports/warehouse.ts";
import type { Clock, Random } from "../ports/world.ts";

/** The world of a build. */
export type BuildPorts = Readonly<{
  store: ObjectStore;
  engine: DatasetEngine;
  warehouse: Warehouse;
  /** Opened only where a file has to be read. */
  openReader: () => Promise<TidyReader>;
  listFiles: ListFiles;
  clock: Clock;
  random: Random;
  /** A folder on this machine, with room for all rows as text; what a build leaves there is the caller's to remove. */
  workFolder: string;
  progress: (event: BuildEvent) => void;
}>;

/** One build of one dataset. */
export type BuildJob = Readonly<{
  spec: DatasetSpec;
  /** For the lineage. */
  leatVersion: string;
  /** Files read at once, each by a process of its own. */
  readersMax: number;
  /** How often a build that lost its place to another begins anew. */
  conflictRetriesMax: number;
}>;

/** How a build ended. */
export type BuildOutcome = Readonly<{
  /** `unchanged`: the rows are those of the newest version, whose entry is told. */
  status: "published" | "unchanged";
  /** The entry of the log. Rules and restatement in it are of the build that published it. */
  manifest: DatasetManifest;
  /** What this build itself has seen. */
  seen: BuildFindings;
  /** What has changed against the version before; `undefined`: there is none, or its files were collected. */
  changes: VersionDiff | undefined;
  /** What became of its table. `unsupported`: this warehouse keeps none. */
  table: "published" | "unchanged" | "unsupported";
}>;

/** What a build has seen of its inputs. */
export type BuildFindings = Readonly<{
  rowCount: number;
  lineage: DatasetManifest["lineage"];
  rules: DatasetManifest["rules"];
  restatement: DatasetManifest["restatement"];
  layouts: readonly FileLayout[];
  /** Ids of the files that were read now; the rows of the others were known. */
  readNow: readonly string[];
}>;
