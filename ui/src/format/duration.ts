/** Durations and counts as people read them. */

const units = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "m", ms: 60_000 },
  { name: "s", ms: 1000 },
] as const;

/** `1 m 12 s`, `2 h 10 m`, `340 ms`: the two greatest units. */
export function printDuration(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  if (whole < 1000) return `${whole} ms`;
  if (whole < 10_000) return `${(whole / 1000).toFixed(1)} s`;
  const seconds = Math.round(whole / 1000) * 1000; // So that 59.7 s are not "60 s" beside "1 m".
  const at = units.findIndex((unit) => seconds >= unit.ms);
  const [first, second] = [units[at]!, units[at + 1]]; // Ten seconds and more have a unit.
  const count = Math.floor(seconds / first.ms);
  const rest = second === undefined ? 0 : Math.floor((seconds % first.ms) / second.ms);
  return rest === 0 || second === undefined
    ? `${count} ${first.name}`
    : `${count} ${first.name} ${rest} ${second.name}`;
}

const counts = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const printCount = (count: number): string => counts.format(count);

const byteUnits = ["B", "KB", "MB", "GB", "TB"];

/** `12.3 MB`; thousands, as stores bill them. */
export function printBytes(bytes: number): string {
  let [value, at] = [bytes, 0];
  while (value >= 1000 && at < byteUnits.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${byteUnits[at]}`;
}

/** `1 run`, `2 runs`. */
export const plural = (count: number, one: string, many: string = `${one}s`): string =>
  `${printCount(count)} ${count === 1 ? one : many}`;
