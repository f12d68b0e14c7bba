/** Keys of everything in the landing, in one place (PROTOCOL: names and objects). Prefixes end in `/`. */
import type { RunId, StreamPlace } from "../model/ids.ts";
import type { Compression } from "../model/manifest.ts";
import { encodeName } from "../model/path-name.ts";

const placePath = (place: StreamPlace) =>
  `${encodeName(place.source)}/${encodeName(place.stream)}/tenant=${encodeName(place.tenant)}/`;

/** Width of a seq in keys: listings by name are listings by number, for a million packages a day over 2,000 years. */
const seqDigits = 12;
const printSeq = (seq: number) => String(seq).padStart(seqDigits, "0");

/** `log/<source>/<stream>/`: where the tenants' logs of a stream are. */
export const streamLogPrefix = (source: string, stream: string): string =>
  `log/${encodeName(source)}/${encodeName(stream)}/`;
/** `log/<source>/<stream>/tenant=<t>/`. */
export const logPrefix = (place: StreamPlace): string => `log/${placePath(place)}`;
export const manifestKey = (place: StreamPlace, seq: number): string =>
  `${logPrefix(place)}${printSeq(seq)}.json`;
export const headKey = (place: StreamPlace): string => `${logPrefix(place)}head`;

/** `landing/<source>/<stream>/tenant=<t>/`. */
export const landingPrefix = (place: StreamPlace): string => `landing/${placePath(place)}`;
/** `quarantine/<source>/<stream>/tenant=<t>/`. */
export const quarantinePrefix = (place: StreamPlace): string => `quarantine/${placePath(place)}`;

/** What a run writes under its intended seq; belongs to nobody until a manifest names it. */
export function fileKey(
  place: StreamPlace,
  file: { area: "landing" | "quarantine"; seq: number; runId: RunId; name: string },
): string {
  const prefix = file.area === "landing" ? landingPrefix(place) : quarantinePrefix(place);
  return `${prefix}seq=${printSeq(file.seq)}/run=${file.runId}/${file.name}`;
}

const endings: Readonly<Record<Compression, string>> = { none: "", zstd: ".zst", gzip: ".gz" };

/** `part-00001.ndjson.zst`; numbers count from 1 and are never used twice in a run. */
export const partName = (number: number, compression: Compression): string =>
  `part-${String(number).padStart(5, "0")}.ndjson${endings[compression]}`;

/** Endings that a raw file keeps in its key, for people who look into the landing. */
const keptEnding = /\.([A-Za-z0-9]{1,10})$/;

/** `file-00001.xls`, after what people call the file; numbers count from 1 and are never used twice in a run. */
export const rawFileName = (number: number, name: string): string => {
  const ending = keptEnding.exec(name)?.[1]?.toLowerCase();
  return `file-${String(number).padStart(5, "0")}${ending === undefined ? "" : `.${ending}`}`;
};

/** The compression that a part's name tells. */
export function compressionOf(key: string): Compression {
  if (key.endsWith(".zst")) return "zstd";
  return key.endsWith(".gz") ? "gzip" : "none";
}

/** The intended seq that a key under `landing/` or `quarantine/` was written for; `undefined`: not such a key. */
export function intendedSeq(key: string): number | undefined {
  const match = /\/seq=(\d+)\/run=/.exec(key);
  return match === null ? undefined : Number(match[1]);
}

/** The seq of a manifest's key; `undefined` for the head hint and strangers. */
export function manifestSeq(key: string): number | undefined {
  const match = /\/(\d{12})\.json$/.exec(key);
  return match === null ? undefined : Number(match[1]);
}
