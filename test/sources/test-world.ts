/** A world for sources under test: nothing of it is real but what a test asks for. */
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LeatError } from "../../src/errors/leat-error.ts";
import { newRunId, toTenantId } from "../../src/model/ids.ts";
import type { JsonValue } from "../../src/model/json-value.ts";
import type { SourceWorld, Tenant } from "../../src/ports/source.ts";
import type { Clock, ProgressEvent } from "../../src/ports/world.ts";
import { openFsStore } from "../../src/stores/fs/open-fs-store.ts";

export const realClock: Clock = {
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal });
  },
};

/** A clock that moves only when somebody sleeps; remembers how long each did. */
export class FakeClock implements Clock {
  readonly sleptMs: number[] = [];
  #nowMs: number;

  constructor(nowMs: number = Date.parse("2024-01-01T00:00:00Z")) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.sleptMs.push(ms);
    this.#nowMs += ms;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }
}

export type TestWorld = SourceWorld & { events: ProgressEvent[]; asked: string[] };

/** @param secrets - what references resolve to. @param fraction - what chance says, each time. */
export function testWorld(
  options: { clock?: Clock; secrets?: Readonly<Record<string, string>>; fraction?: number } = {},
): TestWorld {
  const events: ProgressEvent[] = [];
  const asked: string[] = [];
  return {
    clock: options.clock ?? new FakeClock(),
    random: { newRunId, fraction: () => options.fraction ?? 0.5 },
    secrets: {
      resolve: async (reference) => {
        asked.push(reference);
        const value = options.secrets?.[reference];
        if (value !== undefined) return value;
        throw new LeatError("SECRET_MISSING", { message: `No secret ${reference}.` });
      },
    },
    places: {
      resolvePath: (path) => resolve(path),
      openStore: async (url) => openFsStore(resolve(url.slice(5))),
    },
    progress: (event) => events.push(event),
    events,
    asked,
  };
}

export const testTenant = (fields: Readonly<Record<string, JsonValue>> = {}, id = "414"): Tenant => ({
  id: toTenantId(id),
  fields,
});
