/** Checks one declared column; which form it has is told by the member that says where its values come from. */
import { z } from "zod";
import { type Fault, faultsOf, printPath } from "../errors/faults.ts";
import { nearestName } from "../errors/nearest-name.ts";
import type { CellSpec, ColumnSpec, Pattern, TextPart, TypedPart, WantedText } from "./layout.ts";
import { isPeriodKind } from "./layout.ts";
import { periodKinds } from "./periods.ts";
import type { PeriodForm, SymbolMeaning, ValueKind } from "./workbook-options.ts";

export const patternSchema: z.ZodType<Pattern> = z
  .strictObject(
    { pattern: z.string(), flags: z.string().default("") },
    { error: () => "write a regular expression, such as /^E\\d{8}$/" },
  )
  .superRefine(({ pattern, flags }, context) => {
    try {
      new RegExp(pattern, flags);
    } catch {
      context.addIssue({ code: "custom", message: `/${pattern}/${flags} is not a regular expression` });
    }
  });

const nameText = z.string().trim().min(1, "must not be empty");

export const wantedSchema: z.ZodType<WantedText> = z.union([nameText, patternSchema], {
  error: () => "write a name or a regular expression",
});

export const wantedListSchema: z.ZodType<readonly WantedText[]> = z.union(
  [wantedSchema.transform((one) => [one]), z.array(wantedSchema).min(1, "name at least one")],
  { error: () => "write a name, a regular expression, or a list of them" },
);

/** One of a few words, with a message that lists them. */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  words: Words,
): z.ZodType<Words[number]> {
  const error = (issue: z.core.$ZodRawIssue) =>
    `${JSON.stringify(issue.input)} is not known; use ${words.join(", ")}`;
  return z.enum(words, { error }) as unknown as z.ZodType<Words[number]>; // zod maps names to values; here both are the same.
}

const kinds = [
  "text",
  "integer",
  "number",
  "decimal",
  "boolean",
  "date",
  "datetime",
  ...periodKinds,
] as const;
const kindSchema: z.ZodType<ValueKind> = oneOf(kinds);
const asSchema: z.ZodType<PeriodForm> = oneOf(["iso", "start", "end", "year", "number", "name"]);
const meanings: z.ZodType<SymbolMeaning> = oneOf(["zero", "empty", "missing", "suppressed", "mark"]);

/** A column of the n-th place; a spreadsheet has no more columns than these. */
const placeSchema = z.int().min(1).max(16_384);

const typedMembers = {
  kind: kindSchema.optional(),
  as: asSchema.optional(),
  year: z.union([nameText, z.strictObject({ column: nameText })]).optional(),
  dateOrder: oneOf(["dmy", "mdy"]).optional(),
};

const textMembers = {
  ...typedMembers,
  fill: oneOf(["down"]).optional(),
  marks: oneOf(["cut", "keep"]).optional(),
  take: oneOf(["first", "last", "each"]).optional(),
  separator: patternSchema.optional(),
  match: patternSchema.optional(),
};

const symbolsSchema = z.record(nameText, meanings);
const optional = z.boolean().optional();

const schemas = {
  cell: z.strictObject({
    ...textMembers,
    header: wantedListSchema.optional(),
    values: patternSchema.optional(),
    letter: z
      .string()
      .regex(/^[A-Za-z]{1,3}$/, "write a column's letters, such as B")
      .optional(),
    nth: placeSchema.optional(),
    optional,
    figure: z
      .literal(true, { error: () => "of a column with a header `figure` is true or left out" })
      .optional(),
    symbols: symbolsSchema.optional(),
  }),
  label: z.strictObject({
    ...textMembers,
    label: z.union([oneOf(["first", "last", "level"]), placeSchema], {
      error: () => "use first, last, level or the number of a label column",
    }),
    values: patternSchema.optional(),
    optional,
  }),
  section: z.strictObject({ ...textMembers, section: oneOf(["all", "first", "last"]) }),
  caption: z.strictObject({ ...textMembers, caption: z.literal(true) }),
  heading: z.strictObject({
    ...typedMembers,
    heading: z.int().min(1).max(6),
    blank: z.string().optional(),
    count: placeSchema.optional(),
    marks: oneOf(["cut", "keep"]).optional(),
  }),
  figure: z.strictObject({
    ...typedMembers,
    figure: z.union(
      [z.literal(true), z.strictObject({ header: wantedSchema }), z.strictObject({ nth: placeSchema })],
      { error: () => "use true, { header: … } or { nth: … }" },
    ),
    symbols: symbolsSchema.optional(),
  }),
  flag: z.strictObject({ flag: nameText }),
  text: z.strictObject({ ...typedMembers, text: nameText }),
  place: z.strictObject({ place: oneOf(["file", "sheet", "row", "column", "cell"]) }),
} as const;

type Form = keyof typeof schemas;
type Input<F extends Form> = z.output<(typeof schemas)[F]>;

/** Checks one column; faults are added to `faults`, and `undefined` is given for a column that has any. */
export function checkColumn(name: string, input: unknown, faults: Fault[]): ColumnSpec | undefined {
  const path = ["columns", name];
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    faults.push({
      path: printPath(path),
      problem: "a column's name is letters, digits and _, not beginning with a digit",
    });
    return undefined;
  }
  const form = formOf(input);
  if (form === undefined) {
    const problem =
      "say where its values come from: header, label, section, heading, figure, flag, text, place or caption";
    faults.push({ path: printPath(path), problem });
    return undefined;
  }
  const parsed = schemas[form].safeParse(input);
  if (!parsed.success) {
    const known = Object.keys(schemas[form].shape);
    for (const fault of faultsOf(parsed.error)) faults.push(explainFault(fault, path, form, known));
    return undefined;
  }
  return toSpec(name, form, parsed.data as Input<Form>, path, faults); // Parsed by the schema of this very form.
}

function formOf(input: unknown): Form | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  const has = (key: string) => Object.hasOwn(input, key);
  // `values` tells label columns apart, too; by itself it finds a column.
  if (has("label")) return "label";
  if (has("header") || has("letter") || has("values")) return "cell";
  const forms = ["label", "section", "caption", "heading", "figure", "flag", "text", "place"] as const;
  return forms.find(has);
}

function explainFault(fault: Fault, path: readonly string[], form: Form, known: readonly string[]): Fault {
  const inner =
    fault.path === "(the whole)" ? "" : fault.path.startsWith("[") ? fault.path : `.${fault.path}`;
  if (fault.problem !== "unknown option") return { path: printPath(path) + inner, problem: fault.problem };
  const near = nearestName(fault.path, known);
  const kind = form === "cell" ? "a column with a header" : `a ${form} column`;
  const help = near === undefined ? `${kind} has ${known.join(", ")}` : `did you mean "${near}"?`;
  return { path: printPath(path) + inner, problem: `unknown option; ${help}` };
}

function toSpec(
  name: string,
  form: Form,
  input: Input<Form>,
  path: readonly string[],
  faults: Fault[],
): ColumnSpec {
  const add = (member: string, problem: string) =>
    faults.push({ path: printPath([...path, member]), problem });
  const of = <F extends Form>(_form: F) => input as Input<F>; // `form` says which schema has made it.
  switch (form) {
    case "cell": {
      const own = of("cell");
      const spec: CellSpec = {
        form,
        name,
        ...typedPart(own, own.figure === true ? "number" : "text", add),
        ...textPart(own, (own.kind ?? "text") === "text" ? "keep" : "cut"),
        header: own.header ?? [],
        values: own.values ?? null,
        letter: own.letter?.toUpperCase() ?? null,
        nth: own.nth ?? null,
        isOptional: own.optional ?? false,
        isFigure: own.figure ?? false,
        symbols: own.symbols ?? {},
      };
      if (spec.letter !== null && (spec.header.length > 0 || spec.nth !== null))
        add("letter", "stands alone: use it, or a header");
      if (own.symbols !== undefined && !spec.isFigure)
        add("symbols", "are read in figures only; add `figure: true`");
      if (spec.isFigure && (own.fill !== undefined || own.take !== undefined))
        add("figure", "is neither filled down nor split");
      return spec;
    }
    case "label": {
      const own = of("label");
      if (own.label === "level" && own.kind !== undefined && own.kind !== "integer")
        add("kind", "a level is an integer");
      const kind = own.label === "level" ? "integer" : "text";
      return {
        form,
        name,
        ...typedPart(own, kind, add),
        ...textPart(own, "cut"),
        label: own.label,
        values: own.values ?? null,
        isOptional: own.optional ?? false,
      };
    }
    case "section":
      return {
        form,
        name,
        ...typedPart(of("section"), "text", add),
        ...textPart(of("section"), "cut"),
        section: of("section").section,
      };
    case "caption":
      return { form, name, ...typedPart(of("caption"), "text", add), ...textPart(of("caption"), "cut") };
    case "heading": {
      const own = of("heading");
      return {
        form,
        name,
        ...typedPart(own, "text", add),
        heading: own.heading,
        blank: own.blank ?? null,
        count: own.count ?? null,
        marks: own.marks ?? "cut",
      };
    }
    case "figure":
      return {
        form,
        name,
        ...typedPart(of("figure"), "number", add),
        figure: of("figure").figure,
        symbols: of("figure").symbols ?? {},
      };
    case "flag":
      return { form, name, flag: of("flag").flag };
    case "text":
      return { form, name, ...typedPart(of("text"), "text", add), text: of("text").text };
    case "place":
      return { form, name, place: of("place").place };
  }
}

type TypedInput = Pick<Input<"heading">, "kind" | "as" | "year" | "dateOrder">;

function typedPart(
  own: TypedInput,
  fallback: ValueKind,
  add: (member: string, problem: string) => void,
): TypedPart {
  const kind = own.kind ?? fallback;
  const as = own.as ?? "iso";
  const isPeriod = isPeriodKind(kind);
  if (own.as !== undefined && !isPeriod) add("as", `is for periods, and the kind is ${kind}`);
  if (own.year !== undefined && (!isPeriod || kind === "year" || kind === "years")) {
    add("year", `is for months, quarters and weeks, and the kind is ${kind}`);
  }
  if (own.dateOrder !== undefined && kind !== "date" && kind !== "datetime")
    add("dateOrder", `is for dates, and the kind is ${kind}`);
  if (as === "name" && kind !== "month") add("as", "only a month has a name");
  if (as === "number" && (kind === "year" || kind === "years")) add("as", 'use "year"');
  const hasDays = kind === "month" || kind === "quarter" || kind === "year";
  if ((as === "start" || as === "end") && isPeriod && !hasDays) {
    add("as", `which days a ${kind} has differs from publisher to publisher; read them from the sheet`);
  }
  return { kind, as, year: own.year ?? null, dateOrder: own.dateOrder ?? null, decimal: "." }; // The sign is the whole table's: filled in there.
}

type TextInput = Pick<Input<"section">, "fill" | "marks" | "take" | "separator" | "match">;

function textPart(own: TextInput, marks: "cut" | "keep"): TextPart {
  return {
    fill: own.fill ?? null,
    marks: own.marks ?? marks,
    take: own.take ?? null,
    separator: own.separator ?? { pattern: "[,;]", flags: "" },
    match: own.match ?? null,
  };
}
