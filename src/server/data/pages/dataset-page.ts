/** `/datasets/{name}`: a dataset as a table to look around in. Everything but copying works without JavaScript. */
import type { ApiSpec } from "../../../ports/api-spec.ts";
import type { ApiAnswer, ApiRequest } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";
import { Problem } from "../../../serve/problem.ts";
import { answerAddedFilter } from "./added-filter.ts";
import { askApi, type PageProblem } from "./ask-api.ts";
import type { Assets } from "./assets.ts";
import { chartSection } from "./chart-section.ts";
import { copyBlocks } from "./copy-code.ts";
import {
  type DatasetFacts,
  type PageOfRows,
  printCount,
  printInstant,
  type VersionFacts,
} from "./dataset-facts.ts";
import { facetSection } from "./facet-section.ts";
import { filterSection } from "./filter-section.ts";
import { type Html, html } from "./html.ts";
import { answerPage } from "./page-answer.ts";
import { framePage } from "./page-frame.ts";
import { PageQuery } from "./page-query.ts";
import { answerProblem } from "./problem-page.ts";
import { rowsTable } from "./rows-table.ts";

export type DatasetPorts = Readonly<{ spec: ApiSpec; api: DataApi; assets: Assets; needsKey: boolean }>;

/** Rows of a page, unless its address says otherwise. */
const rowsDefault = "25";
/** Formats that are offered to take along. */
const formats = [
  ["csv", "CSV"],
  ["json", "JSON"],
  ["ndjson", "NDJSON"],
  ["parquet", "Parquet"],
  ["arrow", "Arrow"],
] as const;
const versionsShown = 10;

/** What all parts of the page are made of. */
export type DatasetLook = Readonly<{
  facts: DatasetFacts;
  /** Address of the page, and of what the API has below it. */
  base: string;
  query: PageQuery;
}>;

/** @param version - of a permanent address. */
export async function answerDatasetPage(
  asked: ApiRequest,
  ports: DatasetPorts,
  name: string,
  version: string | undefined,
): Promise<ApiAnswer> {
  const place = `/datasets/${encodeURIComponent(name)}`;
  const base = version === undefined ? place : `/v/${encodeURIComponent(version)}${place}`;
  const described = await askApi<DatasetFacts>(ports.api, base, asked);
  if ("problem" in described) return await answerProblem(asked, ports, described.problem);
  const facts = described.value;
  const query = readQuery(asked.url);
  if ("problem" in query) return await answerProblem(asked, ports, query.problem);
  const look = { facts, base, query: query.value };
  return answerAddedFilter(look) ?? (await answerLook(asked, ports, look, version));
}

function readQuery(url: string): { value: PageQuery } | { problem: PageProblem } {
  try {
    return { value: PageQuery.parse(url) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { title, status, detail } = error.toJSON() as unknown as PageProblem; // A problem document.
    return { problem: { title, status, detail } };
  }
}

async function answerLook(
  asked: ApiRequest,
  ports: DatasetPorts,
  look: DatasetLook,
  version: string | undefined,
): Promise<ApiAnswer> {
  const { spec, api, assets } = ports;
  const { facts, base, query } = look;
  const limited = query.get("limit") === undefined ? query.with("limit", rowsDefault) : query;
  const [rows, facets, chart, versions] = await Promise.all([
    askApi<PageOfRows>(api, `${base}/rows${limited.ofRows.print()}`, asked),
    facetSection(look, api, asked),
    chartSection(look, api, asked),
    askApi<VersionFacts>(api, `/datasets/${encodeURIComponent(facts.name)}/versions`, asked),
  ]);
  const isWrong = "problem" in rows;
  const main = html`${heading(facts, version)}
${filterSection(look)}
${isWrong ? problemSection(rows.problem) : rowsTable(look, rows.value)}
${!isWrong && html`<div class="beside">${chart}${facets}</div>`}
${takeAlong(look, asked, ports.needsKey)}
${columnSection(facts)}
${"value" in versions && versionSection(facts, versions.value)}
${qualitySection(facts)}`;
  const page = framePage(spec, assets, { title: facts.name, place: "/", main });
  return await answerPage(asked, page, {}, isWrong ? rows.problem.status : 200);
}

const heading = (facts: DatasetFacts, version: string | undefined): Html =>
  html`<h1>${facts.name}</h1>
<p class="lead">${facts.description}</p>
<p class="facts">${printCount(facts.rowCount)} rows · ${facts.columnCount} columns · version <a href="${facts.links.permanent}"><code>${facts.shortVersion}</code></a> · built <time datetime="${facts.builtAt}">${printInstant(facts.builtAt)}</time>${reach(facts)}${facts.licence !== null && html` · ${facts.licence}`}</p>
${version !== undefined && html`<p class="note">This is one version, for good. <a href="${facts.url}">The newest one</a> may be another.</p>`}`;

/** How far the data reach, which is what people mean by fresh. */
function reach({ freshness }: DatasetFacts): Html | false {
  const [first] = Object.entries(freshness.newest);
  return first !== undefined && html` · ${first[0]} up to ${first[1]}`;
}

const problemSection = ({ title, detail, near }: PageProblem): Html =>
  html`<p class="note bad" role="alert"><strong>${title}</strong> ${detail}${near !== undefined && html` Nearest: <code>${near}</code>.`}</p>`;

function takeAlong({ facts, base, query }: DatasetLook, asked: ApiRequest, needsKey: boolean): Html {
  const rows = query.ofRows.without("cursor");
  const exported = rows.without("limit");
  const permanent = `${facts.links.permanent}${query.without("cursor").print()}`;
  const host = asked.headers["host"];
  // What stands in the page is what its reader asked for; a header that is no name of a host is not repeated.
  const origin = typeof host === "string" && /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? `http://${host}` : "";
  const isSafe = asked.headers["x-forwarded-proto"] === "https";
  const url = `${isSafe ? origin.replace("http:", "https:") : origin}${base}/rows${rows.print()}`;
  return html`<section aria-labelledby="take"><h2 id="take">Take it along</h2>
<p class="row">${formats.map(([ending, name]) => html`<a class="button" href="${base}/export.${ending}${exported.print()}" download>${name}</a>`)}
<a href="${permanent}">Permanent link to this view</a></p>
${copyBlocks(url, needsKey)}</section>`;
}

const columnSection = ({ columns, key }: DatasetFacts): Html =>
  html`<section aria-labelledby="columns"><h2 id="columns">Columns</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Columns as a table"><table><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Unit</th><th scope="col" class="number">Values</th><th scope="col" class="number">Empty</th><th scope="col">What it is</th></tr></thead><tbody>
${columns.map(
  ({ name, type, unit, distinctCount, nullCount, description }) =>
    html`<tr><th scope="row"><code>${name}</code>${key.includes(name) && html` <span class="tag">key</span>`}</th><td>${type}</td><td>${unit ?? ""}</td><td class="number">${typeof distinctCount === "number" ? printCount(distinctCount) : ""}</td><td class="number">${printCount(nullCount ?? 0)}</td><td>${description ?? ""}</td></tr>`,
)}
</tbody></table></div></section>`;

const versionSection = ({ name, shortVersion, lineage }: DatasetFacts, { versions }: VersionFacts): Html =>
  html`<section aria-labelledby="versions"><h2 id="versions">Versions</h2>
<ul class="plain">${versions.slice(0, versionsShown).map((each) => {
    const address = `/v/${each.shortVersion}/datasets/${encodeURIComponent(name)}`;
    const code = html`<code>${each.shortVersion}</code>`;
    return html`<li>${each.number}: ${each.isKept ? html`<a href="${address}">${code}</a>` : code} · ${printCount(each.rowCount)} rows · <time datetime="${each.builtAt}">${printInstant(each.builtAt)}</time>${each.shortVersion === shortVersion && html` <span class="tag">shown</span>`}${!each.isKept && " · not kept any more"}</li>`;
  })}</ul>
${lineage.fileCount > 0 && html`<p class="facts">Made of ${printCount(lineage.fileCount)} ${lineage.fileCount === 1 ? "file" : "files"}: ${lineage.files.slice(0, versionsShown).map((file, at) => `${at === 0 ? "" : ", "}${file.name}`)}${lineage.fileCount > versionsShown && " …"}</p>`}</section>`;

const qualitySection = ({ quality }: DatasetFacts): Html | false =>
  quality.length > 0 &&
  html`<section aria-labelledby="quality"><h2 id="quality">Checks</h2>
<ul class="plain">${quality.map(({ name, isPassed, failed }) => html`<li>${isPassed ? html`<span class="good">✓ passed</span>` : html`<span class="bad">✗ ${printCount(failed)} failed</span>`} ${name}</li>`)}</ul></section>`;
