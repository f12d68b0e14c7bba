import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LeatError } from "../errors/leat-error.ts";
import { readTenants } from "./read-tenants.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "leat-tenants-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (text: string) => {
  writeFileSync(join(folder, "tenants.json"), text);
  return readTenants({ declared: undefined, variable: undefined, folder, sources: [] });
};

function failure(text: string): LeatError {
  try {
    read(text);
  } catch (error) {
    if (error instanceof LeatError) return error;
  }
  throw new Error("it was taken");
}

describe("readTenants", () => {
  test("gives each tenant its id and whatever else its entry has", () => {
    expect(read('[{"id":"414","state":"ca","licenses":["A","B"]},{"id":"415"}]')).toEqual([
      { id: "414", fields: { state: "ca", licenses: ["A", "B"] } },
      { id: "415", fields: {} },
    ]);
  });

  test("a project that configures no tenants and has no file has one, default", () => {
    expect(readTenants({ declared: undefined, variable: undefined, folder, sources: [] })).toEqual([
      { id: "default", fields: {} },
    ]);
  });

  test("a file that was named must exist", () => {
    expect(() =>
      readTenants({ declared: "customers.json", variable: undefined, folder, sources: [] }),
    ).toThrow(/customers\.json cannot be read: there is none/);
    expect(() => readTenants({ declared: undefined, variable: "gone.json", folder, sources: [] })).toThrow(
      /gone\.json/,
    );
  });

  test("the environment's file wins over the project's list", () => {
    writeFileSync(join(folder, "other.json"), '[{"id":"9"}]');
    const tenants = readTenants({ declared: [{ id: "1" }], variable: "other.json", folder, sources: [] });
    expect(tenants.map((tenant) => tenant.id)).toEqual(["9"]);
  });

  test("a source that names a tenant which is not there is refused, with the known ones", () => {
    const sources = [{ name: "shop", streams: [], tenants: ["414", "41"], open: () => Promise.reject() }];
    const declared = [{ id: "414" }, { id: "415" }];
    expect(() => readTenants({ declared, variable: undefined, folder, sources })).toThrow(
      expect.objectContaining({
        code: "TENANT_UNKNOWN",
        message: 'The source "shop" names tenant "41", which the project does not have.',
        hint: expect.stringContaining("Known tenants: 414, 415."),
      }),
    );
  });

  test("two tenants of one id are refused, naming both positions", () => {
    const error = failure('[{"id":"414"},{"id":"415"},{"id":"414"}]');
    expect(error.code).toBe("TENANTS_INVALID");
    expect(error.details["faults"]).toEqual([{ path: "[2].id", problem: '"414" is also the id of [0]' }]);
  });

  test("every fault is told at once", () => {
    const error = failure('[{"id":414},{"name":"x"},7,{"id":""},{"id":"\\ud800"},{"id":"ok"}]');
    expect(error.details["faults"]).toEqual([
      { path: "[0].id", problem: 'must be text: write "414"' },
      { path: "[1].id", problem: "is missing" },
      { path: "[2]", problem: "must be an object with an id" },
      { path: "[3].id", problem: "must not be empty" },
      { path: "[4].id", problem: "is not well-formed text" },
    ]);
  });

  test("a file that is not JSON is told by its place, never by its text", () => {
    const error = failure('[{"id":"414",\n  "apiKey": "hunter2-hunter2" oops }]');
    expect(error.message).toMatch(/is not JSON/);
    expect(`${error.message} ${error.hint} ${String(error.cause)}`).not.toContain("hunter2");
  });

  test("what is not a list, or an empty one, is refused", () => {
    expect(failure('{"id":"414"}').message).toContain("must be a list of tenants");
    expect(failure("[]").message).toContain("must name at least one tenant");
  });
});
