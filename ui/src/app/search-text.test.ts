import { expect, test } from "vitest";
import { z } from "zod/mini";
import { searchCount, searchFlag, searchText, searchTexts, searchWord } from "./search-fields.ts";
import { parseSearch, printSearch } from "./search-text.ts";

const schema = z.object({
  q: searchText,
  at: searchCount,
  on: searchFlag,
  state: searchTexts,
  tab: searchWord(["a", "b"]),
});
const read = (text: string) => schema.parse(parseSearch(text));

test("what is written is read back, one address for one view", () => {
  const view = { q: "näme & more", at: 12, on: true, state: ["failed", "queued"], tab: "b" } as const;
  const text = printSearch(view);
  expect(text).toBe("?q=n%C3%A4me+%26+more&at=12&on=true&state=failed&state=queued&tab=b");
  expect(read(text)).toEqual(view);
  expect(printSearch({ ...view, q: undefined, on: false, tab: "" })).toBe("?at=12&state=failed&state=queued");
});

test("a list of one is a list", () => {
  expect(read("?state=failed").state).toEqual(["failed"]);
});

test("what is mistyped is left out, and the rest counts", () => {
  expect(read("?at=-3&on=maybe&tab=c&q=ok")).toEqual({ q: "ok" });
  expect(read("?at=1.5&q=1&q=2")).toEqual({});
});
