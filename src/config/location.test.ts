import { describe, expect, test } from "vitest";
import { LeatError } from "../errors/leat-error.ts";
import { parseLocation, resolvePlace } from "./location.ts";

const codeOf = (url: string, what: "landing" | "warehouse"): string => {
  try {
    parseLocation(url, what, "LEAT_X", "/project");
  } catch (error) {
    if (error instanceof LeatError) return error.code;
    throw error;
  }
  return "none";
};

describe("parseLocation", () => {
  test.each([
    ["file:.leat/landing", "landing", "/project/.leat/landing"],
    ["file:/srv/landing", "landing", "/srv/landing"],
    ["file:///srv/with%20blank", "landing", "/srv/with blank"],
    ["duckdb:shop.duckdb", "warehouse", "/project/shop.duckdb"],
    ["DUCKDB:/srv/a b.duckdb", "warehouse", "/srv/a b.duckdb"],
  ] as const)("%s is a place on the disk", (url, what, path) => {
    expect(parseLocation(url, what, "landing", "/project").path).toBe(path);
  });

  test("a password in an address is not repeated", () => {
    expect(() => parseLocation("mysql://u:hunter2@h/d", "warehouse", "LEAT_WAREHOUSE", "/p")).toThrow(
      /^LEAT_WAREHOUSE: the warehouse's address has the unknown scheme "mysql:"\.$/,
    );
  });

  test.each([
    [".leat/landing", "landing"],
    ["duckdb:x", "landing"],
    ["file:", "landing"],
    ["file://other-machine/x", "landing"],
    ["duckdb::memory:", "warehouse"],
    ["file:x", "warehouse"],
  ] as const)("%s is refused", (url, what) => {
    expect(codeOf(url, what)).toBe("CONFIG_INVALID");
  });
});

describe("resolvePlace", () => {
  test("takes a path or a file URL", () => {
    expect(resolvePlace("/project", "tenants.json")).toBe("/project/tenants.json");
    expect(resolvePlace("/project", "/srv/tenants.json")).toBe("/srv/tenants.json");
    expect(resolvePlace("/project", "file:tenants.json")).toBe("/project/tenants.json");
    expect(resolvePlace("/project", "file:///srv/a%20b.json")).toBe("/srv/a b.json");
  });

  test("refuses an object in a bucket by name, until a later version", () => {
    expect(() => resolvePlace("/project", "gs://bucket/tenants.json")).toThrow(
      expect.objectContaining({ code: "NOT_SUPPORTED" }),
    );
  });
});
