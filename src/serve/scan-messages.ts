/** What the server and its counting thread say to each other. */
import type { CodeMask, CountedFacet } from "./count-facets.ts";
import type { PackMessage } from "./pack-thread.ts";

/** Facets of some rows of a version. */
export type ScanJob = Readonly<{
  id: string;
  masks: readonly CodeMask[];
  columns: readonly string[];
  limit: number;
}>;

export type ScanMessage = Readonly<
  | PackMessage
  | { do: "count"; job: number; asked: ScanJob }
  /** Nobody wants it any more; it is answered all the same. */
  | { do: "end"; job: number }
>;

export type ScanReply = Readonly<
  { job: number; facets: readonly CountedFacet[] } | { job: number; error: string }
>;
