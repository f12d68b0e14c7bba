/** Ports: time, randomness, secrets, places and the telling of progress. */
import type { RunId, TenantId } from "../model/ids.ts";
import type { ObjectStore } from "./object-store.ts";

/** Time as a parameter. */
export interface Clock {
  /** Wall clock, ms since the epoch. */
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Randomness as a parameter. */
export interface Random {
  newRunId(): RunId;
  /** `0 <= x < 1`, for jitter. */
  fraction(): number;
}

/** Secrets by reference (`env:NAME`, `file:PATH`, `gcp-secret:projects/…`). */
export interface Secrets {
  /** @throws LeatError `SECRET_MISSING` naming the reference and the places looked at, never a value. */
  resolve(reference: string): Promise<string>;
}

/** Where the addresses in a project lead. */
export interface Places {
  /** An absolute path; a relative one begins at the project's folder. */
  resolvePath(path: string): string;
  /**
   * Opens an object store that a source reads from, by its URL: `file:PATH` for a folder, `gs://bucket/prefix`,
   * `s3://bucket/prefix`.
   *
   * @throws LeatError `CONFIG_INVALID` for any other text, `DEPENDENCY_MISSING`.
   */
  openStore(url: string): Promise<ObjectStore>;
}

/** What is told while work goes on; the CLI draws it, the server logs it. */
export type ProgressEvent = Readonly<
  | {
      type: "extract";
      source: string;
      stream: string;
      tenant: TenantId;
      records: number;
      bytes: number;
      requests: number;
      waitingMs?: number;
    }
  | { type: "committed"; source: string; stream: string; tenant: TenantId; seq: number; landed: number }
  | { type: "load"; source: string; stream: string; tenant: TenantId; seq: number; rows: number }
  | { type: "warning"; source: string; stream: string; tenant: TenantId | undefined; message: string }
>;

export type Progress = (event: ProgressEvent) => void;
