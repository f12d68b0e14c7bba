/** What one can do with a simulated partner; `start-partner.ts` starts one. */
import type { Faults } from "./faults.ts";
import type { PlantFields } from "./plant.ts";
import type { Account, Change, ChangeRequest } from "./plant-book.ts";
import type { RequestCounts } from "./request-counts.ts";

export type PartnerOptions = Readonly<{
  seed: number;
  vendorKey: string;
  accounts: readonly Account[];
  /** Default 0: any free port. */
  port?: number;
  /** What time it is at the partner when it starts, ms since the epoch. Default: the real time. */
  nowMs?: number;
  /** Default 14 days. */
  historyMs?: number;
  /** Default 200. */
  plantsPerLicense?: number;
  /** Whether `/_partner/…` is answered, for a partner in a process of its own. Default no. */
  hasAdmin?: boolean;
}>;

/** One plant as the partner knows it now. */
export type TruePlant = Readonly<{ license: string; fields: PlantFields }>;

export interface Partner extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`; a state's API begins at `<url>/<state>/`. */
  readonly url: string;
  readonly faults: Faults;
  readonly counts: RequestCounts;
  /** The partner's clock, which the `Date` header shows. */
  nowMs(): number;
  /** Sets the partner's clock forward. */
  advance(ms: number): void;
  change(request: ChangeRequest): readonly Change[];
  /** How long until every change made so far is to be seen; 0: already. */
  msUntilSettled(): number;
  /** The newest version of each of a tenant's plants, by label, as the API shows it now. */
  truth(tenant: string): ReadonlyMap<string, TruePlant>;
  close(): Promise<void>;
}
