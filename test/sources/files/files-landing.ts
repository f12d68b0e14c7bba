/** A landing that files are extracted into, one run after the other, and a look at what lies there. */
import { extractFiles } from "../../../src/extract/extract-files.ts";
import type { ExtractMode, ExtractOutcome } from "../../../src/extract/extract-job.ts";
import { listFileVersions, listLandedFiles } from "../../../src/extract/list-landed-files.ts";
import { readRawFile } from "../../../src/landing/raw-file-reader.ts";
import type { StreamPlace } from "../../../src/model/ids.ts";
import type { LandedFile } from "../../../src/model/landed-file.ts";
import type { StreamSpec } from "../../../src/model/stream.ts";
import type { ObjectStore } from "../../../src/ports/object-store.ts";
import type { Source, Tenant } from "../../../src/ports/source.ts";
import type { Clock } from "../../../src/ports/world.ts";
import { openScanner } from "../../../src/scan/open-scanner.ts";
import { files } from "../../../src/sources/files/files.ts";
import type {
  FileStreamDeclaration,
  FilesDeclaration,
} from "../../../src/sources/files/files-declaration.ts";
import { createMemoryStore } from "../../../src/testing/memory-store.ts";
import { type TestWorld, testTenant, testWorld } from "../test-world.ts";

export type RunOptions = Readonly<{
  tenant?: Tenant;
  mode?: ExtractMode;
  idempotencyKey?: string;
  softDeadlineMs?: number;
  tenantColumn?: string;
  signal?: AbortSignal;
}>;

export type FilesLanding = Readonly<{
  store: ObjectStore;
  world: TestWorld;
  spec: StreamSpec;
  place: StreamPlace;
  run: (options?: RunOptions) => Promise<ExtractOutcome>;
  /** Newest versions by id, and all of them in the order of landing. */
  newest: () => Promise<readonly LandedFile[]>;
  versions: () => Promise<readonly LandedFile[]>;
  /** A landed file's bytes, checked. */
  read: (file: LandedFile) => Promise<Buffer>;
  /** What people were told. */
  warnings: () => readonly string[];
}>;

/** Tells the time, and waits for nothing: what was waited for is remembered. */
export class HastyClock implements Clock {
  readonly sleptMs: number[] = [];

  nowMs(): number {
    return Date.now();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.sleptMs.push(ms);
  }
}

/** A source of one stream, `docs`. */
export const oneStream = (stream: FileStreamDeclaration, more: Partial<FilesDeclaration> = {}): Source =>
  files({ name: "pub", retry: { tries: 3 }, ...more, streams: { docs: stream } });

export function openFilesLanding(
  source: Source,
  options: { store?: ObjectStore; world?: TestWorld } = {},
): FilesLanding {
  const store = options.store ?? createMemoryStore();
  const world = options.world ?? testWorld({ clock: new HastyClock() });
  const spec = source.streams[0]!; // Sources under test have one stream.
  const place = { source: source.name, stream: spec.name, tenant: testTenant().id };
  return {
    store,
    world,
    spec,
    place,
    async run({ tenant = testTenant(), signal, ...run } = {}) {
      const reader = await source.openFiles!(spec.name, tenant, world);
      try {
        return await extractFiles(
          { store, clock: world.clock, random: world.random, progress: world.progress, openScanner },
          {
            spec,
            tenant,
            reader,
            mode: run.mode ?? { kind: "incremental" },
            tenantColumn: run.tenantColumn ?? "tenant_id",
            compression: "none",
            idempotencyKey: run.idempotencyKey,
            softDeadlineMs: run.softDeadlineMs,
          },
          signal ?? new AbortController().signal,
        );
      } finally {
        await reader.close();
      }
    },
    newest: () => listLandedFiles(store, place),
    versions: () => listFileVersions(store, place),
    async read({ objectKey, bytes, crc32c, sha256 }) {
      const chunks: Uint8Array[] = [];
      const entry = { key: objectKey, bytes, crc32c, sha256 };
      for await (const chunk of readRawFile(store, entry)) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
    warnings: () => world.events.flatMap((event) => (event.type === "warning" ? [event.message] : [])),
  };
}
