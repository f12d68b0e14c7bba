/**
 * The manifest of a Parquet folder: which files are there, whose they are, and which packages are in them. It is the
 * folder's ledger: a delivery writes files that nobody knows of, and commits by creating the next manifest if there is
 * none. Manifests are numbered and never changed or deleted; the one with the greatest number counts.
 */
import { randomBytes } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import type { LedgerRow, ShareOwner } from "../../ports/warehouse.ts";

/** Form of the manifests; a folder of a newer one is refused. */
const formatVersion = 1;

/** A file as it was written. Its key has a hash of its bytes, so that equal files have equal names. */
export type FolderFile = Readonly<{ key: string; rows: number; bytes: number; sha256: string }>;

/** A table of the folder. */
export type FolderTable = Readonly<{
  schema: string;
  table: string;
  owner: ShareOwner | null;
  /** What the last delivery has counted; absent: nothing since its rows came. */
  receipts?: string | undefined;
  /** Loaded packages, in the order of seq, of one tenant. */
  ledger: readonly (LedgerRow & Readonly<{ tenant: string }>)[];
  /** Names and types of the columns that every version file has. */
  columns: readonly (readonly [string, string])[];
  current: FolderFile | null;
  /** Every version that was landed, by packages; none where only current rows are kept. */
  versions: readonly Readonly<{ fromSeq: number; toSeq: number; file: FolderFile }>[];
  /** Records that fit their column's type nowhere. */
  rejects: FolderFile | null;
}>;

export type FolderManifest = Readonly<{
  formatVersion: number;
  /** Of the folder, and of this manifest: whoever loses the answer to its creation knows its own by it. */
  id: string;
  commitId: string;
  seq: number;
  tables: readonly FolderTable[];
}>;

const prefix = "_leat/manifests/";
const keyOf = (seq: number): string => `${prefix}${String(seq).padStart(12, "0")}.json`;

/** Reads the newest manifest; `undefined`: the folder is not leat's yet. */
export async function readFolder(store: ObjectStore): Promise<FolderManifest | undefined> {
  let newest: string | undefined;
  for await (const { key } of store.list(prefix)) newest = key;
  if (newest === undefined) return undefined;
  const bytes = await store.read(newest);
  const text = bytes === undefined ? "" : Buffer.from(bytes).toString("utf8");
  const manifest = parseManifest(text);
  if (manifest !== undefined && manifest.formatVersion <= formatVersion) return manifest;
  throw new LeatError("WAREHOUSE_UNREADABLE", {
    message: `The manifest ${newest} of ${store.url} was written by a newer leat, or changed by somebody else.`,
    hint: "Update leat, or restore the file; or name another, empty folder.",
  });
}

function parseManifest(text: string): FolderManifest | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isOne =
      typeof value === "object" && value !== null && "tables" in value && Array.isArray(value.tables);
    return isOne && "formatVersion" in value ? (value as FolderManifest) : undefined; // Written below.
  } catch {
    return undefined;
  }
}

/**
 * Commits tables as the folder's next state.
 *
 * @param before - the manifest that they were made from.
 * @throws LeatError `STATE_CONFLICT` when another delivery has committed since; nothing of ours became visible.
 */
export async function commitFolder(
  store: ObjectStore,
  before: FolderManifest | undefined,
  tables: readonly FolderTable[],
): Promise<FolderManifest> {
  const manifest: FolderManifest = {
    formatVersion,
    id: before?.id ?? randomBytes(10).toString("hex"),
    commitId: randomBytes(10).toString("hex"),
    seq: (before?.seq ?? 0) + 1,
    tables,
  };
  const key = keyOf(manifest.seq);
  const body = Buffer.from(`${JSON.stringify(manifest, undefined, 1)}\n`);
  if ((await store.create(key, body)) === "created") return manifest;
  const there = parseManifest(Buffer.from((await store.read(key)) ?? []).toString("utf8"));
  if (there?.commitId === manifest.commitId) return manifest; // The answer to our own was lost.
  throw new LeatError("STATE_CONFLICT", {
    message: `Another delivery into ${store.url} has committed first; this one changed nothing.`,
    hint: "Run again: it goes on from what is there now.",
  });
}

/** All files of some tables. */
export function filesOf(tables: readonly FolderTable[] = []): readonly FolderFile[] {
  return tables.flatMap(({ current, versions, rejects }) =>
    [current, rejects, ...versions.map(({ file }) => file)].filter((file) => file !== null),
  );
}
