/** Secrets of Secret Manager, over HTTP, with the credentials of a service. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openGoogleSecrets, parseGoogleSecret } from "../../src/config/google-secrets.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import { type FakeSecretManager, startSecretManager } from "../fakes/secret-manager.ts";
import { startTokenIssuer, type TokenIssuer } from "../fakes/token-issuer.ts";

const secret = "projects/my-project/secrets/partner-key";
let issuer: TokenIssuer;
let manager: FakeSecretManager;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  process.env["GCE_METADATA_HOST"] = issuer.metadataHost;
  process.env["METADATA_SERVER_DETECTION"] = "assume-present";
  process.env["GOOGLE_CLOUD_PROJECT"] = "my-project"; // Else the library looks for it in many places.
});
beforeEach(async () => {
  manager = await startSecretManager(issuer.accessToken);
  manager.versions.set(`${secret}/versions/latest`, "first\n");
  manager.versions.set(`${secret}/versions/3`, "third");
  return () => manager[Symbol.asyncDispose]();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const open = () => {
  const clock = createFakeClock(Date.UTC(2026, 0, 1), "instant");
  return { clock, resolve: openGoogleSecrets({ clock, url: manager.url }) };
};

describe("openGoogleSecrets", () => {
  test("reads the newest version, as itself, without the line break of its last line", async () => {
    const { resolve } = open();
    expect(await resolve(secret)).toBe("first");
    expect(manager.requests[0]?.headers.authorization).toBe(`Bearer ${issuer.accessToken}`);
  });

  test("asks once for many, and again some minutes later, so that a rotation arrives", async () => {
    const { clock, resolve } = open();
    expect(
      await Promise.all([resolve(secret), resolve(`${secret}/versions/latest`), resolve(secret)]),
    ).toEqual(["first", "first", "first"]);
    expect(manager.requests).toHaveLength(1);
    manager.versions.set(`${secret}/versions/latest`, "second");
    await clock.advance(4 * 60_000);
    expect(await resolve(secret)).toBe("first");
    await clock.advance(60_000);
    expect(await resolve(secret)).toBe("second");
    expect(manager.requests).toHaveLength(2);
  });

  test("a version by number is asked for once and for all", async () => {
    const { clock, resolve } = open();
    expect(await resolve(`${secret}/versions/3`)).toBe("third");
    await clock.advance(24 * 3600_000);
    expect(await resolve(`${secret}/versions/3`)).toBe("third");
    expect(manager.requests).toHaveLength(1);
  });

  test("an outage does not take away what is known, for an hour", async () => {
    const { clock, resolve } = open();
    await resolve(secret);
    await clock.advance(10 * 60_000);
    manager.faults.push(...Array.from({ length: 4 }, () => ({ status: 503 })));
    expect(await resolve(secret)).toBe("first");
    await clock.advance(60 * 60_000);
    manager.faults.push(...Array.from({ length: 4 }, () => "before" as const));
    await expect(resolve(secret)).rejects.toMatchObject({ code: "CLOUD_UNAVAILABLE", retryable: true });
    expect(await resolve(secret)).toBe("first"); // It is back.
  });

  test("a passing failure is tried again, as late as it asks for", async () => {
    const { clock, resolve } = open();
    manager.faults.push({ status: 429, retryAfter: "7" }, "after");
    expect(await resolve(secret)).toBe("first");
    expect(manager.requests).toHaveLength(3);
    expect(clock.nowMs() - Date.UTC(2026, 0, 1)).toBe(7000 + 1000);
  });

  test("what is not there is told by its name, what is refused by the role that is missing", async () => {
    const { resolve } = open();
    const gone = "projects/my-project/secrets/gone";
    await expect(resolve(gone)).rejects.toMatchObject({
      code: "SECRET_MISSING",
      message: `The secret gcp-secret:${gone}/versions/latest does not exist.`,
    });
    manager.versions.set(`${gone}/versions/latest`, undefined);
    await expect(resolve(gone)).rejects.toThrow(/is disabled or destroyed/);
    manager.faults.push({ status: 403 });
    await expect(resolve(secret)).rejects.toMatchObject({
      code: "CLOUD_REFUSED",
      hint: expect.stringContaining("roles/secretmanager.secretAccessor"),
    });
    expect(await resolve(secret)).toBe("first"); // A refusal is not kept.
  });

  test("no error holds a value or a token", async () => {
    const { resolve } = open();
    for (const fault of [{ status: 403 }, { status: 400 }] as const) {
      manager.faults.push(fault);
      const error = await resolve(secret).catch((caught: unknown) => caught);
      const told = JSON.stringify(error, Object.getOwnPropertyNames(error));
      expect(told).not.toContain(issuer.accessToken);
      expect(told).not.toContain("first");
    }
  });

  test("a file of credentials that is no JSON is told as such, and no piece of it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "leat-credentials-"));
    process.env["GOOGLE_APPLICATION_CREDENTIALS"] = join(folder, "key.json");
    try {
      await writeFile(join(folder, "key.json"), "key-material");
      const error = await open()
        .resolve(secret)
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "CLOUD_REFUSED", message: expect.stringContaining("is not JSON") });
      expect(inspect(error, { depth: 5 })).not.toContain("key-mater");
    } finally {
      delete process.env["GOOGLE_APPLICATION_CREDENTIALS"];
      await rm(folder, { recursive: true });
    }
  });
});

describe("parseGoogleSecret", () => {
  test("a secret of one region is asked for there", () => {
    expect(parseGoogleSecret("projects/p/locations/europe-west1/secrets/s/versions/7")).toEqual({
      version: "projects/p/locations/europe-west1/secrets/s/versions/7",
      location: "europe-west1",
      isPinned: true,
    });
  });

  test.each([
    "sk_live_1234567",
    "projects/p/secrets/",
    "projects/p/secrets/s/versions/",
    "projects/p/secrets/s/../x",
  ])("%s is refused and not repeated", (name) => {
    const refuse = () => parseGoogleSecret(name);
    expect(refuse).toThrow(/does not name a secret/);
    expect(refuse).not.toThrow(name);
  });
});
