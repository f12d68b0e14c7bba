/** What a person writes to read files: `files({ name, streams })`. */
import type { StreamBounds } from "../../model/stream.ts";
import type { AccessDeclaration } from "../http/access-declaration.ts";
import type { SourceTenantsOption } from "../stream-declaration/source-tenants.ts";
import type { StreamOptions } from "../stream-declaration/stream-options.ts";
import type { FilePattern } from "./file-pattern.ts";

/**
 * Files that somebody publishes: on a web page, behind a listing in JSON, in a folder, in a bucket.
 *
 * A stream has a record for each version of each file: its name, the fields parsed out of its address, when and how it
 * was fetched, its SHA-256, and where its bytes are in the landing. A file that has not changed is not fetched again
 * where the publisher says so, and never landed again; one that has changed under its name is a new version beside the
 * old one.
 *
 * Addresses may hold `{tenant.<field>}`; headers and credentials also `{env:NAME}` and `{file:PATH}`.
 *
 * @example
 * files({
 *   name: "ons",
 *   userAgent: "data-team@example.org",
 *   streams: {
 *     workbooks: {
 *       page: "https://www.ons.gov.uk/datasets/monthlyfiguresondeaths",
 *       match: "{year}/*.xls*",
 *     },
 *   },
 * });
 */
export type FilesDeclaration = AccessDeclaration &
  SourceTenantsOption &
  Readonly<{
    /** The source's name: the schema of its views and the first part of `source.stream`. */
    name: string;
    /**
     * Who asks and where they can be reached; leat and its version follow it. Default: these alone.
     * @example "data-team@example.org"
     */
    userAgent?: string;
    /**
     * Other origins that `auth` and `headers` are sent to, beside that of the page or listing. Default none: files
     * elsewhere are fetched without them.
     * @example ["https://files.example.org"]
     */
    allowedOrigins?: readonly string[];
    streams: Readonly<Record<string, FileStreamDeclaration>>;
  }>;

/** Where files are found: exactly one of the four. */
export type FilePlaceDeclaration = Readonly<{
  /** A web page whose links lead to them. A page that makes its links by scripts has none for us: look for its listing. */
  page?: string | PageDeclaration;
  /** An address that answers with JSON naming them. */
  listing?: ListingDeclaration;
  /**
   * A folder of this machine, with all folders in it; a relative path begins at the project's folder. Hidden files, and
   * lock files of open documents (`~$…`), are left out.
   * @example "incoming/{tenant.id}"
   */
  folder?: string | URL;
  /** A prefix in an object store: `file:PATH` in this version. */
  bucket?: string;
}>;

/** One stream of files. */
export type FileStreamDeclaration = FilePlaceDeclaration &
  Pick<StreamOptions, "landingTable" | "materialize"> &
  Readonly<{
    /**
     * Which files are meant. A glob: `*` within a name, `**` over folders, `?`, `[a-z]`, `{xls,csv}`; `{year}` (four
     * digits) and `{anyName}` become fields of the record. For a page or listing it is held against the address's path,
     * alone and with its query, and may begin at any folder; for a folder or bucket against the path from there. Or a
     * regular expression, held against the whole address or path, whose named groups become fields. Several: the first
     * that fits. Default: all; a page needs it.
     * @example "{year}.xls*"
     * @example "/file?uri=*{year}.{xls,xlsx}"
     * @example /deaths-(?<year>\d{4})-(?<month>\d\d)\.xlsx?$/
     */
    match?: FilePattern | readonly FilePattern[];
    /** Files that are not meant although they match. */
    exclude?: FilePattern | readonly FilePattern[];
    /** Files fetched at once. Default 1: publishers' servers are small. Bounded by `rateLimit.concurrency` where that is declared. */
    concurrency?: number;
    /** Largest file, bytes; a larger one is refused by name. Default 1 GiB. */
    fileBytesMax?: number;
    /** Most files that one run may find; more are an error. Default 100,000. */
    filesMax?: number;
    /** `checkpointBytes`: landed bytes after which files are committed. `runMsMax`: longest run. */
    bounds?: Partial<Pick<StreamBounds, "checkpointBytes" | "runMsMax">>;
  }>;

/** A page and those that belong to it. */
export type PageDeclaration = Readonly<{
  /** Its address, or a function that finds it; called once a run. */
  url: string | (() => string | Promise<string>);
  /**
   * What names a file from run to run. `address` (default): all of its address. `path`: without scheme, host and
   * port, for publishers that move between hosts.
   */
  id?: "address" | "path";
  /**
   * Links to further pages of the same origin, such as "next" or a page a year; read like the first. Default none.
   * @example "/datasets/deaths/{year}"
   */
  follow?: FilePattern | readonly FilePattern[];
  /** Most pages that are read; more are an error. Default 50. */
  pagesMax?: number;
  /**
   * What a link says. A name: the text becomes the field of that name. A regular expression: only links whose text fits
   * are meant, and its named groups become fields.
   * @example "title"
   * @example /Deaths registered in (?<year>\d{4})/
   */
  text?: string | RegExp;
}>;

/** An address that answers with JSON. Paths are dotted. */
export type ListingDeclaration = Readonly<{
  url: string;
  /** Where the array of records is. Default: the answer itself. @example "result.resources" */
  records?: string;
  /** Where a record has the file's address; relative ones begin at the listing's. A record without one is no file. */
  address: string;
  /** Where a record has what names the file, where addresses change. Default: the address. */
  id?: string;
  /** Where a record has the file's name. Default: the last part of the address. */
  name?: string;
  /** Where a record says when the file was changed: a file is not fetched again while it stays as it is. */
  modified?: string;
  /** Where a record has a version, digest or ETag of the file: likewise. */
  etag?: string;
  /** Further fields: name to path. @example { period: "temporal_coverage" } */
  fields?: Readonly<Record<string, string>>;
  /** How the next page is found: by the `Link` header, or by a path to its address. Default: there is one page. */
  next?: "link" | Readonly<{ path: string }>;
  /** Most pages that are read; more are an error. Default 100. */
  pagesMax?: number;
}>;
