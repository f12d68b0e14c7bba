import { expect, test } from "vitest";
import { labelsOf, task } from "./task.ts";

test("what a task makes and reads may be said by its arguments", () => {
  const plain = task("plain", { produces: ["dataset:deaths"] }, () => 1);
  expect(labelsOf(plain.spec, [])).toEqual({ produces: ["dataset:deaths"], consumes: [] });
  const each = task(
    "each",
    { consumes: (area: string) => [`stream:ons.${area}`], produces: (area: string) => [`table:${area}`] },
    (_ctx, area: string) => area,
  );
  expect(labelsOf(each.spec, ["wales"])).toEqual({
    consumes: ["stream:ons.wales"],
    produces: ["table:wales"],
  });
});

test("labels that are no texts, or too long, are told with the task's name", () => {
  const odd = task(
    "odd",
    { produces: (length: number) => ["x".repeat(length)] },
    (_ctx, _length: number) => 1,
  );
  expect(labelsOf(odd.spec, [200]).produces).toHaveLength(1);
  expect(() => labelsOf(odd.spec, [201])).toThrow(/task "odd": its `produces` gave what are no labels/);
});
