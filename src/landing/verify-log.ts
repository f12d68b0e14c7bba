/** Checks one log against the objects it names: dense, well-formed, every part and raw file there with its size and checksum. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import type { StreamPlace } from "../model/ids.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { readHead, readManifestOfLog } from "./log.ts";
import { readChecked, readPart } from "./part-reader.ts";
import { readRawFile } from "./raw-file-reader.ts";

/** What a log holds, and everything that is wrong with it. */
export type VerifiedLog = Readonly<{
  place: StreamPlace;
  manifests: number;
  packages: number;
  /** Records landed in visible packages. */
  records: number;
  parts: number;
  /** Raw files of streams of files. */
  files: number;
  /** Of parts and raw files. */
  bytes: number;
  faults: readonly LeatError[];
}>;

/** Reads every manifest, and with `readsParts` every byte of every part and raw file. Never throws for what is wrong in the log. */
export async function verifyLog(
  store: ObjectStore,
  place: StreamPlace,
  options: Readonly<{ readsParts: boolean }>,
): Promise<VerifiedLog> {
  const faults: LeatError[] = [];
  const note = (error: unknown) => {
    if (!isLeatError(error) || !(error instanceof LeatError)) throw error;
    faults.push(error.at(place));
  };
  const manifests: Manifest[] = [];
  const headSeq = (await readHead(store, place))?.manifest.seq ?? 0;
  for (let seq = 1; seq <= headSeq; seq++) {
    try {
      manifests.push((await readManifestOfLog(store, place, seq)).manifest);
    } catch (error) {
      note(error);
    }
  }
  const gone = new Set(manifests.flatMap((manifest) => manifest.forgets));
  let [packages, parts, files, bytes] = [0, 0, 0, 0];
  for (const manifest of manifests) {
    if (manifest.kind !== "data" || gone.has(manifest.seq)) continue;
    packages++;
    for (const part of manifest.parts) {
      parts++;
      bytes += part.bytes;
      if (!options.readsParts) continue;
      try {
        for await (const _ of readPart(store, part));
      } catch (error) {
        note(error);
      }
    }
    for (const file of manifest.files ?? []) {
      files++;
      bytes += file.bytes;
      if (!options.readsParts) continue;
      try {
        for await (const _ of readRawFile(store, file));
      } catch (error) {
        note(error);
      }
    }
  }
  const quarantine = manifests.flatMap((manifest) => manifest.quarantine);
  const state = manifests.at(-1)?.state.file; // Older ones have been superseded.
  for (const file of state === undefined ? quarantine : [...quarantine, state]) {
    if (!options.readsParts) break;
    try {
      for await (const _ of readChecked(store, file));
    } catch (error) {
      note(error);
    }
  }
  return {
    place,
    manifests: manifests.length,
    packages,
    records: manifests.at(-1)?.visible.records ?? 0,
    parts,
    files,
    bytes,
    faults,
  };
}
