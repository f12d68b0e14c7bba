import { expect, test } from "vitest";
import { z } from "zod";
import { prefill, printValue, readForm } from "./field-text.ts";
import { readFields } from "./read-schema.ts";

const schema = z.toJSONSchema(
  z.object({
    from: z.iso.date().meta({ title: "From", description: "First day." }),
    until: z.iso.date().default("2026-02-01"),
    mode: z.enum(["quick", "whole"]).default("quick"),
    most: z.int().min(1).max(100).optional(),
    isDry: z.boolean().default(false),
    names: z.array(z.string()).default([]),
    other: z.object({ a: z.number() }).optional(),
  }),
  { io: "input" },
);
const fields = readFields(schema);

test("fields are what the schema says", () => {
  expect(fields.map(({ name, title, isRequired, kind }) => [name, title, isRequired, kind.type])).toEqual([
    ["from", "From", true, "text"],
    ["until", "until", false, "text"],
    ["mode", "mode", false, "choice"],
    ["most", "most", false, "number"],
    ["isDry", "isDry", false, "flag"],
    ["names", "names", false, "texts"],
    ["other", "other", false, "json"],
  ]);
  expect(fields[0]).toMatchObject({ about: "First day.", kind: { format: "date" } });
  expect(fields[3]?.kind).toMatchObject({ isWhole: true, min: 1, max: 100 });
  expect(readFields("no schema")).toEqual([]);
});

test("a form is filled with the deployment's parameters over the flow's, and gives back what it was filled with", () => {
  const params = { from: "2026-01-05", mode: "whole", isDry: true, names: ["ann", "bob"], other: { a: 1 } };
  const texts = prefill(fields, params);
  expect(texts["until"]).toBe("2026-02-01");
  expect(readForm(fields, texts)).toEqual({ values: { ...params, until: "2026-02-01" }, faults: {} });
});

test("what is empty is left out, what is required is missed, what is mistyped is told", () => {
  const { values, faults } = readForm(fields, { from: "", most: "many", other: "{a:1}", mode: "" });
  expect(values).toEqual({});
  expect(faults).toMatchObject({ from: "is required", most: '"many" is not a number' });
  expect(faults["other"]).toContain("JSON");
});

test("the server judges what can be sent", () => {
  expect(readForm(fields, { from: "yesterday", most: "1000" }).values).toEqual({
    from: "yesterday",
    most: 1000,
  });
  expect(printValue({ type: "text", isLong: false, format: undefined, pattern: undefined }, null)).toBe("");
});
