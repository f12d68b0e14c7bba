/** Why nothing was found, said so that the next try finds something. */
import { nearestName } from "../errors/nearest-name.ts";
import type { QueryFilter } from "../ports/dataset-query.ts";
import { fromBytes, unquote } from "./column-value.ts";
import type { DatasetView } from "./dataset-view.ts";
import type { PackedColumn } from "./packed-column.ts";
import { Problem, shorten } from "./problem.ts";
import { readRows, searchRows } from "./row-search.ts";

/** Values listed whole when a column has no more of them. */
const listedMax = 50;
/** Neighbours, in the order of values, among which the nearest name is looked for. */
const neighboursMax = 2000;
/** Rows looked through for what there is instead. */
const sampledRowsMax = 5000;

/** Explains why no row equals these values. */
export function explainNoRows(view: DatasetView, filters: readonly QueryFilter[]): Problem {
  for (const { column: name, values } of filters) {
    const column = view.find(name)!.packed; // The filters name columns that are there.
    const value = values[0]!;
    if (column.codes === undefined || column.codeOf(column.kind.toFragment(value)) >= 0) continue;
    return unknownValue(view, column, value);
  }
  return unknownTogether(view, filters);
}

function unknownValue(view: DatasetView, column: PackedColumn, value: string): Problem {
  const known = valuesAround(column, value);
  const near = nearestName(value, known);
  const isAll = column.nullCode <= listedMax;
  const first = textAt(column, 0);
  const last = textAt(column, column.nullCode - 1);
  const extent = column.nullCode === 0 ? "It has no values." : `It goes from "${first}" to "${last}".`;
  return new Problem("no-rows", {
    detail: `${view.dataset} has no ${column.name} "${shorten(value)}".${near === undefined ? ` ${extent}` : ` Did you mean "${near}"?`}`,
    parameter: column.name,
    value,
    allowed: isAll ? known : undefined,
    near,
  });
}

/** Values of a column, or if there are many of them those that stand where this one would. */
function valuesAround(column: PackedColumn, value: string): readonly string[] {
  const count = column.nullCode;
  const at = column.lowerCode(value, false);
  const from = Math.max(0, Math.min(at - neighboursMax / 2, count - neighboursMax));
  return Array.from({ length: Math.min(count, neighboursMax) }, (_, index) => textAt(column, from + index));
}

const textAt = (column: PackedColumn, code: number): string => fromBytes(unquote(column.fragmentOf(code)));

/** Each value is known, but not together: what the last of them could be, with the others as they are. */
function unknownTogether(view: DatasetView, filters: readonly QueryFilter[]): Problem {
  const said = filters.map(({ column, values }) => `${column} "${shorten(values[0]!)}"`).join(", ");
  const order = { columns: view.manifest.schema.sort, rows: undefined };
  for (const free of filters) {
    const column = view.find(free.column)!.packed; // As above.
    const others = filters.filter((filter) => filter !== free);
    const range = others.length === 0 ? undefined : searchRows(view.pack, order, others);
    const rows = range === undefined ? [] : readRows(range, 0, sampledRowsMax);
    const found = [...new Set(rows.map((row) => fromBytes(unquote(column.fragment(row)))))];
    if (found.length === 0 || found.length > listedMax) continue;
    return new Problem("no-rows", {
      detail: `${view.dataset} has nothing for ${said} together. With the others as they are, ${column.name} can be one of those listed.`,
      parameter: column.name,
      value: free.values[0],
      allowed: found.sort(),
    });
  }
  return new Problem("no-rows", { detail: `${view.dataset} has nothing for ${said} together.` });
}
