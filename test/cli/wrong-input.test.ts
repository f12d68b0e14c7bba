/** What a person gets who mistypes, misconfigures, or meets a partner that fails: a code, a hint, an exit code. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ended, makeFolder, orderProject, type TestFolder } from "./leat-process.ts";

let folder: TestFolder;
beforeAll(() => {
  folder = makeFolder();
  folder.write("tenants.json", '[{"id":"414","key":"env:KEY_414"},{"id":"415"}]');
  folder.write("data/414.ndjson", '{"id":1,"updated_at":"2026-01-02T10:00:00Z"}\n');
  folder.write("data/415.ndjson", '{"id":2,"updated_at":"2026-01-02T10:00:00Z"}\n');
  const pages = `
    if (tenant.fields.key !== undefined) await secrets.resolve(String(tenant.fields.key));
    yield (await readFile(new URL(\`data/\${tenant.id}.ndjson\`, import.meta.url), "utf8"));`;
  folder.write("leat.config.ts", orderProject({ pages }).replace(', spanMax: "24h"', ""));
});
afterAll(() => folder.remove());

const refused = ({ code, stdout, stderr }: Ended) => ({ code, stdout, stderr });

describe("wrong usage is exit code 2, and nothing is done", () => {
  test.each([
    ["an unknown command", ["sincy"], /error USAGE: unknown command 'sincy'\n\(Did you mean sync\?\)/],
    [
      "an unknown option",
      ["sync", "--form", "x"],
      /error USAGE: unknown option '--form'\n\(Did you mean --from\?\)/,
    ],
    ["a missing argument", ["query"], /missing required argument 'sql'/],
    ["no command", [], /Usage: leat/],
    [
      "a stream that is not there",
      ["sync", "shop.ordres"],
      /STREAM_UNKNOWN.*\n {2}hint: Did you mean "shop.orders"\?/,
    ],
    ["a tenant that is not there", ["sync", "-t", "444"], /TENANT_UNKNOWN.*\n {2}hint: Did you mean "414"\?/],
    ["a range that cannot be read", ["sync", "--from", "yesterday"], /CURSOR_INVALID.*yesterday/],
    ["a number that is none", ["sync", "--concurrency", "many"], /USAGE: --concurrency "many"/],
    ["a configuration that is not there", ["check", "-c", "elsewhere"], /CONFIG_MISSING.*elsewhere/],
  ])("%s", async (_what, args, message) => {
    const ended = refused(await folder.leat(...args));
    expect(ended.stderr).toMatch(message);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
  });

  test("with --json stdout is one JSON document all the same", async () => {
    const unknown = await folder.leat("sync", "shop.ordres", "--json");
    expect(unknown.code).toBe(2);
    expect(JSON.parse(unknown.stdout).error).toMatchObject({
      code: "STREAM_UNKNOWN",
      retryable: false,
      details: { known: ["shop.orders"] },
    });
    const usage = await folder.leat("sync", "--form", "--json");
    expect(usage.code).toBe(2);
    expect(JSON.parse(usage.stdout).error).toMatchObject({ code: "USAGE" });
  });
});

describe("one tenant's missing secret", () => {
  test("is found by check, with every place looked at", async () => {
    const ended = await folder.leat("check", "--json");
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      ok: false,
      problems: [
        { code: "SECRET_MISSING", message: "The secret env:KEY_414 is not set.", details: { tenant: "414" } },
      ],
    });
    expect(ended.stderr).toContain(join(folder.path, ".env"));
  });

  test("fails that tenant with exit code 1, and the other is served", async () => {
    const ended = await folder.leat("sync", "--json", "--quiet");
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      ok: false,
      results: [
        { tenant_id: "414", ok: false, status: "extract-failed", error: { code: "SECRET_MISSING" } },
        { tenant_id: "415", ok: true, load: { loaded: 1 } },
      ],
    });
    expect(ended.stderr).toMatch(/^error SECRET_MISSING: .*\n {2}hint: /);
  });

  test("is over when .env has it, and no secret is ever printed", async () => {
    folder.write(".env", "KEY_414=hunter2-hunter2\n");
    const ended = await folder.leat("sync");
    expect(ended.code).toBe(0);
    expect(ended.stdout + ended.stderr).not.toContain("hunter2");
  });
});

describe("the world fails", () => {
  test("what a stream's own code throws is told with its cause, without the secret in it", async () => {
    const pages = `
      const key = await secrets.resolve("env:KEY_414");
      throw new Error(\`partner said no to \${key}\`);`;
    folder.write("failing/leat.config.ts", orderProject({ pages, more: 'landing: "file:landing",' }));
    folder.write("failing/tenants.json", '[{"id":"1"}]');
    folder.write("failing/.env", "KEY_414=hunter2-hunter2\n");
    const ended = await folder.leat("sync", "--config", "failing", "--json");
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout).results[0].error).toMatchObject({ code: "EXTRACT_FAILED" });
    expect(ended.stdout + ended.stderr).toContain("partner said no to [secret env:KEY_414]");
    expect(ended.stdout + ended.stderr).not.toContain("hunter2");
  });

  test("two tenants of one id are refused, naming both places", async () => {
    folder.write("twins/leat.config.ts", orderProject());
    folder.write("twins/tenants.json", '[{"id":"1"},{"id":"2"},{"id":"1"}]');
    const ended = await folder.leat("sync", "--config", "twins");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/error TENANTS_INVALID: .*\n {2}\[2\]\.id: "1" is also the id of \[0\]/);
  });

  test("all faults of a configuration are listed with their paths", async () => {
    folder.write(
      "faulty/leat.config.ts",
      'import { defineProject } from "leat";\nexport default defineProject({ name: "", sources: [7], oops: 1 } as never);\n',
    );
    const ended = await folder.leat("check", "--config", "faulty");
    expect(ended.code).toBe(2);
    for (const path of ["name: ", "sources[0]: ", "oops: "]) expect(ended.stderr).toContain(`\n  ${path}`);
  });

  test("a configuration that cannot be parsed, or exports nothing, says so", async () => {
    folder.write("broken/leat.config.ts", "export default {{{\n");
    const broken = await folder.leat("check", "--config", "broken");
    expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining("cannot be imported") });
    folder.write("empty/leat.config.ts", "export const project = 1;\n");
    const empty = await folder.leat("check", "--config", "empty");
    expect(empty).toMatchObject({ code: 2, stderr: expect.stringContaining("does not export a project") });
  });

  test("a landing in a bucket that cannot exist is refused by name", async () => {
    const { ended } = folder.start(["sync"], { LEAT_LANDING: "gs://My Bucket/landing" });
    expect(await ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/error CONFIG_INVALID: LEAT_LANDING: .*"My Bucket", which cannot exist/),
    });
  });

  test("a warehouse that is no database is told by its path, and what was landed stays", async () => {
    const path = join(folder.path, "not-a-database.duckdb");
    writeFileSync(path, "this is text, not a database, and long enough to be looked at as one".repeat(100));
    const { ended } = folder.start(["sync", "--json", "-q"], { LEAT_WAREHOUSE: `duckdb:${path}` });
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(JSON.parse(stdout).results[0]).toMatchObject({
      status: "load-failed",
      error: { code: "WAREHOUSE_UNREADABLE" },
    });
    expect(readFileSync(path, "utf8")).toContain("this is text");
  });

  test("a landing that cannot be written is told, and the cursor has not moved", async () => {
    if (process.getuid?.() === 0) {
      // Root writes everywhere; a file where a folder belongs refuses everybody.
      folder.write("locked", "");
    } else {
      folder.write("locked/x", "");
      chmodSync(join(folder.path, "locked"), 0o500);
    }
    const { ended } = folder.start(["sync", "--json", "-q"], { LEAT_LANDING: "file:locked" });
    const { code, stdout } = await ended;
    expect(code).toBe(1);
    expect(JSON.parse(stdout).results[0].error.code).toMatch(/^STORE_UN(WRITABLE|READABLE)$/);
  });
});
