/** The commonest values of columns that have few, each a link that looks at it alone. */
import type { ApiRequest } from "../../../serve/api-answer.ts";
import type { DataApi } from "../../../serve/data-api.ts";
import { askApi } from "./ask-api.ts";
import { type FacetFacts, printCount, printValue } from "./dataset-facts.ts";
import type { DatasetLook } from "./dataset-page.ts";
import { type Html, html } from "./html.ts";

/** Columns shown, and values of each. */
const columnsMax = 6;
const valuesShown = "8";

export async function facetSection(
  { facts, base, query }: DatasetLook,
  api: DataApi,
  asked: ApiRequest,
): Promise<Html | false> {
  const columns = facts.columns
    .filter(
      ({ type, distinctCount }) => type !== "json" && typeof distinctCount === "number" && distinctCount > 1,
    )
    // Few values part the rows well; a column of thousands is searched, not chosen from.
    .filter(({ distinctCount }) => Number(distinctCount) <= Math.min(1000, facts.rowCount / 2))
    .slice(0, columnsMax);
  if (columns.length === 0) return false;
  const names = columns.map(({ name }) => (name.includes(",") ? `"${name.replaceAll('"', '""')}"` : name));
  const wanted = query.ofRows
    .without("columns", "sort", "limit", "cursor")
    .with("columns", names.join(","))
    .with("limit", valuesShown);
  const reply = await askApi<FacetFacts>(api, `${base}/facets${wanted.print()}`, asked);
  if ("problem" in reply) return html`<p class="note">No counts now: ${reply.problem.detail}</p>`;
  const lists = Object.entries(reply.value.facets).map(
    ([name, { distinct, values }]) =>
      html`<div class="facet"><h3>${name} <span class="facts">${printCount(distinct)}</span></h3><ul>${values.map(
        ({ value, count }) => {
          const text = printValue(value);
          const address = text === undefined ? query.with(`${name}.isnull`, "true") : query.with(name, text);
          return html`<li><a href="${base}${address.without("cursor").print()}">${text === undefined ? "empty" : text === "" ? "“”" : text}</a> <span class="facts">${printCount(count)}</span></li>`;
        },
      )}</ul></div>`,
  );
  return html`<section aria-labelledby="facets"><h2 id="facets">Most common</h2><div class="facets">${lists}</div></section>`;
}
