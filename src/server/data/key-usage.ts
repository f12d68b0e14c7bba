/**
 * Requests that keys have made today, for their quotas. Each server counts its own and writes them down from time to time,
 * so that a restart forgets little; what others have written is added. A quota is therefore kept to within what is
 * asked between two writes, and not to the request.
 */
import { randomBytes } from "node:crypto";
import type { ObjectStore } from "../../ports/object-store.ts";

/** How often counts are written and those of others read, ms. */
const shareMs = 30_000;
/** Days after which counts are deleted. */
const daysKept = 8;
const usagePrefix = "api/usage/";

const dayOf = (nowMs: number): string => new Date(nowMs).toISOString().slice(0, 10);

/** Counts by key id. */
type Counts = Map<string, number>;

export class KeyUsage {
  readonly #store: ObjectStore;
  readonly #nowMs: () => number;
  readonly #tell: (error: unknown) => void;
  /** Names this server among those that share the store. */
  readonly #server = randomBytes(6).toString("hex");
  #day: string;
  #own: Counts = new Map();
  #others: Counts = new Map();
  #isChanged = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param tell - is told when counts cannot be written or read; they go on being counted. */
  constructor(store: ObjectStore, nowMs: () => number, tell: (error: unknown) => void) {
    this.#store = store;
    this.#nowMs = nowMs;
    this.#tell = tell;
    this.#day = dayOf(nowMs());
  }

  async open(): Promise<void> {
    await this.share();
    this.#timer = setInterval(() => void this.share(), shareMs);
    this.#timer.unref();
  }

  /** Counts a request; how many the key has made today, this one among them. */
  add(id: string): number {
    const day = dayOf(this.#nowMs());
    if (day !== this.#day) [this.#day, this.#own, this.#others] = [day, new Map(), new Map()];
    const own = (this.#own.get(id) ?? 0) + 1;
    this.#own.set(id, own);
    this.#isChanged = true;
    return own + (this.#others.get(id) ?? 0);
  }

  /** Writes our counts and reads those of others. Never throws. */
  async share(): Promise<void> {
    const day = this.#day;
    try {
      if (this.#isChanged) {
        this.#isChanged = false;
        const counts = Buffer.from(JSON.stringify(Object.fromEntries(this.#own)));
        await this.#store.put(`${usagePrefix}${day}/${this.#server}.json`, counts);
      }
      const others: Counts = new Map();
      const oldest = dayOf(this.#nowMs() - daysKept * 24 * 3600 * 1000);
      for await (const { key } of this.#store.list(usagePrefix)) {
        const [, of = "", server] = /^api\/usage\/([0-9-]{10})\/([0-9a-f]{12})\.json$/.exec(key) ?? [];
        if (of !== "" && of < oldest) await this.#store.delete(key);
        if (of === day && server !== this.#server) await this.#addOf(key, others);
      }
      if (day === this.#day) this.#others = others;
    } catch (error) {
      this.#tell(error);
    }
  }

  async #addOf(key: string, counts: Counts): Promise<void> {
    const bytes = await this.#store.read(key);
    const written: unknown = JSON.parse(Buffer.from(bytes ?? "{}").toString("utf8"));
    for (const [id, count] of Object.entries(written ?? {}))
      if (typeof count === "number") counts.set(id, (counts.get(id) ?? 0) + count);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#isChanged) await this.share();
  }
}
