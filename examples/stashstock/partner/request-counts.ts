/** What the partner was asked and what it answered, counted per tenant and endpoint. */

export type RequestCount = Readonly<{
  tenant: string;
  endpoint: string;
  /** All requests that carried this tenant's key. */
  requests: number;
  /** Complete answers with status 200, and the plants in them. */
  answered: number;
  plants: number;
  /** Answers with another status. */
  refused: number;
  /** Answers that died in the middle, and requests that were never answered. */
  broken: number;
}>;

export type CountedField = "requests" | "answered" | "plants" | "refused" | "broken";

/** Which counts to add up; default all. */
export type CountFilter = Readonly<{ tenant?: string; endpoint?: string }>;

/** Counts of several tenants and endpoints together. */
export type CountTotal = Omit<RequestCount, "tenant" | "endpoint">;

export interface RequestCounts {
  add(tenant: string, endpoint: string, field: CountedField, amount?: number): void;
  list(): readonly RequestCount[];
  /** The sum of the counts that fit. */
  total(filter?: CountFilter): CountTotal;
  /** Resolves as soon as the sum of all counts is as wanted. */
  reach(isReached: (total: CountTotal) => boolean): Promise<void>;
}

/** Begins at zero. */
export function openRequestCounts(): RequestCounts {
  const counts = new Map<string, { -readonly [K in keyof RequestCount]: RequestCount[K] }>();
  const waiting = new Set<() => void>();

  function total(filter: CountFilter = {}): CountTotal {
    const sum = { requests: 0, answered: 0, plants: 0, refused: 0, broken: 0 };
    for (const count of counts.values()) {
      if ((filter.tenant ?? count.tenant) !== count.tenant) continue;
      if ((filter.endpoint ?? count.endpoint) !== count.endpoint) continue;
      sum.requests += count.requests;
      sum.answered += count.answered;
      sum.plants += count.plants;
      sum.refused += count.refused;
      sum.broken += count.broken;
    }
    return sum;
  }

  return {
    add(tenant, endpoint, field, amount = 1) {
      const key = `${tenant}/${endpoint}`;
      let count = counts.get(key);
      if (count === undefined) {
        count = { tenant, endpoint, requests: 0, answered: 0, plants: 0, refused: 0, broken: 0 };
        counts.set(key, count);
      }
      count[field] += amount;
      for (const look of waiting) look();
    },
    list: () => [...counts.values()].map((count) => ({ ...count })),
    total,
    reach(isReached) {
      return new Promise((resolve) => {
        const look = () => {
          if (!isReached(total())) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
  };
}
