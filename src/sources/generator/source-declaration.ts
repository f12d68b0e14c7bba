/** What a person writes to read a system in TypeScript: `defineSource({ name, streams })`. */
import type { ParameterFormat } from "../../model/cursor.ts";
import type { Tenant } from "../../ports/source.ts";
import type { Secrets } from "../../ports/world.ts";
import type { SourceTenantsOption } from "../stream-declaration/source-tenants.ts";
import type { CursorOptions, StreamOptions } from "../stream-declaration/stream-options.ts";

/**
 * A source whose pages come from code of your own: where no declaration describes the API, or there is none.
 *
 * @example
 * defineSource({
 *   name: "weather",
 *   streams: {
 *     readings: {
 *       primaryKey: ["station", "at"],
 *       cursor: { field: "at", initial: "2024-01-01", start: { inclusive: true } },
 *       pages: async function* ({ tenant, start, signal }) {
 *         for await (const readings of stations.readSince(String(tenant.fields.station), start, signal)) yield readings;
 *       },
 *     },
 *   },
 * });
 */
export type SourceDeclaration = SourceTenantsOption &
  Readonly<{
    /** The source's name: the schema of its views and the first part of `source.stream`. */
    name: string;
    /** How far the system's clock and ours may differ, where `sawTime` is called. Default 5 minutes. */
    clockToleranceMs?: number;
    streams: Readonly<Record<string, GeneratorStreamDeclaration>>;
  }>;

/**
 * A page: an array of records, or JSON as text or bytes, whose records are where `records` says.
 *
 * Records are written as JSON writes them, but that a bigint becomes the number it is. NaN and Infinity, which JSON has
 * not, fail: they would turn into null unseen.
 */
export type GeneratedPage = readonly object[] | string | Uint8Array;

/** What `pages` is given. */
export type PagesContext = Readonly<{
  tenant: Tenant;
  /** First cursor value wanted, written as `cursor.start.format` says; `undefined`: from the beginning. */
  start: string | undefined;
  /** End of the range, written as `cursor.end.format` says; `undefined`: no end. */
  end: string | undefined;
  /** The partition's value; `undefined`: the stream has none. */
  partition: string | undefined;
  /** Aborted when the run is to stop; hand it to whatever waits. */
  signal: AbortSignal;
  /** Resolves `env:NAME` and `file:PATH`. */
  secrets: Secrets;
  /**
   * Tells what the system's own clock said, before the page that it came with. Without it nothing newer than our clock
   * less the tolerance counts, and quiet ranges are asked for again.
   */
  sawTime: (time: Date) => void;
}>;

/** One stream of a source in TypeScript. */
export type GeneratorStreamDeclaration = StreamOptions &
  Readonly<{
    /** Yields pages in order. Called once for each range; whatever it throws fails the run, and nothing is committed. */
    pages: (context: PagesContext) => AsyncIterable<GeneratedPage>;
    /** Where the records are in pages of text or bytes. Default: the page is an array of them. See `rest`. */
    records?: string;
    /** How far the stream has been read. Default none: every run reads everything. */
    cursor?: CursorOptions &
      Readonly<{
        /**
         * Declared when `pages` heeds `start`. `inclusive`: whether a record equal to it is yielded; default false, the
         * guess that loses nothing.
         * @example {}
         */
        start?: Readonly<{ format?: ParameterFormat; inclusive?: boolean }>;
        /** Declared when `pages` heeds `end`. */
        end?: Readonly<{ format?: ParameterFormat }>;
      }>;
    /** Whether pages come in ascending order of the cursor, because you ask the system for it. Default false. */
    isSorted?: boolean;
  }>;
