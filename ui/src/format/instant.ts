/** Instants as people read them: how long ago, and exactly, with the zone named. */
import { printDuration } from "./duration.ts";

/** Zone that people chose; `undefined`: the browser's. */
let zoneChosen: string | undefined;

export function chooseZone(zone: string | undefined): void {
  zoneChosen = zone;
}

export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

export const zoneShown = (): string => zoneChosen ?? browserZone();

/** `3 m ago`, `in 2 h`, `now`: the greatest unit alone. */
export function printAge(atMs: number, nowMs: number): string {
  const spanMs = Math.abs(nowMs - atMs);
  if (spanMs < 1000) return "now";
  const whole = Math.floor(spanMs / 1000) * 1000;
  const span = whole < 10_000 ? `${whole / 1000} s` : printDuration(whole).split(" ").slice(0, 2).join(" ");
  return nowMs > atMs ? `${span} ago` : `in ${span}`;
}

const formatOf = (options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zoneShown() });

/** `2026-11-21 19:36:02 UTC`. */
export function printInstant(atMs: number): string {
  const parts = new Map(
    formatOf({
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      timeZoneName: "short",
    })
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? "";
  return `${part("year")}-${part("month")}-${part("day")} ${part("hour")}:${part("minute")}:${part("second")} ${part("timeZoneName")}`;
}

/** `19:36:02.123`, for lines of a log. */
export function printClock(atMs: number): string {
  return formatOf({
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hourCycle: "h23",
  }).format(atMs);
}

/** `19:36:02`. */
export function printSecond(atMs: number): string {
  return formatOf({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(atMs);
}

/** `21 Nov, 19:36`. */
export function printShort(atMs: number): string {
  return formatOf({
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(atMs);
}

/** `21 Nov`. */
export function printDay(atMs: number): string {
  return formatOf({ day: "numeric", month: "short" }).format(atMs);
}
