/** What a partner's data do during a schedule: records appear, change, move and vanish, at its own pace. */
import assert from "node:assert/strict";
import {
  type CursorValue,
  earliestUs,
  formatTimestamp,
  parseCursor,
  roundDown,
  zoneOffsetMs,
} from "../../src/model/cursor.ts";
import {
  createScriptedPartner,
  type PartnerRecord,
  type ScriptedPartner,
  type SeededRandom,
} from "../../src/testing/index.ts";
import type { Scenario } from "./scenario.ts";

/** A partner for one tenant, and what the script knows of it. */
export type ScriptedTenant = Readonly<{
  id: string;
  partner: ScriptedPartner;
  /** Makes one change. */
  change(): void;
  /** Shows all that is waiting. */
  finish(): void;
  /** Whether every version of a key was stamped later than the one before. */
  isMonotone(id: string): boolean;
  /** The greatest value that was ever stamped, far ones aside. */
  greatestMs(): number;
}>;

/** A value so far ahead that no schedule reaches it. */
const farFutureMs = Date.UTC(9998, 0, 1);

/** Makes the partner of a tenant with its first records. */
export function createTenant(
  scenario: Scenario,
  id: string,
  trueNowMs: () => number,
  random: SeededRandom,
): ScriptedTenant {
  const { habits, spec, partitions } = scenario;
  const partner = createScriptedPartner(() => trueNowMs() + scenario.partnerSkewMs);
  const zone = spec.cursor?.zone ?? "UTC";
  const busyUntilMs = new Map<string, number>();
  const lastCursor = new Map<string, CursorValue | undefined>();
  const unordered = new Set<string>();
  let version = 0;
  let stamped = 0;
  let greatestMs = scenario.startMs;
  let held: PartnerRecord[] = [];

  const stampMs = (): number => {
    const nowMs = partner.nowMs();
    if (random.chance(habits.future)) {
      return random.chance(0.2)
        ? farFutureMs
        : nowMs + random.between(1, 30) * Math.min(habits.gridMs, 3_600_000);
    }
    return nowMs + Math.round((random.fraction() * 2 - 1) * habits.skewMs);
  };

  /** A value and how the record's text has it. */
  const drawValue = (
    atMs: number | undefined,
  ): Readonly<{ cursor: CursorValue | undefined; json: string | undefined }> => {
    if (habits.style === "integer") {
      const value = BigInt(++stamped);
      return { cursor: value, json: `${value}` };
    }
    if (atMs === undefined && random.chance(habits.missing)) {
      return { cursor: undefined, json: random.pick([undefined, "null", '"soon"', '""']) };
    }
    if (atMs === undefined && random.chance(habits.never)) {
      return { cursor: earliestUs, json: '"0001-01-01T00:00:00Z"' };
    }
    const us = BigInt(atMs ?? stampMs()) * 1000n;
    const cursor = habits.style === "date" ? roundDown(us, "date", zone) : us - (((us % grid) + grid) % grid);
    const json = writeValue(cursor, habits.style, zone);
    if (spec.cursor !== undefined) {
      assert.equal(parseCursor(json.replaceAll('"', ""), spec.cursor.format, zone), cursor, json);
    }
    const valueMs = Number(cursor / 1000n);
    if (valueMs < farFutureMs - 86_400_000 * 2) greatestMs = Math.max(greatestMs, valueMs);
    return { cursor, json };
  };
  const grid = BigInt(habits.gridMs) * 1000n;

  const makeRecord = (name: string, atMs: number | undefined): PartnerRecord => {
    const { cursor, json } = drawValue(atMs);
    const partition = partitions[Number(name.slice(1)) % partitions.length] ?? "";
    const at = json === undefined ? "" : `,"at":${json}`;
    version++;
    if (random.chance(habits.broken)) {
      // A key twice: no row can hold it, and its bytes belong into quarantine.
      lastCursor.set(name, undefined);
      unordered.add(name);
      return { id: name, partition, cursor, text: `{"broken":${version},"broken":"${id}"${at}}` };
    }
    if (!habits.hasKeys) {
      // Few kinds of events, so that two are often equal to the letter.
      const text = `{"event":"${random.pick(["open", "shut"])}","of":"${id}${partition}"${at}}`;
      return { id: `${name}#${String(version).padStart(5, "0")}`, partition, cursor, text };
    }
    const before = lastCursor.get(name);
    if (lastCursor.has(name) && (cursor === undefined || before === undefined || cursor < before))
      unordered.add(name);
    lastCursor.set(name, cursor);
    return { id: name, partition, cursor, text: `{"id":"${name}","v":${version},"of":"${id}"${at}}` };
  };

  const release = (record: PartnerRecord): void => {
    const lag = spec.cursor?.lag ?? 0n;
    const value = record.cursor ?? 0n;
    const late = held.filter((other) => (other.cursor ?? 0n) < value - lag);
    held = held.filter((other) => other !== record && !late.includes(other));
    for (const other of late) partner.show(other);
    partner.show(record);
  };

  const change = (): void => {
    const nowMs = partner.nowMs();
    const name = `k${random.below(habits.keyCount)}`;
    if (habits.style === "integer") {
      if (!held.some((record) => record.id === name)) held.push(makeRecord(name, undefined));
      for (let count = random.below(3); count > 0 && held.length > 0; count--) release(random.pick(held));
      return;
    }
    if (habits.hasKeys) {
      if ((busyUntilMs.get(name) ?? 0) > nowMs) return;
      if (random.chance(habits.removals)) {
        partner.remove(name);
        return;
      }
    }
    const visibleAtMs = nowMs + random.below(habits.delayMs + 1);
    busyUntilMs.set(name, visibleAtMs);
    partner.show(makeRecord(name, undefined), visibleAtMs);
  };

  for (let count = 0; count < habits.initialCount; count++) {
    const backMs = random.below(12 * Math.max(habits.gridMs, 1000));
    partner.show(makeRecord(`k${random.below(habits.keyCount)}`, partner.nowMs() - backMs));
  }
  return {
    id,
    partner,
    change,
    finish: () => {
      for (const record of held.toSorted((a, b) => Number((a.cursor ?? 0n) - (b.cursor ?? 0n))))
        partner.show(record);
      held = [];
      partner.showAll();
    },
    isMonotone: (name) => !unordered.has(name),
    greatestMs: () => greatestMs,
  };
}

function writeValue(us: CursorValue, style: string, zone: string): string {
  const text = (shiftMs: number): string => {
    const iso = formatTimestamp(us + BigInt(shiftMs) * 1000n);
    return iso.endsWith(".000000Z") ? iso.slice(0, 19) : iso.slice(0, -1);
  };
  const zoneMs = zoneOffsetMs(Number(us / 1000n), zone);
  switch (style) {
    case "iso-z":
      return `"${text(0)}Z"`;
    case "iso-offset":
      return `"${text(2 * 3_600_000)}+02:00"`;
    case "iso-naive":
      return `"${text(zoneMs)}"`;
    case "date":
      return `"${text(zoneMs).slice(0, 10)}"`;
    case "epoch-s":
      return `${us / 1_000_000n}`;
    default:
      return `${us / 1000n}`;
  }
}
