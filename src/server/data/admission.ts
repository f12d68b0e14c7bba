/** Who may ask, and how much: keys, rates and quotas, decided before a request is looked at. */
import type { ApiAnswer } from "../../serve/api-answer.ts";
import type { ApiKey } from "./api-keys.ts";
import { addressGroup, isLoopback } from "./client-address.ts";
import type { KeyRing } from "./key-ring.ts";
import type { KeyUsage } from "./key-usage.ts";
import { refuse } from "./refusal.ts";
import { type RequestRate, TokenBuckets } from "./token-buckets.ts";

/** How requests are let in. */
export type AdmissionRules = Readonly<{
  /** `none`: keys are not looked at. `optional`: a key has its own rate. `required`: nothing without one. */
  keys: "none" | "optional" | "required";
  /** What one address may ask without a key; `undefined`: as much as it likes. */
  addressRate: RequestRate | undefined;
  /** What one key may ask, unless its own terms say otherwise. */
  keyRate: RequestRate | undefined;
}>;

/** What is needed to know of a key and its use; there where keys are looked at. */
export type KeyBook = Readonly<{ ring: KeyRing; usage: KeyUsage }>;

/** A request as admission sees it. */
export type Applicant = Readonly<{
  address: string;
  authorization: string | undefined;
  apiKey: string | undefined;
}>;

/** `keyId`: whose request it is, for the log. */
export type Admission = Readonly<{ refusal: ApiAnswer | undefined; keyId: string | undefined }>;

const welcome: Admission = { refusal: undefined, keyId: undefined };
const challenge = ["www-authenticate", 'Bearer realm="leat"'] as const;

export class Admissions {
  readonly #rules: AdmissionRules;
  readonly #book: KeyBook | undefined;
  readonly #addresses = new TokenBuckets();
  readonly #keys = new TokenBuckets();

  constructor(rules: AdmissionRules, book: KeyBook | undefined) {
    this.#rules = rules;
    this.#book = book;
  }

  /** Whether everybody may ask as much as they like, so that nothing is to be decided. */
  get isOpen(): boolean {
    return this.#book === undefined && this.#rules.addressRate === undefined;
  }

  /** Decides about one request. `nowMs`: the wall clock, for expiry and rates. */
  decide({ address, authorization, apiKey }: Applicant, nowMs: number): Admission {
    const { keys } = this.#rules;
    if (this.#book === undefined || keys === "none") return this.#admitAddress(address, nowMs);
    const presented = apiKey ?? readBearer(authorization);
    if (presented !== undefined) return this.#admitKey(this.#book, presented, address, nowMs);
    if (keys === "optional") return this.#admitAddress(address, nowMs);
    // Counted like a request that is answered: asking without a key must not be cheaper.
    const limited = this.#admitAddress(address, nowMs);
    if (limited.refusal !== undefined) return limited;
    const detail = "Send your key as `Authorization: Bearer <key>` or as `X-API-Key: <key>`.";
    return { refusal: refuse("key-missing", detail, { headers: challenge }), keyId: undefined };
  }

  /**
   * A request without a key. This machine's own addresses are not counted: there sits whoever tries the server out, or a
   * proxy that nobody has declared, and then everybody would be counted as one.
   */
  #admitAddress(address: string, nowMs: number): Admission {
    const { addressRate } = this.#rules;
    if (addressRate === undefined || isLoopback(address)) return welcome;
    const seconds = this.#addresses.take(addressGroup(address), addressRate, nowMs);
    return seconds === undefined ? welcome : limited(addressRate, seconds, "an address", undefined);
  }

  #admitKey(book: KeyBook, presented: string, address: string, nowMs: number): Admission {
    const verdict = book.ring.judge(presented, nowMs);
    if ("problem" in verdict) {
      // Guessing keys is bounded like asking without one.
      const limited = this.#admitAddress(address, nowMs);
      if (limited.refusal !== undefined) return limited;
      return { refusal: refuse("key-invalid", verdict.problem, { headers: challenge }), keyId: undefined };
    }
    const { key } = verdict;
    const rate = key.rate ?? this.#rules.keyRate;
    const seconds = rate === undefined ? undefined : this.#keys.take(key.id, rate, nowMs);
    if (rate !== undefined && seconds !== undefined) return limited(rate, seconds, "this key", key.id);
    return this.#countUse(book, key, nowMs);
  }

  #countUse({ usage }: KeyBook, { id, requestsPerDay }: ApiKey, nowMs: number): Admission {
    if (requestsPerDay === null || usage.add(id) <= requestsPerDay) return { refusal: undefined, keyId: id };
    const dayMs = 24 * 3600 * 1000;
    const retryAfterSeconds = Math.ceil((dayMs - (nowMs % dayMs)) / 1000);
    const detail = `The key ${id} may make ${requestsPerDay} requests a day (UTC).`;
    return { refusal: refuse("quota-used-up", detail, { retryAfterSeconds }), keyId: id };
  }
}

function limited(
  { perSecond, burst }: RequestRate,
  retryAfterSeconds: number,
  whose: string,
  keyId: string | undefined,
): Admission {
  const detail = `${perSecond} requests a second may come from ${whose}, ${burst} at once.`;
  return { refusal: refuse("rate-limited", detail, { retryAfterSeconds }), keyId };
}

function readBearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const [scheme = "", token, ...rest] = authorization.trim().split(/ +/);
  return scheme.toLowerCase() === "bearer" && rest.length === 0 ? token : authorization;
}
