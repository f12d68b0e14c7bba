import { matchesGlob } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compilePattern, type FilePattern, subjectCharsMax } from "./file-pattern.ts";

/** Holds a pattern against one path. */
function match(pattern: FilePattern, path: string, isAnchored = false) {
  const fits = compilePattern(pattern, isAnchored);
  if (typeof fits !== "function") throw new Error(fits.fault);
  return fits({ paths: [path], address: path });
}

const fault = (pattern: FilePattern) => compilePattern(pattern, true);

describe("globs", () => {
  test.each<[string, string, Record<string, string> | undefined]>([
    ["{year}.xls", "/data/2018.xls", { year: "2018" }],
    ["{year}.xls", "/data/12018.xls", undefined],
    ["{year}.xls", "/data/2018.xlsx", undefined],
    ["{year}.xls*", "/data/2018.XLSX", { year: "2018" }],
    ["/data/{year}.xls", "/old/data/2018.xls", undefined],
    ["data/{year}.xls", "/old/data/2018.xls", { year: "2018" }],
    ["publishedweek{week}{year}.xlsx", "/a/publishedweek522018.xlsx", { week: "52", year: "2018" }],
    [
      "{area}/**/{month}-{year}.csv",
      "/wales/a/b/may-2020.csv",
      { area: "wales", month: "may", year: "2020" },
    ],
    ["**/report (final) [[]1\\].{xls,ods}", "/x/report (final) [1].ods", {}],
    ["[a-c]?[!a-c].csv", "/bxd.csv", {}],
    ["[a-c]?[!a-c].csv", "/bxb.csv", undefined],
    ["a\\{b\\}\\*.csv", "/a{b}*.csv", {}],
    ["{deaths*,births?}.csv", "/deaths-2020.csv", {}],
    ["{deaths*,births?}.csv", "/births20.csv", undefined],
    ["*.csv", "/a/😀.csv", {}],
    ["[😀-😎]?.csv", "/a/😃x.csv", {}],
    ["{{year},latest}.csv", "/a/latest.csv", {}],
    ["/file?uri=**/{year}.xls", "/file?uri=/a/b/2018.xls", { year: "2018" }],
  ])("%s of %s is %j", (pattern, path, fields) => {
    expect(match(pattern, path)).toEqual(fields);
  });

  test("begin at the front of a path in a folder", () => {
    expect(match("*.csv", "in/1.csv", true)).toBeUndefined();
    expect(match("**/*.csv", "in/1.csv", true)).toEqual({});
    expect(match("**/*.csv", "1.csv", true)).toEqual({});
  });

  test("that cannot be read say why", () => {
    expect(fault("")).toEqual({ fault: expect.stringContaining("is empty") });
    expect(fault("{year.xls")).toEqual({ fault: expect.stringContaining("without its other half") });
    expect(fault("a]")).toEqual({ fault: expect.stringContaining("\\]") });
    expect(fault("{year}/{year}.xls")).toEqual({ fault: "has {year} twice" });
    expect(fault("{a,b}".repeat(7))).toEqual({ fault: "stands for more than 64 patterns" });
  });
});

describe("regular expressions", () => {
  test("see the whole address, and remember nothing from one to the next", () => {
    const fits = compilePattern(/deaths-(?<year>\d{4})(?:-(?<month>\d\d))?/gy, false);
    if (typeof fits !== "function") throw new Error(fits.fault);
    for (let times = 0; times < 3; times++) {
      expect(fits({ paths: [], address: "deaths-2018.xls" })).toEqual({ year: "2018" });
    }
  });
});

test("a path longer than any server takes is not looked at", () => {
  const long = `/${"a".repeat(subjectCharsMax)}.csv`;
  expect(match("*.csv", long)).toBeUndefined();
  expect(match(/csv/, long)).toBeUndefined();
});

test("what a publisher calls its files costs no more than milliseconds", () => {
  const longest = `/${"deaths2018".repeat(200)}`;
  const startedAtMs = performance.now();
  expect(match("**/*deaths*{year}*{what}*.xls", longest)).toBeUndefined();
  expect(performance.now() - startedAtMs).toBeLessThan(2000);
});

/** Text of a name: none of a glob's own characters, and no leading dot, which globs of Node's take apart. */
const nameText = fc.stringMatching(/^[a-z0-9_-]{1,6}$/);

test("of a path made from a pattern and values, the pattern gives the values back", () => {
  const field = fc.record({
    name: fc.stringMatching(/^[a-z_][a-z0-9_]{0,5}$/).filter((name) => name !== "year"),
    // Without the separators below, so that there is one way to read the path.
    value: fc.stringMatching(/^[a-zäß0-9_ %()]{1,6}$/),
  });
  const piece = fc.oneof(
    fc.record({ kind: fc.constant("field" as const), field }),
    fc.record({ kind: fc.constant("year" as const), year: fc.integer({ min: 1000, max: 9999 }) }),
    fc.record({ kind: fc.constant("folders" as const), names: fc.array(nameText, { maxLength: 3 }) }),
  );
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
      const wanted: Record<string, string> = {};
      let [pattern, path] = ["/x", "/x"];
      for (const one of pieces) {
        if (one.kind === "folders") {
          pattern += "/**/~";
          path += `/${one.names.map((name) => `${name}/`).join("")}~`;
          continue;
        }
        const [name, value] =
          one.kind === "year" ? ["year", `${one.year}`] : [one.field.name, one.field.value];
        if (Object.hasOwn(wanted, name)) continue;
        wanted[name] = value;
        pattern += `/.{${name}}.`;
        path += `/.${value}.`;
      }
      expect(match(pattern, path)).toEqual(wanted);
    }),
  );
});

// But that `**` beside other text crosses folders, as addresses within addresses need it.
test("globs without fields fit what Node's own fit", () => {
  const part = fc.oneof(nameText, fc.constantFrom("*", "?", "[a-c]", "[!a-c]", "{ab,b}", "a*b", ".x"));
  const segment = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .array(part, { minLength: 1, maxLength: 3 })
        .map((parts) => `a${parts.join("")}`.replaceAll(/\*+/g, "*")),
    },
    { weight: 1, arbitrary: fc.constant("**") },
  );
  const glob = fc
    .array(segment, { minLength: 1, maxLength: 4 })
    // A last `**` means other things to other globs, and two in a row one.
    .map((segments) =>
      [...segments.filter((name, at) => name !== "**" || segments[at + 1] !== "**"), "a*"].join("/"),
    );
  const path = fc
    .array(fc.stringMatching(/^a[abcx.]{0,4}$/), { minLength: 1, maxLength: 5 })
    .map((names) => names.join("/"));
  fc.assert(
    fc.property(glob, path, (pattern, subject) => {
      expect(match(pattern, subject, true) !== undefined).toBe(matchesGlob(subject, pattern));
    }),
    { numRuns: 500 },
  );
});
