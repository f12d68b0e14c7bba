/** Results that took work, kept while they are asked for, and made once however many ask at the same time. */

type Entry = Readonly<{ value: unknown; bytes: number }>;
type Work = { promise: Promise<unknown>; waiting: number; controller: AbortController };

/** Counts against the bound beside a value's own bytes: key, entry, what holds them. */
const entryBytes = 500;
/** Share of the cache that one value may take. */
const valueShareMax = 0.25;

/** A cache bounded in bytes; what was not asked for longest goes first. */
export class ResultCache {
  readonly #bytesMax: number;
  /** In the order of use, oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #works = new Map<string, Work>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get<Value>(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value as Value; // A key is used for one kind of value.
  }

  set(key: string, value: unknown, bytes: number): void {
    const size = bytes + key.length + entryBytes;
    this.#remove(key);
    if (size > this.#bytesMax * valueShareMax) return;
    this.#entries.set(key, { value, bytes: size });
    this.#bytes += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  /**
   * The value, or what `make` makes. Those who ask meanwhile wait for the same work, which is stopped when all of them
   * have gone.
   *
   * @param sizeOf - bytes of a value in memory.
   */
  async find<Value>(
    key: string,
    signal: AbortSignal,
    make: (signal: AbortSignal) => Promise<Value>,
    sizeOf: (value: Value) => number,
  ): Promise<Value> {
    const known = this.get<Value>(key);
    if (known !== undefined) return known;
    const work = this.#works.get(key) ?? this.#begin(key, make, sizeOf);
    work.waiting++;
    const leave = (): void => {
      work.waiting--;
      if (work.waiting > 0) return;
      if (this.#works.get(key) === work) this.#works.delete(key); // Whoever comes next begins anew.
      work.controller.abort();
    };
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    try {
      return (await work.promise) as Value; // Likewise.
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  #begin<Value>(
    key: string,
    make: (signal: AbortSignal) => Promise<Value>,
    sizeOf: (value: Value) => number,
  ): Work {
    const controller = new AbortController();
    const promise = make(controller.signal).then((value) => {
      this.set(key, value, sizeOf(value));
      return value;
    });
    const work: Work = { promise, waiting: 0, controller };
    this.#works.set(key, work);
    const end = (): void => {
      if (this.#works.get(key) === work) this.#works.delete(key);
    };
    promise.then(end, end);
    return work;
  }
}
