/**
 * The partner's book of plants: every licence's plants with their versions, and which of them can be seen when.
 *
 * A version has a `lastModified` and a moment from which the API shows it. The two differ for late commits. Of the
 * versions to be seen the API shows only the last: there is no history to ask for. A plant's `lastModified` never goes
 * back from one version to the next, but versions of different plants come to light in any order.
 */
import assert from "node:assert/strict";
import { type Draw, startDraws } from "./draw.ts";
import { neverModified, type PlantFields, sowPlant, tendPlant, toLastModified } from "./plant.ts";

/** A customer's account at the partner. */
export type Account = Readonly<{
  tenant: string;
  /** Two letters; the first part of every path. */
  state: string;
  licenses: readonly string[];
  userKey: string;
}>;

export type BookOptions = Readonly<{
  seed: number;
  accounts: readonly Account[];
  /** The book's history ends here, ms since the epoch… */
  nowMs: number;
  /** …and begins this long before. */
  historyMs: number;
  plantsPerLicense: number;
}>;

/** What `change` does to how many plants. */
export type ChangeRequest = Readonly<{
  count: number;
  /** Default: all tenants. */
  tenant?: string | undefined;
  /** New plants instead of new versions of known ones. */
  isNew?: boolean | undefined;
  /** The change is seen only this long after its `lastModified`. */
  lateMs?: number | undefined;
  /** The change carries a `lastModified` this long before now, and is seen at once. */
  backdateMs?: number | undefined;
}>;

/** A plant that was changed. */
export type Change = Readonly<{ tenant: string; license: string; label: string }>;

type Version = Readonly<{ fields: PlantFields; lastModifiedMs: number; visibleAtMs: number }>;
type Plant = { readonly license: string; readonly label: string; versions: Version[] };

/** A version as the API shows it. `lastModifiedMs` is what ranges select by, also where the field says "never". */
export type ShownPlant = Readonly<{ license: string; fields: PlantFields; lastModifiedMs: number }>;

export interface PlantBook {
  /** Tends or sows distinct plants, drawn from the seed. Fewer than asked for only when there are no more. */
  change(request: ChangeRequest, nowMs: number): readonly Change[];
  /** What the API can show of a licence, in the order of labels, which is not the order of modification. */
  show(license: string, nowMs: number): readonly ShownPlant[];
  /** When everything that was changed so far is to be seen, ms since the epoch. */
  settledAtMs(): number;
}

/** Writes a book full of plants. */
export function openPlantBook(options: BookOptions): PlantBook {
  const draw = startDraws(options.seed);
  const plants = new Map<string, Plant[]>();
  const tenantOf = new Map<string, string>();
  let sown = 0;
  let settledAtMs = options.nowMs;

  for (const account of options.accounts) {
    for (const license of account.licenses) {
      assert(!tenantOf.has(license), `license ${license} belongs to one account`);
      tenantOf.set(license, account.tenant);
      plants.set(license, []);
      for (let n = 0; n < options.plantsPerLicense; n++) sowGrown(license);
    }
  }

  function sow(
    license: string,
    fields: (id: bigint, label: string) => PlantFields,
    at: Omit<Version, "fields">,
  ) {
    sown++;
    // Every third id is beyond 2^53 and odd, so that a double cannot hold it.
    const id = sown % 3 === 0 ? 9_007_199_254_740_993n + 2n * BigInt(sown) : BigInt(10_000 + sown);
    const label = `1A4060300${sown.toString().padStart(15, "0")}`;
    const plant: Plant = { license, label, versions: [{ ...at, fields: fields(id, label) }] };
    plants.get(license)!.push(plant);
    return plant;
  }

  /** A plant somewhere in its life, last touched at a random second of the history; one of nine says "never". */
  function sowGrown(license: string) {
    const age = draw.below(Math.max(1, Math.floor(options.historyMs / 1000) - 3600)) + 3600;
    const lastModifiedMs = toSecond(options.nowMs) - age * 1000;
    sow(
      license,
      (id, label) => {
        let fields = sowPlant(draw, id, label, lastModifiedMs - 40 * 86_400_000);
        for (let turns = draw.below(5); turns > 0; turns--) fields = tendPlant(draw, fields, lastModifiedMs);
        const isNever = draw.below(9) === 0;
        return { ...fields, LastModified: isNever ? neverModified : toLastModified(lastModifiedMs) };
      },
      { lastModifiedMs, visibleAtMs: lastModifiedMs },
    );
  }

  function change(request: ChangeRequest, nowMs: number): readonly Change[] {
    const { count, tenant, isNew = false, lateMs = 0, backdateMs = 0 } = request;
    const licenses = [...plants.keys()].filter(
      (license) => tenant === undefined || tenantOf.get(license) === tenant,
    );
    assert(licenses.length > 0, `the book has no tenant ${tenant}`);
    const wantedAtMs = toSecond(nowMs - backdateMs);
    const visibleAtMs = nowMs + lateMs;
    settledAtMs = Math.max(settledAtMs, visibleAtMs);
    const changed: Plant[] = [];
    if (isNew) {
      for (let n = 0; n < count; n++) {
        const license = licenses[n % licenses.length]!;
        const fields = (id: bigint, label: string) => ({
          ...sowPlant(draw, id, label, wantedAtMs),
          LastModified: toLastModified(wantedAtMs),
        });
        changed.push(sow(license, fields, { lastModifiedMs: wantedAtMs, visibleAtMs }));
      }
    } else {
      for (const plant of drawDistinct(
        draw,
        licenses.flatMap((license) => plants.get(license)!),
        count,
      )) {
        const last = plant.versions.at(-1)!;
        const lastModifiedMs = Math.max(wantedAtMs, last.lastModifiedMs);
        const fields = tendPlant(draw, last.fields, lastModifiedMs);
        plant.versions.push({
          fields: { ...fields, LastModified: toLastModified(lastModifiedMs) },
          lastModifiedMs,
          visibleAtMs,
        });
        changed.push(plant);
      }
    }
    return changed.map(({ license, label }) => ({ tenant: tenantOf.get(license)!, license, label }));
  }

  function show(license: string, nowMs: number): readonly ShownPlant[] {
    const shown: ShownPlant[] = [];
    for (const plant of plants.get(license) ?? []) {
      const version = plant.versions.findLast((candidate) => candidate.visibleAtMs <= nowMs);
      if (version !== undefined) {
        shown.push({ license, fields: version.fields, lastModifiedMs: version.lastModifiedMs });
      }
    }
    return shown;
  }

  return { change, show, settledAtMs: () => settledAtMs };
}

/** The first `count` of a Fisher-Yates shuffle. */
function drawDistinct<T>(draw: Draw, from: readonly T[], count: number): readonly T[] {
  const pool = [...from];
  const drawn: T[] = [];
  while (drawn.length < count && pool.length > 0) {
    const at = draw.below(pool.length);
    drawn.push(pool[at]!);
    pool[at] = pool.at(-1)!;
    pool.pop();
  }
  return drawn;
}

const toSecond = (ms: number) => Math.floor(ms / 1000) * 1000;
