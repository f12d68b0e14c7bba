/** What people are told when a bucket says no, and what is tried again before that. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { root } from "../../scripts/steps.ts";
import type { LeatError } from "../../src/errors/leat-error.ts";
import { openGcsStore } from "../../src/stores/gcs/open-gcs-store.ts";
import { openS3Store } from "../../src/stores/s3/open-s3-store.ts";
import { type FakeGcs, startFakeGcs } from "../fakes/start-fake-gcs.ts";
import { type FakeS3, startFakeS3 } from "../fakes/start-fake-s3.ts";
import { hastyWorld } from "./bucket-under-test.ts";

/** Of a secret's form, so that it can be looked for. */
const secret = "wJalrXUtnFEMI-hunter2";

const failureOf = (promise: Promise<unknown>): Promise<LeatError> =>
  promise.then(
    () => {
      throw new Error("it succeeded");
    },
    (error: LeatError) => {
      expect(JSON.stringify([error.message, error.hint, error.details, String(error.cause)])).not.toContain(
        secret,
      );
      return error;
    },
  );

describe("gs://", () => {
  let fake: FakeGcs;
  beforeEach(async () => {
    fake = await startFakeGcs();
    fake.buckets.make("acme");
  });
  afterEach(() => fake.close());

  const open = (bucket = "acme", signal?: AbortSignal) =>
    openGcsStore(
      hastyWorld(signal === undefined ? {} : { signal }),
      { bucket, prefix: "landing/", endpoint: fake.url },
      "leat/test",
    );

  test("a permission that is missing is told with the account and the role, and not tried again", async () => {
    const store = await open();
    fake.deny("storage.objects.create");
    const error = await failureOf(store.create("log/1.json", Buffer.from("{}")));
    expect(error).toMatchObject({ code: "STORE_DENIED", retryable: false });
    expect(error.message).toMatch(
      /^The object log\/1\.json in gs:\/\/acme\/landing cannot be written: 403, leat@example\.iam\.gserviceaccount\.com does not have storage\.objects\.create access/,
    );
    expect(error.hint).toContain("Grant roles/storage.objectUser on the bucket");
    expect(error.hint).toContain("gcloud storage buckets add-iam-policy-binding gs://acme");
    expect(fake.log).toHaveLength(1);
    fake.deny("storage.objects.get");
    expect(await failureOf(store.read("log/1.json"))).toMatchObject({
      code: "STORE_DENIED",
      hint: expect.stringContaining("roles/storage.objectViewer"),
    });
    fake.deny("storage.objects.list");
    const list = async () => {
      for await (const _ of store.list("log/"));
    };
    expect(await failureOf(list())).toMatchObject({ code: "STORE_DENIED" });
  });

  test("a bucket that does not exist is told by its name, on every verb", async () => {
    const store = await open("acme-typo");
    const list = async () => {
      for await (const _ of store.list("log/"));
    };
    const large = async () => {
      const writer = await store.openWriter("part");
      await writer.write(Buffer.alloc(9_000_000));
    };
    const create = () => store.create("a", Buffer.from(""));
    for (const attempt of [create, () => store.read("a"), list, large]) {
      expect(await failureOf(attempt())).toMatchObject({
        code: "STORE_MISSING",
        retryable: false,
        message: expect.stringContaining("gs://acme-typo/landing"),
        hint: expect.stringContaining("gcloud storage buckets create gs://acme-typo"),
      });
    }
  });

  test("a limit that does not go away ends after eight tries, and the run may be repeated", async () => {
    const store = await open();
    fake.plan(() => "429");
    expect(await failureOf(store.put("head", Buffer.from("1")))).toMatchObject({
      code: "STORE_UNWRITABLE",
      retryable: true,
      hint: expect.stringContaining("fewer runs at once"),
    });
    expect(fake.log).toHaveLength(8);
  });

  test("once the signal is aborted nothing is tried again, and a create's fate is still asked for", async () => {
    const interrupt = new AbortController();
    const store = await open("acme", interrupt.signal);
    fake.plan(({ verb }) => {
      interrupt.abort(new Error("Ctrl-C"));
      return verb === "insert" ? "after" : undefined;
    });
    expect(await store.create("log/1.json", Buffer.from("{}"))).toBe("created");
    expect(fake.log.map(({ verb }) => verb)).toEqual(["insert", "stat"]);
    fake.clearLog();
    fake.plan(() => "503");
    expect(await failureOf(store.read("log/1.json"))).toMatchObject({
      code: "STORE_UNREADABLE",
      retryable: true,
    });
    expect(fake.log).toHaveLength(1);
  });

  test("an object that is deleted while it is read is told so", async () => {
    const store = await open();
    fake.buckets.seed("acme", "landing/part", Buffer.alloc(3_000_000, "x"));
    fake.plan(({ verb }) => {
      if (verb !== "read") return undefined;
      setImmediate(() => fake.buckets.remove("acme", "landing/part"));
      return "truncated";
    });
    const drain = async () => {
      for await (const _ of (await store.readStream("part"))!);
    };
    expect(await failureOf(drain())).toMatchObject({
      code: "STORE_UNREADABLE",
      message: expect.stringContaining("it was deleted or replaced while it was being read"),
    });
  });

  test("a hint that is replaced while it is read is read anew", async () => {
    const store = await open();
    fake.buckets.seed("acme", "landing/head", "1".repeat(100_000));
    fake.plan(({ verb, number }) => {
      if (verb !== "read" || number > 1) return undefined;
      setImmediate(() => fake.buckets.seed("acme", "landing/head", "2".repeat(100_000)));
      return "truncated";
    });
    expect(Buffer.from((await store.read("head"))!).toString()).toBe("2".repeat(100_000));
  });

  test("without credentials, people are told how to get some, and no request is sent", async () => {
    const ended = await runLeat({
      LEAT_LANDING: "gs://acme/landing",
      METADATA_SERVER_DETECTION: "none",
      HOME: "/nonexistent",
    });
    expect(ended.stdout + ended.stderr).toMatch(/STORE_DENIED/);
    expect(ended.stderr).toContain("gcloud auth application-default login");
    expect(ended.stderr).not.toContain("MetadataLookupWarning");
  });

  test("a file of credentials that is none, or not there, is told without a letter of it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "leat-credentials-"));
    try {
      await writeFile(join(folder, "key.json"), `${secret} is no JSON`);
      for (const file of ["key.json", "missing.json"]) {
        const ended = await runLeat({
          LEAT_LANDING: "gs://acme/landing",
          GOOGLE_APPLICATION_CREDENTIALS: join(folder, file),
        });
        expect(ended.stderr).toContain("error STORE_DENIED");
        expect(ended.stderr).toContain("GOOGLE_APPLICATION_CREDENTIALS");
        expect(ended.stderr).not.toContain(secret.slice(0, 4));
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test("an emulator named by the client's own variable is refused, and the option is named", async () => {
    const ended = await runLeat({
      LEAT_LANDING: "gs://acme/landing",
      STORAGE_EMULATOR_HOST: "http://127.0.0.1:9",
      METADATA_SERVER_DETECTION: "none",
    });
    expect(ended.stderr).toMatch(/CONFIG_INVALID: STORAGE_EMULATOR_HOST sends requests/);
    expect(ended.stderr).toContain("?endpoint=http://host:port");
  });
});

describe("s3://", () => {
  let fake: FakeS3;
  beforeEach(async () => {
    process.env["AWS_ACCESS_KEY_ID"] = "test";
    process.env["AWS_SECRET_ACCESS_KEY"] = secret;
    fake = await startFakeS3();
    fake.buckets.make("acme");
  });
  afterEach(() => fake.close());

  const open = (bucket = "acme") =>
    openS3Store(
      hastyWorld(),
      { bucket, prefix: "landing/", endpoint: fake.url, region: undefined, isPathStyle: true },
      "leat/test",
    );

  test.each([
    [403, "AccessDenied", "STORE_DENIED", /s3:PutObject, s3:GetObject, s3:DeleteObject/],
    [403, "InvalidAccessKeyId", "STORE_DENIED", /AWS_ACCESS_KEY_ID/],
    [403, "SignatureDoesNotMatch", "STORE_DENIED", /AWS_ACCESS_KEY_ID/],
    [400, "ExpiredToken", "STORE_DENIED", /AWS_ACCESS_KEY_ID/],
    [404, "NoSuchBucket", "STORE_MISSING", /aws s3 mb s3:\/\/acme/],
    [403, "RequestTimeTooSkewed", "STORE_UNWRITABLE", /clock/],
  ] as const)("%i %s is %s, with what to do, and not tried again", async (status, code, told, hint) => {
    const store = await open();
    fake.fail({ status, code });
    const error = await failureOf(store.create("log/1.json", Buffer.from("{}")));
    expect(error).toMatchObject({ code: told, retryable: false });
    expect(error.hint).toMatch(hint);
    expect(error.message).toContain("s3://acme/landing");
    expect(fake.log).toHaveLength(1);
  });

  test.each([
    ["s3://acme/landing?region=eu-west-2", "STORE_DENIED", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
    ["s3://acme/landing", "STORE_UNREADABLE", "Add ?region="],
  ])("%s on a machine that knows nothing of AWS is %s, with what to set", async (landing, code, hint) => {
    const ended = await runLeat({
      LEAT_LANDING: landing,
      AWS_EC2_METADATA_DISABLED: "true",
      HOME: "/nonexistent",
    });
    expect(ended.stderr).toContain(`error ${code}`);
    expect(ended.stderr).toContain(hint);
  });

  test("a bucket that is too busy is told so after eight tries", async () => {
    const store = await open();
    fake.plan(() => "503");
    const error = await failureOf(store.read("log/1.json"));
    expect(error).toMatchObject({ code: "STORE_UNREADABLE", retryable: true });
    expect(fake.log).toHaveLength(8);
  });
});

describe("a client that is not installed", () => {
  test.each([
    ["gs://acme/landing", "@google-cloud/storage"],
    ["s3://acme/landing", "@aws-sdk/client-s3"],
  ])("%s names the install line of %s", async (landing, name) => {
    const hook = `import { registerHooks } from "node:module";
      registerHooks({ resolve(name, context, next) {
        if (name === ${JSON.stringify(name)}) throw Object.assign(new Error("not found"), { code: "ERR_MODULE_NOT_FOUND" });
        return next(name, context);
      } });`;
    const ended = await runLeat({ LEAT_LANDING: landing }, [
      "--import",
      `data:text/javascript,${encodeURIComponent(hook)}`,
    ]);
    expect(ended.stderr).toContain("error DEPENDENCY_MISSING");
    expect(ended.stderr).toContain(`npm install ${name}`);
    expect(ended.code).toBe(2);
  });
});

/** `leat state show` in the example: opens the landing, and asks it at once. */
async function runLeat(
  environment: Readonly<Record<string, string>>,
  before: readonly string[] = [],
): Promise<Readonly<{ code: number | null; stdout: string; stderr: string }>> {
  const child = spawn(process.execPath, [...before, join(root, "bin/leat.js"), "state", "show"], {
    cwd: join(root, "examples/stashstock"),
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, stdout, stderr };
}
