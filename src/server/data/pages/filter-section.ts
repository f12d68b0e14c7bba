/** Conditions that hold, each with a way to drop it, and a form for one more. */
import { filterOperators } from "../../../ports/dataset-query.ts";
import type { DatasetLook } from "./dataset-page.ts";
import { type Html, html } from "./html.ts";

const words: Readonly<Record<(typeof filterOperators)[number], string>> = {
  eq: "is",
  ne: "is not",
  lt: "<",
  lte: "≤",
  gt: ">",
  gte: "≥",
  in: "is one of (a,b)",
  like: "is like (% for anything)",
  isnull: "is empty",
  between: "is between (a,b)",
};

export function filterSection({ facts, base, query }: DatasetLook): Html {
  const { filters } = query;
  const chips = filters.map((filter) => {
    const address = `${base}${query.omit(filter).without("cursor").print()}`;
    const said = describeFilter(
      filter.name,
      filter.value,
      facts.columns.map(({ name }) => name),
    );
    return html`<li><span>${said}</span> <a href="${address}" aria-label="Drop the condition ${said}">×</a></li>`;
  });
  // What else the address says goes on with the form.
  const kept = query.without("~column", "~operator", "~value", "cursor");
  return html`<section aria-label="Conditions">
${filters.length > 0 && html`<ul class="chips">${chips}<li><a href="${base}">Drop all</a></li></ul>`}
<form class="row" method="get" action="${base}">
${kept.pairs.map(({ name, value }) => html`<input type="hidden" name="${name}" value="${value}">`)}
<label>Column <select name="~column">${facts.columns.map(({ name }) => html`<option>${name}</option>`)}</select></label>
<label>Condition <select name="~operator">${filterOperators.map((operator) => html`<option value="${operator}">${words[operator]}</option>`)}</select></label>
<label>Value <input name="~value" type="text" autocomplete="off" maxlength="500"></label>
<button type="submit">Add</button>
</form></section>`;
}

/** `deaths.gte` as `deaths ≥`. */
function describeFilter(name: string, value: string, columns: readonly string[]): string {
  const dot = name.lastIndexOf(".");
  const operator = filterOperators.find((each) => each === name.slice(dot + 1));
  if (columns.includes(name) || dot < 0 || operator === undefined) return `${name} is ${value}`;
  const column = name.slice(0, dot);
  if (operator === "isnull") return `${column} ${value === "false" ? "is not empty" : "is empty"}`;
  return `${column} ${words[operator].replace(/ \(.*/, "")} ${value}`;
}
