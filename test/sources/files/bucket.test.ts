/** Files in real buckets: `gs://` and `s3://` as places that a source reads. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPlaces } from "../../../src/cli/open-places.ts";
import type { FakeBuckets } from "../../fakes/fake-objects.ts";
import type { FaultServer } from "../../fakes/fault-server.ts";
import { startFakeGcs } from "../../fakes/start-fake-gcs.ts";
import { startFakeS3 } from "../../fakes/start-fake-s3.ts";
import { testTenant, testWorld } from "../test-world.ts";
import { HastyClock, oneStream, openFilesLanding } from "./files-landing.ts";

describe.each([
  ["gs", startFakeGcs],
  ["s3", startFakeS3],
] as const)("%s://", (scheme, start) => {
  let fake: FaultServer & Readonly<{ buckets: FakeBuckets }>;
  beforeAll(async () => {
    // The client of S3 looks for credentials in the environment.
    process.env["AWS_ACCESS_KEY_ID"] = "test";
    process.env["AWS_SECRET_ACCESS_KEY"] = "test";
    fake = await start();
  });
  afterAll(() => fake.close());

  const open = (prefix: string) => {
    const world = {
      ...testWorld({ clock: new HastyClock() }),
      places: openPlaces("/nowhere", new AbortController().signal),
    };
    const bucket = `${scheme}://open-data/${prefix}?endpoint=${fake.url}`;
    return openFilesLanding(oneStream({ bucket, match: "**/*.csv" }), { world });
  };

  test("objects below a prefix are landed as they are, a tenant's own, and read again when they change", async () => {
    const seed = (key: string, body: string) => fake.buckets.seed("open-data", `in/oslo/${key}`, body);
    seed("2024/a.csv", "a\n1\n");
    seed("b.csv", "b\n");
    seed(".hidden.csv", "no");
    seed("notes.txt", "no");
    seed("folder/", "");
    fake.buckets.seed("open-data", "in/oslo-2/c.csv", "no");
    const landing = open("in/{tenant.city}");
    const tenant = testTenant({ city: "oslo" });
    await landing.run({ tenant });
    expect((await landing.newest()).map(({ id }) => id)).toEqual(["2024/a.csv", "b.csv"]);
    expect(await landing.read((await landing.newest())[0]!)).toEqual(Buffer.from("a\n1\n"));
    seed("b.csv", "b\n2\n");
    expect((await landing.run({ tenant })).counts).toMatchObject({ landed: 1 });
    expect(await landing.versions()).toHaveLength(3);
  });

  test("a bucket that does not exist fails the source, and says what to do", async () => {
    const world = {
      ...testWorld({ clock: new HastyClock() }),
      places: openPlaces("/nowhere", new AbortController().signal),
    };
    const bucket = `${scheme}://no-such-bucket/in?endpoint=${fake.url}`;
    await expect(openFilesLanding(oneStream({ bucket }), { world }).run()).rejects.toMatchObject({
      code: "SOURCE_UNREACHABLE",
      retryable: false,
      message: expect.stringContaining(`${scheme}://no-such-bucket/in`),
    });
  });
});
