/** Which files a stream of files has landed: what datasets are made of. */
import { LeatError } from "../errors/leat-error.ts";
import { readHead, walkPackages } from "../landing/log.ts";
import { readPart } from "../landing/part-reader.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { LandedFile } from "../model/landed-file.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { fromFileRow } from "./file-record.ts";
import { type FilesState, readFilesState } from "./files-state.ts";

/**
 * The newest landed version of each file of a stream and tenant, ordered by id. Three or four requests, whatever the
 * length of the log. Empty: nothing was landed.
 */
export async function listLandedFiles(
  store: ObjectStore,
  place: StreamPlace,
): Promise<readonly LandedFile[]> {
  const { files } = await readFilesState(store, await readHead(store, place));
  return [...files.values()]
    .map(({ validators: _, isForgotten: __, ...file }) => ({ ...file, tenant: place.tenant }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Every landed version of every file of a stream and tenant, in the order of landing: (seq, row), the oldest first. Two
 * requests a package. Names and fields are those that the file has now: they are parsed out of its address, so that a
 * new pattern in the configuration holds for old versions too.
 *
 * @throws LeatError what the landing throws; `PART_CORRUPT` where a row cannot be understood.
 */
export async function listFileVersions(
  store: ObjectStore,
  place: StreamPlace,
): Promise<readonly LandedFile[]> {
  const head = await readHead(store, place);
  if (head === undefined) return [];
  const state = await readFilesState(store, head);
  const packages: Manifest[] = [];
  const gone = new Set<number>();
  for await (const { manifest } of walkPackages(store, place, head, 0)) {
    for (const seq of manifest.forgets) gone.add(seq); // Newest first: known before what it is about is met.
    if (manifest.kind === "data" && manifest.files !== undefined && !gone.has(manifest.seq))
      packages.push(manifest);
  }
  const versions: LandedFile[] = [];
  for (const manifest of packages.reverse())
    versions.push(...(await readPackage(store, place, manifest, state)));
  return versions;
}

async function readPackage(
  store: ObjectStore,
  place: StreamPlace,
  manifest: Manifest,
  state: FilesState,
): Promise<readonly LandedFile[]> {
  const entryOf = new Map((manifest.files ?? []).map((entry) => [entry.key, entry]));
  const versions: LandedFile[] = [];
  for (const part of manifest.parts) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of readPart(store, part)) chunks.push(Buffer.from(chunk)); // A package has some files.
    for (const line of Buffer.concat(chunks).toString("utf8").split("\n").filter(Boolean)) {
      try {
        const file = fromFileRow(line, place.tenant, entryOf);
        const { name, fields } = state.files.get(file.id) ?? file;
        versions.push({ ...file, name, fields });
      } catch (cause) {
        throw new LeatError("PART_CORRUPT", {
          message: `A row of ${part.key} is not of a file: ${cause instanceof Error ? cause.message : String(cause)}.`,
          details: { key: part.key },
          cause,
        });
      }
    }
  }
  return versions;
}
