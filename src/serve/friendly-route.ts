/** Answers of declared routes: a few rows, found in memory, printed from fragments. No engine, no waiting. */
import assert from "node:assert/strict";
import { type RouteSpec, routeColumns } from "../ports/api-spec.ts";
import type { QueryFilter } from "../ports/dataset-query.ts";
import { toBytes } from "./column-value.ts";
import type { DatasetView, ViewColumn } from "./dataset-view.ts";
import { EqualSearch } from "./equal-search.ts";
import { explainNoRows } from "./no-rows.ts";
import type { PackedColumn } from "./packed-column.ts";
import { openObjectPrinter, openRowPrinter, printRows } from "./print-rows.ts";
import { Problem, shorten } from "./problem.ts";
import { planRouteOrder } from "./route-plan.ts";
import { readRows, type SearchOrder, searchRows } from "./row-search.ts";

/** Formats of routes; the first is given where anything is welcome. */
export const routeFormats = ["json", "csv", "ndjson"] as const;

/** Most rows of one answer: such a route is not the place for more, exports are. */
const routeRowsMax = 10_000;

/** A route over one version. */
export class FriendlyRoute {
  readonly spec: RouteSpec;
  readonly #view: DatasetView;
  readonly #parameters: readonly Readonly<{ name: string; head: string; column: ViewColumn }>[];
  readonly #order: SearchOrder;
  /** `undefined`: a column has too many values for codes. */
  readonly #search: EqualSearch | undefined;
  /** Columns beside the parameters. */
  readonly #columns: readonly ViewColumn[];
  /** Of the shape `map`. */
  readonly #pairs: PairPrinter | undefined;

  constructor(spec: RouteSpec, view: DatasetView) {
    this.spec = spec;
    this.#view = view;
    const find = (name: string): ViewColumn => {
      const column = view.find(name);
      assert(column !== undefined, "a route was checked against its version");
      return column;
    };
    this.#parameters = spec.segments.flatMap((segment) =>
      "column" in segment
        ? [
            {
              name: segment.parameter,
              head: `${toBytes(JSON.stringify(segment.parameter))}:`,
              column: find(segment.column),
            },
          ]
        : [],
    );
    const { sort } = view.manifest.schema;
    const order = planRouteOrder(spec, sort);
    this.#order =
      order === undefined
        ? { columns: sort, rows: undefined }
        : { columns: order, rows: view.pack.order(order) };
    const wanted = this.#parameters.map(({ column }) => column.packed);
    this.#search = EqualSearch.plan(view.pack, this.#order, wanted);
    const taken = routeColumns(spec);
    const { shape } = spec;
    const names =
      shape.shape === "map"
        ? [shape.key, shape.value]
        : (shape.columns ?? view.names.filter((name) => !taken.includes(name)));
    this.#columns = names.map(find);
    this.#pairs = shape.shape === "map" ? new PairPrinter(this.#columns) : undefined;
  }

  /** Values of the path's parameters, in the order of the path. */
  readValues(segments: readonly string[]): readonly string[] {
    const texts = this.spec.segments.flatMap((segment, at) => ("column" in segment ? [segments[at]!] : []));
    return this.#parameters.map(({ name, column }, at) => {
      const text = texts[at]!; // One for each parameter.
      const canonical = column.packed.kind.parse(text);
      if (canonical !== undefined) return canonical;
      const { expects } = column.packed.kind;
      throw new Problem("invalid-parameter", {
        detail: `"${name}" must be ${expects}, not "${shorten(text)}".`,
        parameter: name,
        value: text,
      });
    });
  }

  /**
   * The body of an answer, one character a byte.
   *
   * @throws Problem `no-rows` that says which value is not known, or what there is instead.
   */
  print(values: readonly string[], format: (typeof routeFormats)[number]): string {
    const rows = this.#findRows(values);
    if (rows.length === 0) throw explainNoRows(this.#view, this.#toFilters(values));
    if (rows.length > routeRowsMax)
      throw new Problem("invalid-parameter", {
        detail: `More than ${routeRowsMax} rows match. Take them page by page from /datasets/${this.#view.dataset}/rows.`,
      });
    if (format !== "json") return this.#printTable(rows, format);
    const head = this.#parameters
      .map(({ head, column }, at) => head + column.packed.kind.toFragment(values[at]!))
      .join(",");
    return this.#printJson(head, rows);
  }

  #findRows(values: readonly string[]): readonly number[] {
    if (this.#search !== undefined) return this.#search.find(values, routeRowsMax + 1);
    // Every row that the first parameters leave may be tested: the order was chosen so that there are few.
    const filters = this.#toFilters(values);
    const range = searchRows(this.#view.pack, this.#order, filters, Number.POSITIVE_INFINITY);
    assert(range !== undefined, "equal values are found in every column that a path can name");
    return readRows(range, 0, routeRowsMax + 1);
  }

  #toFilters(values: readonly string[]): readonly QueryFilter[] {
    return this.#parameters.map(({ column }, at) => ({
      column: column.name,
      operator: "eq",
      values: [values[at]!],
    }));
  }

  #printJson(head: string, rows: readonly number[]): string {
    const { shape } = this.spec.shape;
    if (this.#pairs !== undefined) return `{${head},"data":{${this.#pairs.print(rows)}}}\n`;
    const print = openObjectPrinter(this.#columns);
    if (shape === "rows") return `{${head},"rows":[${rows.map(print).join(",")}]}\n`;
    const row = print(rows[0]!);
    return this.#columns.length === 0 ? `{${head}}\n` : `{${head},${row.slice(1)}\n`;
  }

  #printTable(rows: readonly number[], format: "csv" | "ndjson"): string {
    const parameters = this.#parameters.map(({ name, column }) => ({ name, packed: column.packed }));
    return printRows(openRowPrinter(format, [...parameters, ...this.#columns]), rows);
  }
}

/** Keys of a dictionary with so many values at most are kept as they are printed: some 60 bytes each. */
const keptKeysMax = 65_536;

/** `"2018-01-31":315,"2018-02-28":238` */
class PairPrinter {
  readonly #key: PackedColumn;
  readonly #value: PackedColumn;
  /** `"2018-01-31":` by code, once it was asked for. */
  readonly #heads: (string | undefined)[] | undefined;

  constructor(columns: readonly ViewColumn[]) {
    const [key, value] = columns as readonly [ViewColumn, ViewColumn]; // The two of a `map`.
    this.#key = key.packed;
    this.#value = value.packed;
    const { codes, entries } = key.packed;
    this.#heads = codes !== undefined && entries <= keptKeysMax ? new Array(entries) : undefined;
  }

  print(rows: readonly number[]): string {
    let text = "";
    for (const row of rows) {
      const pair = this.#headOf(row) + this.#value.fragment(row);
      text = text === "" ? pair : `${text},${pair}`;
    }
    return text;
  }

  #headOf(row: number): string {
    const { codes } = this.#key;
    if (this.#heads === undefined || codes === undefined) return printHead(this.#key.fragment(row));
    const code = codes[row]!;
    const known = this.#heads[code];
    if (known !== undefined) return known;
    const head = printHead(this.#key.fragmentOf(code));
    this.#heads[code] = head;
    return head;
  }
}

const printHead = (fragment: string): string =>
  fragment.startsWith('"') ? `${fragment}:` : `"${fragment}":`;
