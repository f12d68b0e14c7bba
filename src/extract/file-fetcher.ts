/** One file of a run: asked for, landed, and tried again where its bytes broke off. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { fileKey, rawFileName } from "../landing/names.ts";
import { describePlace, type StreamPlace } from "../model/ids.ts";
import type { RawFileEntry } from "../model/manifest.ts";
import type { FetchedFile, FoundFile, KnownFile } from "../ports/source.ts";
import type { ExtractPorts, FilesJob } from "./extract-job.ts";
import type { ExtractRun } from "./extract-run.ts";
import { type LandedBytes, landFile } from "./file-lander.ts";
import type { FileState } from "./files-state.ts";
import { endingOf, refuseName } from "./refuse-file.ts";

/** Times that a body is begun which breaks off; each request has been retried by its source already. */
const bodyTriesMax = 3;
/** Before a body is begun again; doubled once. */
const bodyWaitMs = 1000;
/** Refused files told one by one; `details` has them all. */
const refusedToldMax = 20;

/** What became of a file. `known`: nothing new. `file` lacks its place in the package until it is taken in order. */
export type Handled =
  | Readonly<{ status: "known"; file: FileState; receivedBytes: number }>
  | Readonly<{ status: "landed"; file: FileState; entry: RawFileEntry; receivedBytes: number }>
  | Readonly<{
      status: "refused";
      id: string;
      name: string;
      error: LeatError;
      /** The source could not be asked or said no again and again; else it is the file that is wrong. */
      isOfSource: boolean;
    }>;

/** Fetches the files of a run. */
export class FileFetcher {
  readonly #ports: ExtractPorts;
  readonly #job: FilesJob;
  readonly #run: ExtractRun;
  readonly #signal: AbortSignal;
  #number = 0;

  constructor(ports: ExtractPorts, job: FilesJob, run: ExtractRun, signal: AbortSignal) {
    this.#ports = ports;
    this.#job = job;
    this.#run = run;
    this.#signal = signal;
  }

  /**
   * Fetches one file and lands its bytes under the seq that the run intends now.
   *
   * @returns also what is wrong with the file alone.
   * @throws what stops the whole run: its signal, the store, a missing secret, a limit that stays exceeded.
   */
  async fetch(found: FoundFile, known: FileState | undefined): Promise<Handled> {
    try {
      const reason = refuseName(found.name);
      if (reason !== undefined) throw new LeatError("FILE_REFUSED", { message: reason });
      return await this.#fetch(found, known);
    } catch (error) {
      if (!(error instanceof LeatError) || !isOfFile(error)) throw error;
      const { id, name } = found;
      const isOfSource =
        error.code === "SOURCE_AUTH_FAILED" || (error.retryable && error.code !== "FILE_REFUSED");
      return { status: "refused", id, name, error, isOfSource };
    }
  }

  async #fetch(found: FoundFile, known: FileState | undefined): Promise<Handled> {
    const { reader } = this.#job;
    for (let tries = 1; ; tries++) {
      const fetched = await reader.fetch(found, toKnownFile(known), this.#signal);
      if (fetched.status === "unchanged" && known !== undefined) {
        // Without a body nobody says again what a file is called whose address does not.
        const name = endingOf(found.name) === "" ? known.name : found.name;
        const file = { ...known, name, fields: found.fields };
        return { status: "known", file, receivedBytes: 0 };
      }
      if (fetched.status === "unchanged") {
        throw new LeatError("SOURCE_FAILED", {
          message: "it is said to be unchanged, and was never fetched",
        });
      }
      try {
        return await this.#land(found, known, fetched);
      } catch (error) {
        if (!isLeatError(error) || !error.retryable || !isOfFile(error) || tries >= bodyTriesMax) throw error;
        await this.#ports.clock.sleep(bodyWaitMs * tries, this.#signal);
      }
    }
  }

  async #land(
    found: FoundFile,
    known: FileState | undefined,
    fetched: FetchedFile & { status: "fetched" },
  ): Promise<Handled> {
    const name = fetched.name ?? found.name;
    const fetchedAt = new Date(this.#ports.clock.nowMs()).toISOString();
    const { seq, runId, place } = this.#run;
    const key = fileKey(place, { area: "landing", seq, runId, name: rawFileName(++this.#number, name) });
    const landed: LandedBytes = await landFile(this.#ports.store, key, fetched, {
      name,
      bytesMax: this.#job.reader.limits.fileBytesMax,
      knownSha256: known?.isForgotten === false ? known.sha256 : undefined,
    });
    const { etag, lastModified } = fetched;
    const now = { name, fields: found.fields, validators: { etag, lastModified }, isForgotten: false };
    if (landed.kind === "known" && known !== undefined) {
      return { status: "known", file: { ...known, ...now }, receivedBytes: landed.bytes };
    }
    if (landed.kind === "known") throw new Error("bytes are known of a file that is not");
    const { entry } = landed;
    const file: FileState = {
      id: found.id,
      ...now,
      address: fetched.address,
      sha256: entry.sha256,
      bytes: entry.bytes,
      crc32c: entry.crc32c,
      objectKey: entry.key,
      seq,
      row: 0,
      version: (known?.version ?? 0) + 1,
      fetchedAt,
      lastModified: toInstant(fetched.modifiedMs),
      contentType: fetched.contentType,
    };
    return { status: "landed", file, entry, receivedBytes: entry.bytes };
  }
}

function toKnownFile(known: FileState | undefined): KnownFile | undefined {
  if (known === undefined || known.isForgotten) return undefined;
  return { bytes: known.bytes, ...known.validators };
}

const toInstant = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

/** Whether an error is about one file, so that the others are still fetched. */
const isOfFile = (error: LeatError): boolean =>
  error.code === "FILE_REFUSED" || (error.code.startsWith("SOURCE_") && error.code !== "SOURCE_RATE_LIMITED");

/** The error of a run that landed what it could: every refused file with its reason. */
export function refusedFiles(
  place: StreamPlace,
  refused: readonly (Handled & { status: "refused" })[],
  landed: number,
): LeatError {
  const told = refused.slice(0, refusedToldMax).map(({ id, error }) => `\n  ${id}: ${error.message}`);
  const more = refused.length - told.length;
  const count = refused.length === 1 ? "1 file was" : `${refused.length} files were`;
  return new LeatError("FILE_REFUSED", {
    message: `${describePlace(place)}: ${count} refused, ${landed} new landed.${told.join("")}${more > 0 ? `\n  and ${more} more` : ""}`,
    retryable: refused.every(({ error }) => error.retryable),
    details: {
      landed,
      refused: refused.map(({ id, name, error }) => ({ id, name, code: error.code, reason: error.message })),
    },
  });
}
