import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSecrets } from "./secrets.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "leat-secrets-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (environment: Record<string, string>) =>
  openSecrets(environment, { folder, dotenvPath: join(folder, ".env") }, async (name) => `value of ${name}`);

describe("openSecrets", () => {
  test("finds a secret in the environment and in a file, without its last line break", async () => {
    writeFileSync(join(folder, "key.txt"), "from a file\n");
    const secrets = open({ KEY: "from the environment" });
    expect(await secrets.resolve("env:KEY")).toBe("from the environment");
    expect(await secrets.resolve("file:key.txt")).toBe("from a file");
  });

  test("a missing one is told by its name and by every place looked at", async () => {
    await expect(open({}).resolve("env:KEY")).rejects.toMatchObject({
      code: "SECRET_MISSING",
      message: "The secret env:KEY is not set.",
      hint: expect.stringContaining(join(folder, ".env")),
    });
    await expect(open({ KEY: "" }).resolve("env:KEY")).rejects.toThrow(/is empty/);
    await expect(open({}).resolve("file:gone.txt")).rejects.toMatchObject({ code: "SECRET_MISSING" });
  });

  test("a secret written where its reference belongs is not repeated", async () => {
    const error = await open({}).resolve("hunter2-hunter2").catch(String);
    expect(error).toContain("neither env:NAME nor file:PATH");
    expect(error).not.toContain("hunter2");
  });

  test("one of Secret Manager is asked for there, and never told", async () => {
    const secrets = open({});
    const reference = "gcp-secret:projects/p/secrets/key";
    expect(await secrets.resolve(reference)).toBe("value of projects/p/secrets/key");
    expect(secrets.redact("it is value of projects/p/secrets/key")).toBe(`it is [secret ${reference}]`);
  });

  test("values that were resolved are taken out of text, in every form in which they are sent", async () => {
    const secrets = open({ KEY: "pa ss/word", SHORT: "1" });
    await secrets.resolve("env:KEY");
    await secrets.resolve("env:SHORT");
    const forms = [
      "pa ss/word",
      encodeURIComponent("pa ss/word"),
      Buffer.from("pa ss/word").toString("base64"),
    ];
    expect(secrets.redact(`1: ${forms.join(" and ")}`)).toBe(
      "1: [secret env:KEY] and [secret env:KEY] and [secret env:KEY]",
    );
  });
});
