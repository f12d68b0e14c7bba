/** Which sheets of a workbook are read: by name, by nearly the name, or as the only one that holds the table. */
import { LeatError } from "../errors/leat-error.ts";
import { nearestName } from "../errors/nearest-name.ts";
import { mergeFields } from "./above-table.ts";
import { quote } from "./cell-text.ts";
import type { Layout } from "./layout.ts";
import type { SheetReport } from "./layout-report.ts";
import type { Sheet } from "./sheet.ts";
import { isClose } from "./sheet-closeness.ts";
import { compileWish, type Fields, type Wish } from "./wanted.ts";

/** Sheets looked into when no name fits; a workbook of more is not searched through. */
const searchedMax = 100;
/** Sheets listed in a message. */
const listedMax = 40;

export type ChosenSheet = Readonly<{ sheet: Sheet; fields: Fields; reason: string }>;

/**
 * Looks into a sheet for the table.
 *
 * @returns why the sheet does not hold it; `undefined`: it does.
 */
export type SheetProbe = (sheet: Sheet, fields: Fields) => Promise<string | undefined>;

/** Chooses, and says of each sheet why it was taken or not. */
export async function chooseSheets(
  sheets: readonly Sheet[],
  layout: Layout,
  context: Readonly<{ file: string; fields: Fields }>,
  probe: SheetProbe,
): Promise<Readonly<{ chosen: readonly ChosenSheet[]; reports: readonly SheetReport[] }>> {
  const choice = new Choice(sheets, layout, context, probe);
  const chosen = await choice.make();
  const reasons = new Map(chosen.map(({ sheet, reason }) => [sheet, reason]));
  const reports = sheets.map((sheet) => ({
    name: sheet.name,
    isTaken: reasons.has(sheet),
    reason: reasons.get(sheet) ?? choice.reasons.get(sheet) ?? "not the one looked for",
  }));
  return { chosen, reports };
}

class Choice {
  readonly reasons = new Map<Sheet, string>();
  readonly #sheets: readonly Sheet[];
  readonly #layout: Layout;
  readonly #context: Readonly<{ file: string; fields: Fields }>;
  readonly #probe: SheetProbe;
  readonly #wishes: readonly Wish[];

  constructor(
    sheets: readonly Sheet[],
    layout: Layout,
    context: Readonly<{ file: string; fields: Fields }>,
    probe: SheetProbe,
  ) {
    this.#layout = layout;
    this.#context = context;
    this.#probe = probe;
    this.#wishes = layout.sheets.names.map((wanted) => compileWish(wanted, context.fields));
    this.#sheets = sheets.filter((sheet) => {
      if (!sheet.hasCells) this.reasons.set(sheet, "it has no cells");
      else if (sheet.isHidden && layout.hidden.sheets === "skip") this.reasons.set(sheet, "it is hidden");
      return !this.reasons.has(sheet);
    });
  }

  async make(): Promise<readonly ChosenSheet[]> {
    const named = this.#byName();
    if (named.length > 0) return this.#take(named);
    // A sheet of the very name that was passed over is told, and no other one taken in its stead.
    const isPassed = [...this.reasons.keys()].some((sheet) =>
      this.#wishes.some((wish) => wish.fit(sheet.name)),
    );
    const isStrict = this.#layout.sheets.otherwise === "refuse" && this.#wishes.length > 0;
    if (isPassed || isStrict) throw this.#missing(isPassed);
    if (this.#wishes.length === 0 && this.#sheets.length === 1) {
      return [{ sheet: this.#sheets[0]!, fields: this.#context.fields, reason: "it is the only one" }];
    }
    const close = this.#sheets.filter((sheet) =>
      this.#wishes.some(({ name }) => name !== undefined && isClose(name, sheet.name)),
    );
    for (const sheets of [close, this.#sheets.slice(0, searchedMax)]) {
      const fitting = await this.#fitting(
        sheets.map((sheet) => ({ sheet, fields: this.#context.fields, reason: "" })),
      );
      const reason =
        sheets === close
          ? "its name is nearly the one looked for, and it holds the table"
          : "it alone holds the table";
      if (fitting.length > 1 && this.#layout.sheets.take === "first")
        return [{ ...fitting[0]!, reason: "it is the first that holds the table" }];
      if (fitting.length > 1) throw this.#ambiguous(fitting, "hold such a table");
      if (fitting.length === 1) return [{ ...fitting[0]!, reason }];
    }
    throw this.#missing(false);
  }

  /** Sheets whose names fit: of the preferred name that fits any, or with `all` of every name. */
  #byName(): readonly ChosenSheet[] {
    const found = new Map<Sheet, ChosenSheet>();
    for (const wish of this.#wishes) {
      const fitting = this.#sheets.flatMap((sheet) => {
        const fit = wish.fit(sheet.name);
        return fit === undefined ? [] : [{ sheet, fit }];
      });
      const exact = fitting.filter(({ fit }) => fit.how !== "marked");
      const best = exact.length > 0 && this.#layout.sheets.take !== "all" ? exact : fitting;
      for (const { sheet, fit } of best) {
        const fields = mergeFields(this.#context.fields, fit.fields);
        if (!found.has(sheet)) found.set(sheet, { sheet, fields, reason: `its name fits ${wish.label}` });
      }
      if (found.size > 0 && this.#layout.sheets.take !== "all") break;
    }
    return [...found.values()].sort((one, other) => one.sheet.index - other.sheet.index);
  }

  async #take(named: readonly ChosenSheet[]): Promise<readonly ChosenSheet[]> {
    const { take } = this.#layout.sheets;
    if (take === "all" || named.length === 1) return named;
    if (take === "first") return named.slice(0, 1);
    const fitting = await this.#fitting(named);
    if (fitting.length === 1)
      return [
        { ...fitting[0]!, reason: `${named[0]!.reason}, and of those that do it alone holds the table` },
      ];
    throw this.#ambiguous(fitting.length > 1 ? fitting : named, "have a name that fits");
  }

  async #fitting(candidates: readonly ChosenSheet[]): Promise<readonly ChosenSheet[]> {
    const fitting: ChosenSheet[] = [];
    for (const candidate of candidates) {
      const problem = await this.#probe(candidate.sheet, candidate.fields);
      if (problem === undefined) fitting.push(candidate);
      else this.reasons.set(candidate.sheet, problem);
    }
    return fitting;
  }

  #ambiguous(fitting: readonly ChosenSheet[], what: string): LeatError {
    const names = fitting.map(({ sheet }) => sheet.name);
    return new LeatError("WORKBOOK_AMBIGUOUS", {
      message: `${this.#context.file}: the sheets ${names.map(quote).join(" and ")} all ${what}.`,
      hint: 'Name the one that is meant in `sheets`, or read all of them with `take: "all"`.',
      details: { file: this.#context.file, sheets: names },
    });
  }

  #missing(isPassed: boolean): LeatError {
    const all = [...this.#sheets, ...this.reasons.keys()];
    const listed = [...new Set(all)].sort((one, other) => one.index - other.index);
    const lines = listed.slice(0, listedMax).map((sheet) => {
      const reason = this.reasons.get(sheet);
      return `\n  ${quote(sheet.name)}${reason === undefined ? "" : `: ${reason}`}`;
    });
    const rest = listed.length > listedMax ? `\n  and ${listed.length - listedMax} more` : "";
    const wanted = this.#wishes.map(({ label }) => label).join(" or ");
    const looked =
      wanted === "" ? "No sheet holds the table looked for" : `No sheet is the one looked for, ${wanted}`;
    const wasSearched = this.#layout.sheets.otherwise === "content" && !isPassed;
    const held = wasSearched && wanted !== "" ? ", and none holds its table" : "";
    const names = listed.map((sheet) => sheet.name);
    return new LeatError("WORKBOOK_SHEET_MISSING", {
      message: `${this.#context.file}: ${looked}${held}. Its sheets:${lines.join("")}${rest}`,
      hint: this.#hintOfName(listed),
      details: { file: this.#context.file, sheets: names },
    });
  }

  /** Says what is the matter with a sheet of the very name, or which name is near. */
  #hintOfName(listed: readonly Sheet[]): string | undefined {
    const passed = listed.find((sheet) => this.#wishes.some((wish) => wish.fit(sheet.name) !== undefined));
    if (passed?.isHidden === true)
      return `To read ${quote(passed.name)}, declare \`hidden: { sheets: "read" }\`.`;
    if (passed !== undefined) return `${quote(passed.name)} holds no cells: is it a chart?`;
    const names = this.#sheets.map((sheet) => sheet.name);
    const near = this.#wishes.flatMap(({ name }) =>
      name === undefined ? [] : (nearestName(name, names) ?? []),
    );
    return near[0] === undefined
      ? undefined
      : `Did you mean the sheet ${quote(near[0])}? It does not hold the table.`;
  }
}
