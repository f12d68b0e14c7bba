import { describe, expect, test } from "vitest";
import { parseDateText } from "./date-text.ts";

describe("a date written as text", () => {
  test.each([
    ["2018-03-30", "2018-03-30"],
    ["2018-3-5", "2018-03-05"],
    ["2018-01-31 10:30", "2018-01-31T10:30:00"],
    ["2018-01-31T10:30:15.5", "2018-01-31T10:30:15.5"],
    ["2-Jan-15", "2015-01-02"],
    ["30 March 2018", "2018-03-30"],
    ["Friday, 30th March 2018", "2018-03-30"],
    ["March 30, 2018", "2018-03-30"],
    ["1 Sept 98", "1998-09-01"],
    ["31/12/2019", "2019-12-31"],
    ["5.5.2019", "2019-05-05"],
  ])("%j is %s", (text, iso) => {
    expect(parseDateText(text, null)).toBe(iso);
  });

  test("may be two, and is then read only in the order that is said", () => {
    expect(parseDateText("03/04/2020", null)).toBeUndefined();
    expect(parseDateText("03/04/2020", "dmy")).toBe("2020-04-03");
    expect(parseDateText("03/04/2020", "mdy")).toBe("2020-03-04");
    expect(parseDateText("31/12/2019", "mdy")).toBeUndefined();
  });

  test.each([
    "2018-02-29",
    "2018-13-01",
    "30 Foo 2018",
    "2018",
    "12:30",
    "",
    "2018-01-31 25:00",
  ])("%j is none", (text) => {
    expect(parseDateText(text, "dmy")).toBeUndefined();
  });
});
