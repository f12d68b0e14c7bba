import { describe, expect, test } from "vitest";
import { nameOfAddress, nameOfDisposition } from "./file-name.ts";

test.each([
  ["https://a.org/data/2018.xls?v=3", "2018.xls"],
  ["https://a.org/d/%C3%A9t%C3%A9%202018.xlsx", "été 2018.xlsx"],
  ["https://a.org/file?uri=/data/2018/week.xls", "week.xls"],
  ["https://a.org/download/?id=3&name=deaths.csv", "deaths.csv"],
  ["https://a.org/download?id=3", "download"],
  ["https://a.org/%E0%A4%A.xls", "%E0%A4%A.xls"],
  ["https://a.org/a%2Fb%5Cc.xls", "c.xls"],
  ["https://a.org/", "a.org"],
])("%s is called %s", (address, name) => {
  expect(nameOfAddress(new URL(address))).toBe(name);
});

describe("Content-Disposition", () => {
  test.each([
    ['attachment; filename="deaths 2018.xls"', "deaths 2018.xls"],
    ["attachment; filename=deaths.xls; size=3", "deaths.xls"],
    ['attachment; filename="a \\"b\\".xls"', 'a "b".xls'],
    ["attachment; filename=\"x.xls\"; filename*=UTF-8''%e2%82%ac%20rates.xls", "€ rates.xls"],
    ["attachment; filename*=iso-8859-1'en'%A3.xls; filename=pound.xls", "pound.xls"],
    ['attachment; filename="../../etc/passwd"', "passwd"],
    ['attachment; filename="C:\\\\temp\\\\x.xls"', "x.xls"],
    ["inline", undefined],
    ['attachment; filename=""', undefined],
    [undefined, undefined],
  ])("%s names %s", (header, name) => {
    expect(nameOfDisposition(header)).toBe(name);
  });
});
