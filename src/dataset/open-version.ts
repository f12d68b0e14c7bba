/** Versions of a dataset: found by what people call them, and brought to this machine's disk. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LeatError } from "../errors/leat-error.ts";
import type { DatasetManifest, DatasetPart } from "../model/dataset-manifest.ts";
import type { VersionFiles } from "../ports/dataset-engine.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { listCollected, listSeqs, readEntryOfLog } from "./dataset-log.ts";

/** Characters of a version that people are shown: enough to tell a dataset's versions apart. */
export const shortVersionLength = 12;
export const shortVersion = (version: string): string => version.slice(0, shortVersionLength);

/** Versions told when one is not found. */
const versionsToldMax = 20;

/**
 * Finds a version: `latest`, `previous`, the number of its entry, or the beginning of its name. Of equal versions (rows
 * that came back) the newest entry.
 *
 * @throws LeatError `VERSION_UNKNOWN` with those that are known.
 */
export async function findVersion(
  store: ObjectStore,
  dataset: string,
  named: string,
): Promise<DatasetManifest> {
  const seqs = await listSeqs(store, dataset);
  const newestFirst = seqs.toReversed();
  if (seqs.length === 0) {
    throw new LeatError("VERSION_UNKNOWN", {
      message: `The dataset ${dataset} has no version yet.`,
      hint: `Run \`leat build ${dataset}\`.`,
      details: { dataset },
    });
  }
  const bySeq = seqs.find((seq) => String(seq) === named);
  if (bySeq !== undefined) return await readEntryOfLog(store, dataset, bySeq);
  const place = named === "latest" ? 0 : named === "previous" ? 1 : undefined;
  const found: DatasetManifest[] = [];
  if (place !== undefined) {
    const seq = newestFirst[place];
    if (seq !== undefined) return await readEntryOfLog(store, dataset, seq);
  } else if (/^[0-9a-f]{4,64}$/.test(named)) {
    for (const seq of newestFirst) {
      const entry = await readEntryOfLog(store, dataset, seq);
      if (entry.version.startsWith(named)) found.push(entry);
    }
  }
  const [first] = found;
  if (first !== undefined && found.every(({ version }) => version === first.version)) return first;
  const told: string[] = [];
  for (const seq of newestFirst.slice(0, versionsToldMax)) {
    told.push(shortVersion((await readEntryOfLog(store, dataset, seq)).version));
  }
  const more = seqs.length > told.length ? `, and ${seqs.length - told.length} older ones` : "";
  throw new LeatError("VERSION_UNKNOWN", {
    message:
      first === undefined
        ? `The dataset ${dataset} has no version "${named}".`
        : `Several versions of the dataset ${dataset} begin with "${named}".`,
    hint: `Known versions, the newest first: ${told.join(", ")}${more}. Or say latest, previous, or a number from ${seqs[0]} to ${seqs.at(-1)}.`,
    details: { dataset, known: told },
  });
}

/**
 * The Parquet files of a version on this machine's disk, each with the checksum that its manifest says.
 *
 * @throws LeatError `VERSION_UNKNOWN` when the version was collected; `PART_MISSING`, `PART_CORRUPT`.
 */
export async function bringParts(
  store: ObjectStore,
  entry: DatasetManifest,
  folder: string,
): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const part of entry.parts) {
    const local = store.localPath(part.key);
    const isHere = local !== undefined && existsSync(local);
    const path = isHere ? local : join(folder, `part-${randomBytes(6).toString("hex")}.parquet`);
    const bytes = isHere ? createReadStream(local) : await store.readStream(part.key);
    if (bytes === undefined) throw await partGone(store, entry, part);
    const sha256 = await copy(bytes as AsyncIterable<Uint8Array>, isHere ? undefined : path); // Without an encoding: Buffers.
    if (sha256 !== part.sha256) {
      throw new LeatError("PART_CORRUPT", {
        message: `The file ${part.key} has SHA-256 ${sha256}; its manifest says ${part.sha256}.`,
        hint: "Restore it from a backup, or publish anew: delete the entry named, then run `leat build`.",
        details: { key: part.key, dataset: entry.dataset, seq: entry.seq },
      });
    }
    paths.push(path);
  }
  return paths;
}

/** Reads bytes to their end, into a file where one is named; their SHA-256. */
async function copy(bytes: AsyncIterable<Uint8Array>, path: string | undefined): Promise<string> {
  const hash = createHash("sha256");
  if (path === undefined) {
    for await (const chunk of bytes) hash.update(chunk);
  } else {
    const hashed = async function* () {
      for await (const chunk of bytes) {
        hash.update(chunk);
        yield chunk;
      }
    };
    await pipeline(Readable.from(hashed()), createWriteStream(path));
  }
  return hash.digest("hex");
}

async function partGone(store: ObjectStore, entry: DatasetManifest, part: DatasetPart): Promise<LeatError> {
  const details = { dataset: entry.dataset, version: entry.version, key: part.key };
  if ((await listCollected(store, entry.dataset)).has(entry.seq)) {
    return new LeatError("VERSION_UNKNOWN", {
      message: `Version ${shortVersion(entry.version)} of the dataset ${entry.dataset} was collected: its files are deleted.`,
      hint: "Use a newer version, or raise `keepVersions` for the future.",
      details,
    });
  }
  return new LeatError("PART_MISSING", {
    message: `The file ${part.key} of the dataset ${entry.dataset} is not in ${store.url}.`,
    details,
  });
}

/** A version's files as the engine compares them. */
export async function openVersion(
  store: ObjectStore,
  entry: DatasetManifest,
  folder: string,
): Promise<VersionFiles> {
  const { columns, key } = entry.schema;
  return { paths: await bringParts(store, entry, folder), columns, key };
}
