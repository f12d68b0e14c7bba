/** Files that a listing in JSON names. */
import { LeatError } from "../../errors/leat-error.ts";
import { isJsonObject, type JsonValue, readJsonPath } from "../../model/json-value.ts";
import type { FetchedFile, FileLimits, FileReader, FoundFile, KnownFile } from "../../ports/source.ts";
import { expectRecords } from "../http/answer-check.ts";
import { findLink } from "../http/link-header.ts";
import type { Template } from "../http/template.ts";
import { chooseFile, type FileChoice, subjectOfAddress } from "./file-choice.ts";
import { nameOfAddress } from "./file-name.ts";
import type { WebClient, WholeAnswer } from "./web-client.ts";

/** A declared listing, compiled. */
export type ListingPlan = Readonly<{
  kind: "listing";
  url: Template;
  /** `undefined`: the answer itself. */
  records: string | undefined;
  address: string;
  id: string | undefined;
  name: string | undefined;
  modified: string | undefined;
  etag: string | undefined;
  fields: Readonly<Record<string, string>>;
  next: "link" | Readonly<{ path: string }> | undefined;
  pagesMax: number;
}>;

/** Largest answer: a listing of a hundred thousand files. */
const listingBytesMax = 64 * 1024 * 1024;

/** A file as the listing has it. */
type Listed = Readonly<{
  address: string;
  /** What the listing says of its version; `undefined`: nothing, so that its own address is asked. */
  validators: Readonly<{ etag: string | undefined; lastModified: string | undefined }> | undefined;
}>;

export class ListingReader implements FileReader {
  readonly limits: FileLimits;
  readonly #client: WebClient;
  readonly #listing: ListingPlan;
  readonly #choice: FileChoice;
  readonly #listed = new Map<string, Listed>();

  constructor(client: WebClient, listing: ListingPlan, choice: FileChoice, limits: FileLimits) {
    this.#client = client;
    this.#listing = listing;
    this.#choice = choice;
    this.limits = limits;
  }

  get requestCount(): number {
    return this.#client.requestCount;
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async *find(signal: AbortSignal): AsyncGenerator<FoundFile> {
    const { pagesMax } = this.#listing;
    const seen = new Set<string>();
    let next: string | undefined = await this.#client.start(this.#listing.url);
    let recordCount = 0;
    while (next !== undefined) {
      if (seen.size === pagesMax || seen.has(next)) throw this.#endless(seen.has(next));
      seen.add(next);
      const page = await this.#client.fetchWhole(
        next,
        "application/json",
        { ...expectRecords("json", []), redirects: "anywhere" },
        listingBytesMax,
        signal,
      );
      const answer = parse(page);
      const records = this.#recordsOf(answer, page);
      recordCount += records.length;
      yield* this.#filesOf(records, page);
      next = this.#nextOf(answer, page);
    }
    if (recordCount > 0 && this.#listed.size === 0) {
      this.#client.warn(
        `the listing has ${recordCount} records, and none of them fits ${this.#choice.shown}`,
      );
    }
    if (recordCount === 0) this.#client.warn("the listing is empty");
  }

  async fetch(file: FoundFile, known: KnownFile | undefined, signal: AbortSignal): Promise<FetchedFile> {
    const listed = this.#listed.get(file.id);
    const { address, validators } = listed ?? { address: file.id, validators: undefined };
    if (validators === undefined) return this.#client.fetchFile(address, file.name, known, signal);
    if (known !== undefined && isSame(known, validators)) return { status: "unchanged" };
    const fetched = await this.#client.fetchFile(address, file.name, undefined, signal);
    if (fetched.status === "unchanged") return fetched;
    return { ...fetched, ...validators, modifiedMs: toMs(validators.lastModified) ?? fetched.modifiedMs };
  }

  #recordsOf(answer: JsonValue, page: WholeAnswer): readonly JsonValue[] {
    const { records } = this.#listing;
    const found = records === undefined ? answer : readJsonPath(answer, records);
    if (Array.isArray(found)) return found as readonly JsonValue[]; // An array of JSON holds JSON.
    const keys = isJsonObject(answer) ? Object.keys(answer).slice(0, keysShownMax) : [];
    throw new LeatError("SOURCE_SHAPE_CHANGED", {
      message: `${page.at}: there is no array of records at ${records === undefined ? "the root" : `"${records}"`} of the listing.`,
      hint: `Compare \`listing.records\` with the answer, which has ${keys.join(", ") || "no members"}.`,
      details: { at: page.at, records, keys },
    });
  }

  /** A file for each record that names one which is meant. */
  #filesOf(records: readonly JsonValue[], page: WholeAnswer): readonly FoundFile[] {
    const addresses = records.map((record) => readJsonPath(record, this.#listing.address));
    const [first] = records;
    if (records.length > 0 && addresses.every((address) => address === undefined)) {
      const keys = isJsonObject(first) ? Object.keys(first).slice(0, keysShownMax) : [];
      throw new LeatError("SOURCE_SHAPE_CHANGED", {
        message: `${page.at}: no record of the listing has "${this.#listing.address}".`,
        hint: `Compare \`listing.address\` with its records, which have ${keys.join(", ") || "no members"}.`,
        details: { at: page.at, address: this.#listing.address, keys },
      });
    }
    return records.flatMap((record, index) => this.#toFile(record, addresses[index], page) ?? []);
  }

  #toFile(record: JsonValue, text: JsonValue | undefined, page: WholeAnswer): FoundFile | undefined {
    if (typeof text !== "string" || text === "" || !URL.canParse(text, page.address)) return undefined;
    const address = new URL(text, page.address);
    address.hash = "";
    if (address.protocol !== "http:" && address.protocol !== "https:") return undefined;
    const { id, name, modified, etag, fields } = this.#listing;
    const chosen = chooseFile(this.#choice, subjectOfAddress(address, this.#client.secrets));
    if (chosen === undefined) return undefined;
    const said = Object.entries(fields).map(([field, path]) => [field, scalar(record, path) ?? ""] as const);
    const found: FoundFile = {
      id: (id === undefined ? undefined : scalar(record, id)) ?? this.#client.redact(address.href),
      name: (name === undefined ? undefined : scalar(record, name)) ?? nameOfAddress(address),
      fields: { ...Object.fromEntries(said), ...chosen },
    };
    const validators = {
      etag: etag === undefined ? undefined : scalar(record, etag),
      lastModified: modified === undefined ? undefined : scalar(record, modified),
    };
    const isSaid = validators.etag !== undefined || validators.lastModified !== undefined;
    if (!this.#listed.has(found.id))
      this.#listed.set(found.id, { address: address.href, validators: isSaid ? validators : undefined });
    return found;
  }

  #nextOf(answer: JsonValue, page: WholeAnswer): string | undefined {
    const { next } = this.#listing;
    if (next === undefined) return undefined;
    const link = next === "link" ? findLink(page.headers["link"], "next") : scalar(answer, next.path);
    if (link === undefined || link === "") return undefined;
    if (URL.canParse(link, page.address)) return new URL(link, page.address).href;
    throw new LeatError("SOURCE_SHAPE_CHANGED", {
      message: `${page.at}: the next page of the listing is at ${JSON.stringify(link)}, which is no address.`,
      details: { at: page.at },
    });
  }

  #endless(isRepeated: boolean): LeatError {
    const { pagesMax } = this.#listing;
    return new LeatError("PAGES_ENDLESS", {
      message: isRepeated
        ? "A page of the listing leads back to one before; no file was fetched."
        : `The listing has more than ${pagesMax} pages; no file was fetched.`,
      hint: isRepeated ? "Compare `listing.next` with its answers." : "Raise `listing.pagesMax`.",
      details: { option: "listing.pagesMax", pagesMax },
    });
  }
}

/** Keys of an answer shown when it is not as declared. */
const keysShownMax = 20;

const isSame = (known: KnownFile, listed: NonNullable<Listed["validators"]>): boolean =>
  known.etag === listed.etag && known.lastModified === listed.lastModified;

function parse(page: WholeAnswer): JsonValue {
  try {
    return JSON.parse(Buffer.from(page.bytes).toString("utf8")) as JsonValue; // JSON.parse gives nothing else.
  } catch (cause) {
    throw new LeatError("SOURCE_NOT_JSON", {
      message: `${page.at}: the listing is not JSON.`,
      details: { at: page.at },
      cause,
    });
  }
}

/** Text or number at a path, as text. */
function scalar(value: JsonValue, path: string): string | undefined {
  const found = readJsonPath(value, path);
  return typeof found === "string" || typeof found === "number" ? String(found) : undefined;
}

/** Ten digits or fewer are seconds, as Unix counts; more are milliseconds. */
function toMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * (text.length > 11 ? 1 : 1000) : Date.parse(text);
  return Number.isFinite(ms) && Math.abs(ms) <= latestMs ? ms : undefined;
}

/** Last instant that a date can hold. */
const latestMs = 8_640_000_000_000_000;
