/** A chart as SVG, drawn by the server: it needs no script, and takes its colours from the page. */
import { printCount } from "./dataset-facts.ts";
import { type Html, html } from "./html.ts";

/** A value, and what it is of. */
export type ChartPoint = Readonly<{ label: string; value: number }>;

const width = 760;
const height = 280;
const edge = { left: 72, right: 16, top: 12, bottom: 36 } as const;
const barHeight = 22;
/** Characters of a label beside a bar. */
const labelMax = 26;
const labelWidth = 190;

const round = (value: number): number => Math.round(value * 10) / 10;

/** Steps of an axis from zero, or from below it, in round numbers. */
export function axisSteps(least: number, most: number): readonly number[] {
  const [low, high] = [Math.min(0, least), Math.max(0, most)];
  const span = high - low || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= rough) ?? rough;
  const steps: number[] = [];
  for (let at = Math.floor(low / step); at * step < high + step; at++) steps.push(at * step);
  return steps;
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const exact = (value: number): string => (Number.isInteger(value) ? printCount(value) : String(value));

/** A line through points from left to right. */
export function drawLine(points: readonly ChartPoint[], title: string): Html {
  const values = points.map(({ value }) => value);
  const steps = axisSteps(Math.min(...values), Math.max(...values));
  const [low = 0, high = 1] = [steps[0], steps.at(-1)];
  const [innerWidth, innerHeight] = [width - edge.left - edge.right, height - edge.top - edge.bottom];
  const x = (at: number): number =>
    round(edge.left + (points.length < 2 ? innerWidth / 2 : (at / (points.length - 1)) * innerWidth));
  const y = (value: number): number => round(edge.top + (1 - (value - low) / (high - low)) * innerHeight);
  const line = points.map(({ value }, at) => `${x(at)},${y(value)}`).join(" ");
  const labelled = labelPlaces(points.length);
  return html`<svg class="chart lines" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
${steps.map(
  (step) =>
    html`<line class="grid" x1="${edge.left}" x2="${width - edge.right}" y1="${y(step)}" y2="${y(step)}"/><text class="tick" x="${edge.left - 8}" y="${y(step) + 4}" text-anchor="end">${compact.format(step)}</text>`,
)}
${labelled.map((at, place) => html`<text class="tick${place > 0 && place < labelled.length - 1 && " inner"}" x="${x(at)}" y="${height - 12}" text-anchor="${anchor(at, points.length)}">${points[at]?.label ?? ""}</text>`)}
<polyline class="line" points="${line}"/>
${points.map(({ label, value }, at) => html`<circle class="dot" cx="${x(at)}" cy="${y(value)}" r="${points.length > 80 ? 2 : 3.5}"><title>${label}: ${exact(value)}</title></circle>`)}
</svg>`;
}

/** Most labels below a line. */
const labelsMax = 6;

/** Labels that have room, as far apart as one another. */
function labelPlaces(count: number): readonly number[] {
  const step = Math.max(1, Math.ceil((count - 1) / (labelsMax - 1)));
  return Array.from({ length: Math.ceil(count / step) }, (_, at) => at * step);
}

const anchor = (at: number, count: number): string =>
  count < 2 ? "middle" : at === 0 ? "start" : at === count - 1 ? "end" : "middle";

/** Bars below each other, longest first as they come. */
export function drawBars(points: readonly ChartPoint[], title: string): Html {
  const most = Math.max(...points.map(({ value }) => Math.abs(value)), 0) || 1;
  const room = width - labelWidth - 90;
  const total = points.length * barHeight + 8;
  return html`<svg class="chart" viewBox="0 0 ${width} ${total}" role="img" aria-label="${title}">
${points.map(({ label, value }, at) => {
  const top = at * barHeight + 4;
  const length = round((Math.abs(value) / most) * room);
  return html`<g><title>${label}: ${exact(value)}</title>
<text class="tick" x="${labelWidth - 8}" y="${top + 15}" text-anchor="end">${cut(label)}</text>
<rect class="bar" x="${labelWidth}" y="${top + 2}" width="${Math.max(1, length)}" height="${barHeight - 5}" rx="3"/>
<text class="tick" x="${labelWidth + length + 6}" y="${top + 15}">${compact.format(value)}</text></g>`;
})}
</svg>`;
}

const cut = (label: string): string =>
  [...label].length <= labelMax ? label : `${[...label].slice(0, labelMax - 1).join("")}…`;
