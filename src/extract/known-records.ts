/**
 * Which records were landed before, as far as one range can tell (PROTOCOL I5): the boundary as of its start, and over
 * it what the range itself has landed. The overlay is merged into the boundary when the range is complete.
 */
import type { CursorValue } from "../model/cursor.ts";
import { Boundary } from "./boundary.ts";

/** Own entries beyond which those below the running `next` are thrown out: a table that stays in a processor's cache. */
const overlaySizeMax = 8192;

/** What is known of a record: new (or of an unknown key), landed by an earlier run, by this one, or restated. */
export type Known = "new" | "skipped" | "repeated" | "restated";

export class KnownRecords {
  readonly #base: Boundary;
  readonly #partition: number;
  readonly #isByArrival: boolean;
  #overlay = new Boundary();
  #overlayAfterTrim = 0;
  /** Below it nothing of this run needs to be remembered; `undefined`: everything must be. */
  floor: CursorValue | undefined;

  constructor(base: Boundary, partition: number, isByArrival: boolean) {
    this.#base = base;
    this.#partition = partition;
    this.#isByArrival = isByArrival;
  }

  /** What this range has landed. */
  get overlay(): Boundary {
    return this.#overlay;
  }

  /**
   * Whether a record below the floor need not be looked up at all: nothing is known of before, and nobody will ask for
   * it again. Where arrival decides what is current (I20), an older value that arrives later is the newest of its key
   * all the same.
   */
  get mayForget(): boolean {
    return this.#base.size === 0 && (!this.#isByArrival || this.#overlay.size === 0);
  }

  /** Whether nothing at all is known yet, so that a record at or above the floor is new unless it comes twice. */
  get isEmpty(): boolean {
    return this.#base.size === 0 && this.#overlay.size === 0 && !this.#isByArrival;
  }

  /** Looks a record with a key up, and remembers it as the newest of its key. `readContent` is its hash, when needed. */
  lookUpKey(key: Buffer, readContent: () => Buffer, value: CursorValue | undefined): Known {
    const known = this.#overlay.get(key) ?? this.#base.get(key);
    if (known === undefined && isBelow(value, this.floor)) return "new";
    const content = readContent();
    if (known !== undefined && content.equals(known.content)) {
      // It lay above T0 when it was landed. Without its value the entry would never be trimmed.
      if (known.cursor === undefined && value !== undefined)
        this.#overlay.set(key, { ...known, cursor: value });
      return known.isOwn ? "repeated" : "skipped";
    }
    this.#overlay.set(key, { content, cursor: value, partition: this.#partition, count: 1, isOwn: true });
    return known !== undefined && value !== undefined && known.cursor === value ? "restated" : "new";
  }

  /** Looks a record without a key up: the first as many as were landed before are known, so that twins survive. */
  lookUpContent(content: Buffer, value: CursorValue | undefined): Known {
    const known = this.#base.get(content);
    const count = (this.#overlay.get(content)?.count ?? 0) + 1;
    if (!isBelow(value, this.floor) || known !== undefined) {
      this.#overlay.set(content, { content, cursor: value, partition: this.#partition, count, isOwn: true });
    }
    if (known === undefined || count > known.count) return "new";
    return known.isOwn ? "repeated" : "skipped";
  }

  /** Looks a quarantined record up: one that was put there before is not put there again. */
  lookUpQuarantined(key: Buffer, content: Buffer): Known {
    const known = this.#overlay.get(key) ?? this.#base.get(key);
    if (known !== undefined) return known.isOwn ? "repeated" : "skipped";
    this.#overlay.set(key, { content, cursor: undefined, partition: this.#partition, count: 1, isOwn: true });
    return "new";
  }

  /** Throws own entries out that the next run will not see again, once there are many. */
  trim(): void {
    const { floor } = this;
    if (floor === undefined || this.#overlay.size < this.#overlayAfterTrim * 2 + overlaySizeMax) return;
    // What the base knows too is kept: the older entry must not take its place again.
    this.#overlay = this.#overlay.filter(
      (entry, key) =>
        entry.cursor === undefined || entry.cursor >= floor || this.#base.get(key) !== undefined,
    );
    this.#overlayAfterTrim = this.#overlay.size;
  }
}

const isBelow = (value: CursorValue | undefined, floor: CursorValue | undefined): boolean =>
  value !== undefined && floor !== undefined && value < floor;

/** Adds what a range has landed to a boundary: the newest bytes of a key, the greatest count of a content. */
export function mergeInto(base: Boundary, overlay: Boundary, isKeyed: boolean): void {
  for (const [key, entry] of overlay) {
    const known = isKeyed ? undefined : base.get(key);
    const isMore = known === undefined || entry.count > known.count;
    base.set(key, isMore ? entry : { ...known, cursor: entry.cursor ?? known.cursor });
  }
}
