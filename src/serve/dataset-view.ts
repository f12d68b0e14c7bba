/** One version of a dataset, ready to be asked: what a request reads once and holds until it is answered. */
import assert from "node:assert/strict";
import type { DatasetManifest, PublishedColumn } from "../model/dataset-manifest.ts";
import { BakedExports } from "./baked-exports.ts";
import type { Pack } from "./pack.ts";
import type { PackedColumn } from "./packed-column.ts";
import { unknownName } from "./problem.ts";

/** Hexadecimal digits of a version in addresses and cursors: 64 bits, more than any dataset will have versions. */
export const shortVersionLength = 16;

/** A column as requests see it. */
export type ViewColumn = Readonly<{ name: string; published: PublishedColumn; packed: PackedColumn }>;

export class DatasetView {
  readonly dataset: string;
  readonly manifest: DatasetManifest;
  /** What the engine calls it. */
  readonly id: string;
  /** Beginning of its version, for addresses. */
  readonly short: string;
  readonly pack: Pack;
  readonly columns: readonly ViewColumn[];
  readonly names: readonly string[];
  /** A folder of its own: checked copies of its parts, and what was made of them. */
  readonly folder: string;
  /** The parts in it, in order. */
  readonly partPaths: readonly string[];
  readonly exports: BakedExports;
  /** Whether the pack holds the first rows alone, while the rest is being loaded. */
  readonly isHead: boolean;
  readonly #byName: ReadonlyMap<string, ViewColumn>;
  #holders = 0;
  #isDropped = false;
  #free: () => void = () => {};

  constructor(facts: {
    id: string;
    manifest: DatasetManifest;
    pack: Pack;
    folder: string;
    partPaths: readonly string[];
    isHead?: boolean;
  }) {
    const { manifest, pack } = facts;
    this.dataset = manifest.dataset;
    this.manifest = manifest;
    this.id = facts.id;
    this.short = manifest.version.slice(0, shortVersionLength);
    this.pack = pack;
    this.folder = facts.folder;
    this.partPaths = facts.partPaths;
    this.isHead = facts.isHead ?? false;
    this.columns = manifest.schema.columns.map((published) => {
      const packed = pack.column(published.name);
      assert(packed !== undefined, "a pack has the columns of its version");
      return { name: published.name, published, packed };
    });
    this.names = this.columns.map(({ name }) => name);
    this.#byName = new Map(this.columns.map((column) => [column.name, column]));
    this.exports = new BakedExports(this.folder, facts.partPaths);
  }

  find(name: string): ViewColumn | undefined {
    return this.#byName.get(name);
  }

  /** A column that a request names. */
  column(name: string, parameter: string): ViewColumn {
    const found = this.#byName.get(name);
    if (found === undefined)
      throw unknownName("unknown-column", `column of ${this.dataset}`, name, this.names, parameter);
    return found;
  }

  /** Whether it can still be asked: what is being dropped cannot. */
  get isOpen(): boolean {
    return !this.#isDropped;
  }

  /** Keeps the engine's copy and the files until the returned function is called. */
  hold(): () => void {
    assert(!this.#isDropped, "whoever holds a version has looked whether it is open");
    this.#holders++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders--;
      if (this.#isDropped && this.#holders === 0) this.#free();
    };
  }

  /** Resolves when nobody holds it any more; nobody may begin to. */
  async drop(): Promise<void> {
    this.#isDropped = true;
    if (this.#holders === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = resolve;
    await promise;
  }
}
