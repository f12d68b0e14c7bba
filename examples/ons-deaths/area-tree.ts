/** Which area is part of which: told by the order of the table, and by names that all years share. */
import { levelOfCode } from "./area-codes.ts";

/** The nine regions; one was called "East" in earlier years. */
const regions: ReadonlySet<string> = new Set([
  "north east",
  "north west",
  "yorkshire and the humber",
  "east midlands",
  "west midlands",
  "east",
  "east of england",
  "london",
  "south east",
  "south west",
]);

export type PlacedArea = Readonly<{
  /** Names the area within a year: its code, or its name and how often that has come. */
  area: string;
  /** The area it is part of; null for the topmost. */
  within: string | null;
}>;

type AreaRow = Readonly<{ code: string | null; name: string; level: number; row: number; isTotal: boolean }>;

/** The areas of one file, in the order of its table. */
export class AreaTree {
  readonly #rowsOf = new Map<string, number[]>();
  /** The last area of each level. */
  readonly #last: (string | undefined)[] = [];
  /** Areas that stand at the top of the table. */
  #total: string | undefined;
  #both: string | undefined;
  #england: string | undefined;
  #placed: Readonly<{ row: number; area: PlacedArea }> | undefined;

  /** Places a row; the figures of one row of the sheet come one after another. */
  place(row: AreaRow): PlacedArea {
    if (this.#placed?.row !== row.row) this.#placed = { row: row.row, area: this.#placeNew(row) };
    return this.#placed.area;
  }

  #placeNew({ code, name, level: printed, row, isTotal }: AreaRow): PlacedArea {
    const rows = this.#rowsOf.get(name) ?? [];
    this.#rowsOf.set(name, [...rows, row]);
    const area = isTotal ? "total" : (code ?? (rows.length === 0 ? name : `${name} (${rows.length + 1})`));
    const isTop = isTotal || name.startsWith("non-residents");
    const level = isTop ? 1 : (levelOfCode(code) ?? printed);
    const within =
      level === 1 ? this.#withinTop(name, rows.length) : this.#last.slice(0, level).findLast(Boolean);
    this.#last[level] = area;
    // Districts of the county before are over.
    this.#last.length = level + 1;
    if (this.#total === undefined) this.#total = area;
    if (name === "england and wales") this.#both = area;
    if (name === "england") this.#england = area;
    return { area, within: within ?? null };
  }

  #withinTop(name: string, before: number): string | undefined {
    if (regions.has(name)) return this.#england;
    if (name === "england" || name === "wales") return before === 0 ? this.#both : undefined;
    return this.#total; // It has no parts but these: England and Wales, and those who live elsewhere.
  }
}
