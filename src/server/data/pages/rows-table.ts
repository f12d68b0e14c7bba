/** Rows as a table: headers sort, links turn the pages. */
import { type ColumnFacts, type PageOfRows, printCount, printValue } from "./dataset-facts.ts";
import type { DatasetLook } from "./dataset-page.ts";
import { type Html, html } from "./html.ts";

/** Characters of a cell; all of them are in the downloads. */
const cellLengthMax = 300;
const pageSizes = ["25", "100", "500"] as const;

export function rowsTable(look: DatasetLook, page: PageOfRows): Html {
  const { facts, base, query } = look;
  const wanted = query.get("columns")?.split(",");
  const columns =
    wanted === undefined ? facts.columns : facts.columns.filter(({ name }) => wanted.includes(name));
  const cursor = page.next === null ? undefined : new URLSearchParams(page.next.split("?")[1]).get("cursor");
  const isLater = query.get("cursor") !== undefined;
  const size = query.get("limit") ?? pageSizes[0];
  const total = `${printCount(page.total)} ${page.total === 1 ? "row" : "rows"}`;
  return html`<section aria-labelledby="rows"><h2 id="rows">${total}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Rows as a table"><table class="data"><thead><tr>${columns.map((column) => header(look, column))}</tr></thead><tbody>
${page.rows.map((row) => html`<tr>${columns.map((column) => cell(column, row[column.name]))}</tr>`)}
${page.rows.length === 0 && html`<tr><td colspan="${columns.length}">No row fits all conditions.</td></tr>`}
</tbody></table></div>
<nav class="row pages" aria-label="Pages">
${isLater && html`<a class="button" href="${base}${query.without("cursor").print()}">First page</a>`}
${cursor !== undefined && cursor !== null && html`<a class="button" rel="next" href="${base}${query.with("cursor", cursor).print()}">Next page</a>`}
<span>Rows of a page: ${pageSizes.map((each) => (each === size ? html` <strong>${each}</strong>` : html` <a href="${base}${query.without("cursor").with("limit", each).print()}">${each}</a>`))}</span>
</nav></section>`;
}

const isNumeric = ({ type }: ColumnFacts): boolean => /^(bigint|double|decimal|hugeint)/.test(type);

function header({ base, query }: DatasetLook, column: ColumnFacts): Html {
  const { name, unit } = column;
  const [first] = query.get("sort")?.split(",") ?? [];
  const order = first === name ? "ascending" : first === `-${name}` ? "descending" : undefined;
  const next = order === "ascending" ? `-${name}` : name;
  const address = `${base}${query.without("cursor").with("sort", next).print()}`;
  const mark = order === undefined ? "" : order === "ascending" ? " ▲" : " ▼";
  return html`<th scope="col"${order !== undefined && html` aria-sort="${order}"`}${isNumeric(column) && html` class="number"`}>${column.type === "json" ? name : html`<a href="${address}" title="${column.description ?? `Sort by ${name}`}">${name}${mark}</a>`}${typeof unit === "string" && unit !== name && html` <span class="unit">${unit}</span>`}</th>`;
}

function cell(column: ColumnFacts, value: unknown): Html {
  const text = printValue(value);
  if (text === undefined) return html`<td class="empty">empty</td>`;
  const shown = text.length > cellLengthMax ? `${text.slice(0, cellLengthMax)}…` : text;
  const isTime = /^(date|timestamp)/.test(column.type);
  const look = isNumeric(column) ? html` class="number"` : isTime && html` class="time"`;
  return html`<td${look}>${shown}</td>`;
}
