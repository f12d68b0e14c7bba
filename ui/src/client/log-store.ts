/**
 * The lines of one log, of which only those near the ones in sight are kept: the server says where each thousand begins,
 * and stretches come when they are looked at. New lines are put at the end as they happen.
 */
import type { Line } from "../api/types.gen.ts";

/** How the log is laid out, as the API tells it. */
export type LogLayout = Readonly<{
  count: number;
  every: number;
  last: number | null;
  marks: readonly number[];
}>;

/** Reads a stretch: lines after this id, so many at most. */
export type ReadStretch = (afterId: number, limit: number) => Promise<readonly Line[]>;

/** Stretches that are kept: 60,000 lines, some 30 MB. */
const keptMax = 60;

/** Stretches under way at once. */
const underWayMax = 4;

export class LogStore {
  readonly #read: ReadStretch;
  readonly #every: number;
  readonly #marks: number[];
  readonly #stretches = new Map<number, Line[]>();
  readonly #underWay = new Set<number>();
  readonly #listeners = new Set<() => void>();
  #count: number;
  #lastId: number;
  #wanted = 0;
  #version = 0;
  #failure: unknown;

  constructor(layout: LogLayout, read: ReadStretch) {
    this.#read = read;
    this.#every = layout.every;
    this.#marks = [...layout.marks];
    this.#count = layout.count;
    this.#lastId = layout.last ?? 0;
  }

  /** Lines there are, loaded or not. */
  get count(): number {
    return this.#count;
  }

  /** Id of the last line; 0: there is none. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Why a stretch could not be read. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Another number after each change. */
  get version(): number {
    return this.#version;
  }

  /** Stretches that are held now. */
  get kept(): number {
    return this.#stretches.size;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The line at a place, from 0; `undefined`: it has not come yet. */
  line(place: number): Line | undefined {
    return this.#stretches.get(Math.floor(place / this.#every))?.[place % this.#every];
  }

  /** Says which lines are in sight; what is missing of them is read. */
  want(from: number, to: number): void {
    this.#wanted = Math.floor((from + to) / 2 / this.#every);
    const last = Math.floor(Math.max(0, Math.min(to, this.#count - 1)) / this.#every);
    for (let at = Math.floor(Math.max(0, from) / this.#every); at <= last; at++) void this.#load(at);
  }

  async #load(at: number): Promise<void> {
    const mark = this.#marks[at];
    if (mark === undefined || this.#stretches.has(at) || this.#underWay.has(at)) return;
    if (this.#underWay.size >= underWayMax) return; // Whoever scrolls on asks again.
    this.#underWay.add(at);
    try {
      const lines = await this.#read(mark - 1, this.#every);
      this.#failure = undefined;
      this.#stretches.set(at, [...lines]);
      if (at === this.#marks.length - 1) this.#grow(at * this.#every + lines.length, lines.at(-1)?.id);
      this.#forget();
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#underWay.delete(at);
      this.#tell();
    }
  }

  /** Reads again what could not be read. */
  retry(): void {
    this.#failure = undefined;
    void this.#load(this.#wanted);
    this.#tell();
  }

  /** Puts new lines at the end; those that are there already are left out. */
  append(lines: readonly Line[]): void {
    const fresh = lines.filter(({ id }) => id > this.#lastId);
    if (fresh.length === 0) return;
    for (const line of fresh) {
      const at = Math.floor(this.#count / this.#every);
      const place = this.#count % this.#every;
      if (place === 0) {
        this.#marks.push(line.id);
        this.#stretches.set(at, [line]);
      } else if (this.#stretches.get(at)?.length === place) this.#stretches.get(at)?.push(line);
      // A last stretch that nobody has looked at is read whole when somebody does.
      this.#count += 1;
      this.#lastId = line.id;
    }
    this.#forget();
    this.#tell();
  }

  #grow(count: number, lastId: number | undefined): void {
    if (count <= this.#count) return;
    this.#count = count;
    this.#lastId = Math.max(this.#lastId, lastId ?? 0);
  }

  /** Drops the stretches that are farthest from what is looked at; the last one stays, for what comes. */
  #forget(): void {
    while (this.#stretches.size > keptMax) {
      const last = this.#marks.length - 1;
      const [farthest] = [...this.#stretches.keys()]
        .filter((at) => at !== last)
        .sort((one, other) => Math.abs(other - this.#wanted) - Math.abs(one - this.#wanted));
      if (farthest === undefined) return;
      this.#stretches.delete(farthest);
    }
  }

  #tell(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}
