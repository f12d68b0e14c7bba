/** `/`: what there is, for people. */
import type { JsonObject } from "../../../model/json-value.ts";
import type { ApiSpec } from "../../../ports/api-spec.ts";
import type { ApiAnswer, ApiRequest } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";
import { askApi } from "./ask-api.ts";
import type { Assets } from "./assets.ts";
import { type DatasetList, type DatasetSummary, printCount, printInstant } from "./dataset-facts.ts";
import { type Html, html } from "./html.ts";
import { answerPage } from "./page-answer.ts";
import { framePage } from "./page-frame.ts";
import { answerProblem } from "./problem-page.ts";

type HomePorts = Readonly<{ spec: ApiSpec; api: DataApi; assets: Assets }>;

export async function answerHomePage(asked: ApiRequest, ports: HomePorts): Promise<ApiAnswer> {
  const { spec, api, assets } = ports;
  const list = await askApi<DatasetList>(api, "/datasets", asked);
  if ("problem" in list) return await answerProblem(asked, ports, list.problem);
  const { licence, contact } = spec;
  const routes = spec.routes.length > 0 && describeRoutes(spec, api.openApi());
  const main = html`<h1>${spec.title}</h1>
${spec.description.split(/\n\s*\n/).map((paragraph) => html`<p class="lead">${paragraph}</p>`)}
<h2>Datasets</h2>
<ul class="cards">${list.value.datasets.map(card)}</ul>
${routes}
<p class="facts">${licence !== undefined && html`Licence: ${licence.url === undefined ? licence.name : html`<a href="${licence.url}">${licence.name}</a>`}. `}${contact?.email !== undefined && html`Contact: <a href="mailto:${contact.email}">${contact.name ?? contact.email}</a>. `}For programs: <a href="/docs">documentation</a>, <a href="/openapi.json">openapi.json</a>.</p>`;
  return await answerPage(asked, framePage(spec, assets, { title: spec.title, place: "/", main }));
}

const card = ({ name, description, rowCount, columnCount, builtAt, licence, url }: DatasetSummary): Html =>
  html`<li class="card"><h3><a href="${url}">${name}</a></h3>
<p>${description}</p>
<p class="facts">${printCount(rowCount)} rows · ${columnCount} columns · built <time datetime="${builtAt}">${printInstant(builtAt)}</time></p>
${licence !== null && html`<p class="facts">${licence}</p>`}</li>`;

/** The API's own addresses, each with values that are there. */
function describeRoutes({ routes }: ApiSpec, openApi: JsonObject): Html {
  const paths = (openApi["paths"] ?? {}) as Readonly<Record<string, PathItem>>; // As `describeApi` makes it.
  const items = routes.map(({ path, summary }) => {
    const example = fillPath(path, paths[path]?.get?.parameters ?? []);
    return html`<li><code>${path}</code>${summary !== undefined && html` ${summary}`}${example !== undefined && html`<br>Try <a href="${example}">${example}</a>`}</li>`;
  });
  return html`<h2>Addresses</h2><ul class="routes">${items}</ul>`;
}

type PathItem = Readonly<{
  get?: Readonly<{ parameters?: readonly Readonly<{ name: string; in: string; example?: unknown }>[] }>;
}>;

function fillPath(
  path: string,
  parameters: NonNullable<NonNullable<PathItem["get"]>["parameters"]>,
): string | undefined {
  let isWhole = true;
  const filled = path.replace(/\{([^{}]+)\}/g, (_, name: string) => {
    const example = parameters.find((each) => each.name === name && each.in === "path")?.example;
    isWhole &&= example !== undefined && example !== null;
    return encodeURIComponent(String(example));
  });
  return isWhole ? filled : undefined;
}
