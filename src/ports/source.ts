/** Port: a system that is read. Adapters are under `sources/`. A source never writes anything. */
import type { CursorValue } from "../model/cursor.ts";
import type { TenantId } from "../model/ids.ts";
import type { JsonValue } from "../model/json-value.ts";
import type { RecordSelector } from "../model/record-selector.ts";
import type { SourceTenants } from "../model/source-tenants.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { Clock, Places, Progress, Random, Secrets } from "./world.ts";

/** A tenant as `tenants.json` has it: the id, and whatever else its sources need. Values may be secret references. */
export type Tenant = Readonly<{ id: TenantId; fields: Readonly<Record<string, JsonValue>> }>;

/** What a source may touch of the world. */
export type SourceWorld = Readonly<{
  clock: Clock;
  random: Random;
  secrets: Secrets;
  progress: Progress;
  places: Places;
}>;

/** One range of one partition, as it will be sent: rounded, half-open or not as the stream's `range` says. */
export type RangeRequest = Readonly<{
  /** First value that must be in the answer, already one step lower where the parameter is exclusive. */
  start: CursorValue | undefined;
  end: CursorValue | undefined;
  /** The partition's value, for templates (`{partition}`); `undefined`: the stream has none. */
  partition: string | undefined;
}>;

/** The source's own clock, from an answer's `Date` header. */
export type SourceClock = Readonly<{
  /** The header, ms since the epoch. */
  dateMs: number;
  /** From sending the request to that header, ms. */
  requestMs: number;
}>;

/** One answer. Its bytes are read at most once, in order, before the next page is asked for. */
export type Page = Readonly<{
  body: AsyncIterable<Uint8Array>;
  selector: RecordSelector;
  /** Method, address without secrets, number of the page: for messages and quarantine. */
  at: string;
  /** `undefined`: the source named no time. */
  clock: SourceClock | undefined;
  /**
   * Set where the page was asked for so as to begin with a record that came before (I16 `overlap`): how many records
   * it steps back. 0 or `undefined`: it does not.
   */
  overlap?: number | undefined;
  /** Whether the order of cursor values across pages was asked for by leat in this request (I6). */
  isSorted?: boolean | undefined;
}>;

/** What the reader of a page found; the source decides from it what comes next. */
export type PageSummary = Readonly<{
  recordCount: number;
  /** The document with every array of records replaced by `[]`; `undefined` for JSON Lines. */
  envelope: JsonValue | undefined;
  /** The last record as it came (UTF-8 JSON); `undefined`: none. */
  lastRecord: Uint8Array | undefined;
  /** The page did not begin with its predecessor's last record: step back further (I16). */
  isMismatch: boolean;
}>;

/**
 * Reads ranges of one stream for one tenant.
 *
 * `read` yields pages; the consumer answers each `yield` with the {@link PageSummary} by `next(summary)`. The first
 * `next()` has no summary. Ends when the partner says that there is no more. Retries, rate limits, credentials and
 * truncated small answers are dealt with inside; an answer that streams and breaks off throws `SOURCE_TRUNCATED`.
 * For `stability: "settled"` the reader itself compares the totals and throws `SOURCE_UNSTABLE` (the caller retries).
 */
export interface StreamReader {
  /** Looks up what requests would need (secrets, the tenant's fields) and sends none; a reader without needs has none. */
  check?(): Promise<void>;
  read(request: RangeRequest, signal: AbortSignal): AsyncGenerator<Page, void, PageSummary>;
  /** Requests sent so far, retries included. */
  readonly requestCount: number;
  close(): Promise<void>;
}

/** What is known of the newest landed version of a file, for conditional requests. */
export type KnownFile = Readonly<{
  bytes: number;
  /** Validators as the source gave them; `undefined`: it gave none. */
  etag: string | undefined;
  lastModified: string | undefined;
}>;

/** A file that a source has, before it is fetched. */
export type FoundFile = Readonly<{
  /** What names it among the stream's files, whatever its version: address without secrets, or path. */
  id: string;
  /** Its last name, for people: `2018.xls`. */
  name: string;
  /** Parsed out of the address or given by the listing, e.g. `year`. */
  fields: Readonly<Record<string, string>>;
}>;

/** Upper bounds of one run over files, and how many are fetched at once. */
export type FileLimits = Readonly<{
  /** Files that may be found. */
  filesMax: number;
  /** Bytes of one file. */
  fileBytesMax: number;
  concurrency: number;
}>;

/** How the fetch of a file went. `unchanged`: the source says that the known version is the newest. */
export type FetchedFile =
  | Readonly<{ status: "unchanged" }>
  | Readonly<{
      status: "fetched";
      /** Read at most once, to its end or not at all. */
      body: AsyncIterable<Uint8Array>;
      /** Ends a body that is not read to its end. */
      discard: () => void;
      /** What the answer calls the file; `undefined`: nothing else than it was found by. */
      name: string | undefined;
      /** Where the bytes came from in the end, without secrets: a URL, or a path. */
      address: string;
      /** As announced; `undefined`: nothing was. */
      bytes: number | undefined;
      contentType: string | undefined;
      /** Validators for the next time. */
      etag: string | undefined;
      lastModified: string | undefined;
      /** When the publisher says that it was changed last, ms since the epoch. */
      modifiedMs: number | undefined;
    }>;

/**
 * Finds and fetches the files of one stream for one tenant. Politeness, retries and credentials are dealt with inside.
 * `fetch` takes what `find` of the same reader gave.
 *
 * @throws LeatError what a source throws; `SOURCE_TRUNCATED` from `body` where the file broke off.
 */
export interface FileReader {
  readonly limits: FileLimits;
  find(signal: AbortSignal): AsyncIterable<FoundFile>;
  fetch(file: FoundFile, known: KnownFile | undefined, signal: AbortSignal): Promise<FetchedFile>;
  /** Requests sent so far, retries included. */
  readonly requestCount: number;
  close(): Promise<void>;
}

/**
 * **source** a system we read: its streams, and how to open one for a tenant. Made by `rest(...)`, `files(...)` or
 * `defineSource(...)`.
 */
export interface Source {
  readonly name: string;
  readonly streams: readonly StreamSpec[];
  /** For whom it is read. Default `all`. Asked by `tenantsOf` alone. */
  readonly tenants?: SourceTenants | undefined;
  /** Opens a stream for a tenant. No request is sent before `read`. */
  open(stream: string, tenant: Tenant, world: SourceWorld): Promise<StreamReader>;
  /** Opens a stream of files instead; set where all streams of the source are such, and then `open` is never called. */
  openFiles?(stream: string, tenant: Tenant, world: SourceWorld): Promise<FileReader>;
  /** How many records the partner itself counts, where it can say so (`verify`); `undefined`: it cannot. */
  count?(
    stream: string,
    tenant: Tenant,
    world: SourceWorld,
    signal: AbortSignal,
  ): Promise<number | undefined>;
}
