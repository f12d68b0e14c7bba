/** Counts while they grow; see `ExtractCounts` for what must add up (PROTOCOL I10). */
import type { ExtractCounts } from "../model/manifest.ts";

export type MutableCounts = { -readonly [Name in keyof ExtractCounts]: number };

export const zeroCounts = (): MutableCounts => ({
  received: 0,
  landed: 0,
  boundarySkipped: 0,
  repeated: 0,
  quarantined: 0,
  restated: 0,
  unusableCursor: 0,
});
