/** The chart of a dataset's page, and a form that chooses another. */
import type { ApiRequest } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";
import { askApi } from "./ask-api.ts";
import { type ChartChoice, chartAddress, chartOptions, chooseChart, valueName } from "./chart-choice.ts";
import { type PageOfRows, printValue } from "./dataset-facts.ts";
import type { DatasetLook } from "./dataset-page.ts";
import { type ChartPoint, drawBars, drawLine } from "./draw-chart.ts";
import { type Html, html } from "./html.ts";

export async function chartSection(
  look: DatasetLook,
  api: DataApi,
  asked: ApiRequest,
): Promise<Html | false> {
  const { facts, base, query } = look;
  const choice = chooseChart(facts, query);
  if (choice === undefined) return false;
  const address = chartAddress(base, choice, query);
  const reply = await askApi<PageOfRows>(api, address, asked);
  const title = `${valueName(choice)} by ${choice.by}`;
  if ("problem" in reply) return html`<p class="note">No chart now: ${reply.problem.detail}</p>`;
  const points = readPoints(reply.value.rows, choice);
  const more = reply.value.total - reply.value.rows.length;
  return html`<section aria-labelledby="chart"><h2 id="chart">${title}</h2>
${
  points.length === 0
    ? html`<p class="facts">There is nothing to draw.</p>`
    : html`<figure>${choice.kind === "line" ? drawLine(points, title) : drawBars(points, title)}
<figcaption class="facts">${more > 0 && `${more} more are not drawn. `}<a href="${address}">These figures as JSON</a></figcaption></figure>`
}
${chartForm(look, choice)}</section>`;
}

/** Points of what can be drawn: groups without a value are left out. */
function readPoints(rows: PageOfRows["rows"], choice: ChartChoice): readonly ChartPoint[] {
  return rows.flatMap((row) => {
    const value = printValue(row[valueName(choice)]);
    const label = printValue(row[choice.by]);
    if (value === undefined || !Number.isFinite(Number(value))) return [];
    if (label === undefined && choice.kind === "line") return [];
    return [{ label: label ?? "empty", value: Number(value) }];
  });
}

function chartForm({ facts, base, query }: DatasetLook, choice: ChartChoice): Html {
  const options = chartOptions(facts);
  const kept = query.without("~x", "~y", "~how");
  const select = (label: string, name: string, values: readonly string[], chosen: string | undefined): Html =>
    html`<label>${label} <select name="${name}">${values.map((value) => html`<option${value === chosen && html` selected`}>${value}</option>`)}</select></label>`;
  return html`<form class="row" method="get" action="${base}">
${kept.pairs.map(({ name, value }) => html`<input type="hidden" name="${name}" value="${value}">`)}
${select("Along", "~x", options.x, choice.x)}
${select("Measure", "~how", options.measures, choice.measure)}
${options.y.length > 0 && select("Of", "~y", options.y, choice.y ?? options.y[0])}
<button type="submit">Draw</button></form>`;
}
