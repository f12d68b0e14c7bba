/**
 * A partner's data, as a script changes them: what is visible when. How they are asked for is `scripted-reader.ts`.
 *
 * The partner has one clock. A change names the instant from which it is visible, so that a script can show records
 * later than their cursor value says, which is what real systems do.
 */
import type { CursorValue } from "../model/cursor.ts";

/** One version of one record. */
export type PartnerRecord = Readonly<{
  /** What tells the record from others at the partner; a record of a stream without a key has one too, unseen. */
  id: string;
  /** Which list it is in; `""` where the stream has no partitions. */
  partition: string;
  /** The value by which the partner selects and sorts; `undefined`: the field is missing or unreadable. */
  cursor: CursorValue | undefined;
  /** The record as answered: one JSON object. */
  text: string;
}>;

/** A partner whose data a test changes. */
export interface ScriptedPartner {
  /** The partner's own clock, ms since the epoch. */
  nowMs(): number;
  /** Shows a record, in place of an older version of the same id, from `visibleAtMs` on (default: now). */
  show(record: PartnerRecord, visibleAtMs?: number): void;
  /** Takes a record away, now. */
  remove(id: string): void;
  /** What an answer could hold now, in the order in which records were first shown. */
  visible(): readonly PartnerRecord[];
  /** Shows everything that is waiting for its instant. */
  showAll(): void;
}

/** Makes a partner without data whose clock is `nowMs`. */
export function createScriptedPartner(nowMs: () => number): ScriptedPartner {
  const shown = new Map<string, PartnerRecord>();
  let waiting: { record: PartnerRecord; atMs: number }[] = [];
  const settle = (untilMs: number): void => {
    if (!waiting.some(({ atMs }) => atMs <= untilMs)) return;
    // In the order of their instants; equal ones in the order of the script.
    const due = waiting.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
    waiting = waiting.filter(({ atMs }) => atMs > untilMs);
    for (const { record } of due) shown.set(record.id, record);
  };
  return {
    nowMs,
    show(record, visibleAtMs = nowMs()) {
      waiting.push({ record, atMs: visibleAtMs });
      settle(nowMs());
    },
    remove(id) {
      settle(nowMs());
      shown.delete(id);
      waiting = waiting.filter(({ record }) => record.id !== id);
    },
    visible() {
      settle(nowMs());
      return [...shown.values()];
    },
    showAll: () => settle(Number.POSITIVE_INFINITY),
  };
}
