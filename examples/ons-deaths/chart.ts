/**
 * Draws the chart of the README from the dataset: `node chart.ts`, after `leat build`.
 *
 * Deaths registered in England and Wales, month by month, a line for each year that is there.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const leat = join(import.meta.dirname, "../../bin/leat.js");
const sql = `SELECT year, month(period_start) AS month, deaths FROM deaths
  WHERE place_name = 'england and wales' ORDER BY period_start`;

type Point = Readonly<{ year: number; month: number; deaths: number }>;

/** Draws the points as an SVG document. */
export function drawChart(points: readonly Point[]): string {
  const { document } = parseHTML("<html><body></body></html>");
  const name = new Intl.DateTimeFormat("en", { month: "short", timeZone: "UTC" });
  const labels = spread(
    points.filter((point) => !points.some((other) => other.year === point.year && other.month > point.month)),
  );
  const colours = ["#9aa0a6", "#6b7280", "#2563eb", "#0f766e", "#c2410c"];
  const years = [...new Set(points.map(({ year }) => year))].sort((a, b) => a - b);
  const chart = plot.plot({
    // The part of a browser's document that drawing needs.
    document: document as unknown as NonNullable<plot.PlotOptions["document"]>,
    width: 760,
    height: 380,
    marginLeft: 56,
    marginRight: 48,
    style: { fontFamily: "system-ui, sans-serif", fontSize: "12px", background: "white" },
    x: {
      label: null,
      domain: [1, 12],
      ticks: 12,
      tickFormat: (month: number) => name.format(Date.UTC(2000, month - 1)),
    },
    y: { label: "Deaths registered, England and Wales", grid: true, zero: true },
    color: { domain: years, range: years.map((_, index) => colours[index % colours.length] ?? "black") },
    marks: [
      plot.ruleY([0]),
      plot.lineY(points, { x: "month", y: "deaths", stroke: "year", strokeWidth: 2 }),
      plot.dot(points, { x: "month", y: "deaths", fill: "year", r: 2.5 }),
      plot.text(labels, {
        x: "month",
        y: "deaths",
        text: (point: Point) => String(point.year),
        fill: "year",
        fontWeight: "bold",
        dx: 8,
        textAnchor: "start",
      }),
    ],
  });
  chart.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", "Deaths registered in England and Wales by month, a line for each year");
  return `${chart.outerHTML}\n`;
}

/** Labels of a column far enough apart to be read, in the order of their values. */
function spread(labels: readonly Point[]): readonly Point[] {
  const gap = 2600; // A line of text, in deaths.
  const placed: Point[] = [];
  for (const label of labels.toSorted((a, b) => a.month - b.month || a.deaths - b.deaths)) {
    const before = placed.at(-1);
    const least = before?.month === label.month ? before.deaths + gap : 0;
    placed.push({ ...label, deaths: Math.max(label.deaths, least) });
  }
  return placed;
}

if (import.meta.main) {
  const printed = execFileSync(process.execPath, [leat, "query", "--json", sql], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  writeFileSync(join(import.meta.dirname, "deaths.svg"), drawChart(JSON.parse(printed) as Point[])); // Columns of the query.
}
