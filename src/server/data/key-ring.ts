/** The API keys that a server knows: read when it starts, looked at again every few seconds, asked at every request. */
import type { ObjectStore } from "../../ports/object-store.ts";
import { type ApiKey, hasSecret, type KnownKey, listKeys, splitKey } from "./api-keys.ts";

/** How often keys are read again, ms: so long a revoked one may still work. */
export const keyRefreshMs = 10_000;

/** What a presented key is. */
export type KeyVerdict = Readonly<{ key: ApiKey } | { problem: string }>;

/** A server's keys. */
export class KeyRing {
  readonly #store: ObjectStore;
  readonly #tell: (error: unknown) => void;
  #keys: ReadonlyMap<string, KnownKey> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | undefined;

  /** @param tell - is told when keys cannot be read; those known before stay valid. */
  constructor(store: ObjectStore, tell: (error: unknown) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  /** Reads the keys, and again from time to time. */
  async open(): Promise<void> {
    this.#keys = await listKeys(this.#store);
    this.#timer = setInterval(() => void this.refresh(), keyRefreshMs);
    this.#timer.unref();
  }

  /** Reads what has changed. Never throws; several calls at once are one. */
  async refresh(): Promise<void> {
    this.#refreshing ??= listKeys(this.#store, this.#keys)
      .then(
        (keys) => {
          this.#keys = keys;
        },
        (error: unknown) => this.#tell(error),
      )
      .finally(() => {
        this.#refreshing = undefined;
      });
    await this.#refreshing;
  }

  /** Whether a key that was presented is valid. */
  judge(presented: string, nowMs: number): KeyVerdict {
    const parts = splitKey(presented);
    const known = parts === undefined ? undefined : this.#keys.get(parts.id);
    // One sentence for both: whether an id exists is nobody's business.
    if (parts === undefined || known === undefined || !hasSecret(known.key, parts.secret))
      return { problem: "No key like this is known. A new one takes some seconds to be." };
    const { key, revokedAt } = known;
    if (revokedAt !== undefined) return { problem: `The key ${key.id} was revoked.` };
    if (key.expiresAt !== null && Date.parse(key.expiresAt) <= nowMs)
      return { problem: `The key ${key.id} has expired at ${key.expiresAt}.` };
    return { key };
  }

  get count(): number {
    return this.#keys.size;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
