/**
 * Groups the awaits that a process passes into moments: those between which it neither began nor heard the end of any
 * operation of the system. A death at any one of a moment's awaits leaves the same world, so that one of them is enough.
 *
 * Synchronous calls of the file system are no operations to the observer; leat's stages make none between two awaits but
 * when they make a new database file, where every passing is a moment of its own (`apart`).
 */
import { createHook } from "node:async_hooks";
import { writeFileSync } from "node:fs";
import type { Phase } from "./instrument-awaits.ts";

/** One passing of an await: `site|phase|n`, as kill-hook.ts takes it. */
export type Passing = string;

/** What begins and ends without anything happening outside of this process. */
const inside: ReadonlySet<string> = new Set([
  "PROMISE",
  "TickObject",
  "Microtask",
  "Timeout",
  "Immediate",
  "AsyncGenerator",
  "ZLIB",
]);

/** Files whose synchronous calls change something. */
const apart = /make-database\.ts/;

/** From now on, and until the process ends; then the moments are written to `path`, in their order. */
export function recordMoments(path: string): void {
  let operations = 0;
  let seen = -1;
  const types = new Map<number, string>();
  createHook({
    init(id, type) {
      if (inside.has(type)) return;
      types.set(id, type);
      operations += 1;
    },
    before(id) {
      if (types.has(id)) operations += 1;
    },
    destroy(id) {
      types.delete(id);
    },
  }).enable();
  const moments: Passing[][] = [];
  const counts = new Map<string, number>();
  const note = (site: string, phase: Phase): void => {
    const key = `${site}|${phase}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (operations !== seen || apart.test(site)) moments.push([]);
    seen = operations;
    moments.at(-1)!.push(`${key}|${count}`);
  };
  Object.assign(globalThis, {
    __leatSite: note,
    __leatPass: (site: string, phase: Phase, value: unknown) => {
      note(site, phase);
      return value;
    },
  });
  process.on("exit", () => writeFileSync(path, JSON.stringify(moments)));
}
