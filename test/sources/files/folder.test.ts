/** Files of this machine: a folder, and an object store's prefix. */
import { rmSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { openPlaces } from "../../../src/cli/open-places.ts";
import { type TestWorld, testTenant, testWorld } from "../test-world.ts";
import { HastyClock, oneStream, openFilesLanding } from "./files-landing.ts";
import { xls } from "./publisher.ts";

/** Some time ago, so that no file is too fresh to be trusted. */
const longAgo = new Date("2024-01-02T03:04:05Z");

async function makeFolder(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "leat-files-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [path, body] of Object.entries(files)) await put(folder, path, body);
  return folder;
}

async function put(folder: string, path: string, body: string | Buffer, changedAt = longAgo): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), body);
  await utimes(join(folder, path), changedAt, changedAt);
}

const world = (folder: string) => ({
  ...testWorld({ clock: new HastyClock() }),
  places: openPlaces(folder, new AbortController().signal),
});

describe.each(["folder", "bucket"] as const)("a %s", (kind) => {
  const at = (path: string) => (kind === "folder" ? { folder: path } : { bucket: `file:${path}` });

  test("is looked through to its depths; hidden files and lock files are left out and told", async () => {
    const folder = await makeFolder({
      "in/2018.xls": xls("2018"),
      "in/old/2010/deaths.XLSX.xls": xls("deep"),
      "in/notes.txt": "no",
      "in/~$2018.xls": xls("lock"),
      "in/.hidden.xls": xls("hidden"),
      "in/.git/2.xls": xls("hidden"),
      "elsewhere.xls": xls("elsewhere"),
    });
    const source = oneStream({ ...at("in"), match: ["{year}.xls", "**/*.xls*"] });
    const landing = openFilesLanding(source, { world: world(folder) });
    await landing.run();
    expect((await landing.newest()).map(({ id, name, fields }) => [id, name, fields])).toEqual([
      ["2018.xls", "2018.xls", { year: "2018" }],
      ["old/2010/deaths.XLSX.xls", "deaths.XLSX.xls", {}],
    ]);
    expect(landing.warnings()).toEqual(["left out, as lock files of open documents: ~$2018.xls"]);
  });

  test("is read again only where size or time of change are others", async () => {
    const folder = await makeFolder({ "1.csv": "a\n1\n", "2.csv": "a\n2\n" });
    const landing = openFilesLanding(oneStream(at(folder)), { world: world(folder) });
    await landing.run();
    expect(await landing.run()).toMatchObject({ status: "unchanged", receivedBytes: 0 });
    await put(folder, "1.csv", "a\n1\n", new Date()); // Touched.
    await put(folder, "2.csv", "a\n3\n", new Date("2024-02-02"));
    expect((await landing.run()).counts).toMatchObject({ landed: 1, boundarySkipped: 1 });
    expect(await landing.versions()).toMatchObject([
      { id: "1.csv", lastModified: longAgo.toISOString() },
      { id: "2.csv", version: 1 },
      { id: "2.csv", version: 2, lastModified: "2024-02-02T00:00:00.000Z" },
    ]);
    // Changed a moment ago: the same instant may see another change, so that it is read once more.
    expect((await landing.run()).receivedBytes).toBe(4);
  });

  test("that is empty, or has nothing that fits, lands nothing and is told", async () => {
    const folder = await makeFolder({ "in/a.txt": "a" });
    const landing = openFilesLanding(oneStream({ ...at(`${folder}/in`), match: "*.xls" }), {
      world: world(folder),
    });
    expect((await landing.run()).status).toBe("unchanged");
    await rm(join(folder, "in/a.txt"));
    await landing.run();
    expect(landing.warnings()).toEqual([
      expect.stringMatching(/^none of the 1 (files|objects) in .* fits "\*\.xls"$/),
      expect.stringMatching(/has no (files|objects)$/),
    ]);
  });

  test("of the tenant's own; a tenant does not lead out of it", async () => {
    const folder = await makeFolder({ "in/berlin/1.csv": "b\n", "in/oslo/1.csv": "o\n" });
    const landing = openFilesLanding(oneStream(at("in/{tenant.city}")), { world: world(folder) });
    await landing.run({ tenant: testTenant({ city: "oslo" }) });
    expect(await landing.read((await landing.newest())[0]!)).toEqual(Buffer.from("o\n"));
    await expect(landing.run({ tenant: testTenant({ city: "../.." }) })).rejects.toMatchObject({
      code: "TENANTS_INVALID",
    });
  });

  test("that loses a file between finding and fetching refuses that one by name", async () => {
    const folder = await makeFolder({ "1.csv": "1\n", "2.csv": "2\n", "3.csv": "3\n" });
    const watched: TestWorld = {
      ...world(folder),
      progress: (event) => {
        if (event.type === "extract") rmSync(join(folder, "2.csv"), { force: true });
      },
    };
    const landing = openFilesLanding(oneStream(at(folder)), { world: watched });
    await expect(landing.run()).rejects.toMatchObject({
      code: "FILE_REFUSED",
      details: { landed: 2, refused: [{ name: "2.csv", code: "SOURCE_FAILED" }] },
    });
  });
});

test("a missing folder is told with the place it was looked for", async () => {
  const folder = await makeFolder({});
  const landing = openFilesLanding(oneStream({ folder: "incoming" }), { world: world(folder) });
  await expect(landing.run()).rejects.toMatchObject({
    code: "SOURCE_UNREACHABLE",
    retryable: false,
    message: `The folder ${join(folder, "incoming")} does not exist.`,
  });
});

test("links are followed, one that leads round once, one that leads nowhere not at all", async () => {
  const folder = await makeFolder({ "in/1.csv": "1\n", "store/2.csv": "2\n" });
  await symlink(join(folder, "store"), join(folder, "in/linked"));
  await symlink(join(folder, "in"), join(folder, "store/round"));
  await symlink(join(folder, "store/2.csv"), join(folder, "in/two.csv"));
  await symlink(join(folder, "nowhere"), join(folder, "in/lost.csv"));
  const landing = openFilesLanding(oneStream({ folder: pathToFileURL(join(folder, "in")) }), {
    world: world(folder),
  });
  await landing.run();
  expect((await landing.newest()).map(({ id }) => id)).toEqual(["1.csv", "linked/2.csv", "two.csv"]);
});

test("a file that grows while it is read is not landed half", async () => {
  const folder = await makeFolder({ "1.csv": Buffer.alloc(1024 * 1024, "a\n") });
  const landing = openFilesLanding(oneStream({ folder }), { world: world(folder) });
  const reader = await oneStream({ folder }).openFiles!("docs", testTenant(), landing.world);
  const found = [];
  for await (const file of reader.find(new AbortController().signal)) found.push(file);
  const fetched = await reader.fetch(found[0]!, undefined, new AbortController().signal);
  const read = async () => {
    if (fetched.status !== "fetched") throw new Error("it is fetched");
    let isFirst = true;
    for await (const _ of fetched.body) {
      if (isFirst) await appendFile(join(folder, "1.csv"), "more\n");
      isFirst = false;
    }
  };
  await expect(read()).rejects.toMatchObject({ code: "SOURCE_TRUNCATED", retryable: true });
});

test.each([
  "gs://My Bucket/prefix",
  "s3://bucket/prefix?speed=1",
])("%s is refused in words", async (bucket) => {
  const landing = openFilesLanding(oneStream({ bucket }), { world: world("/tmp") });
  await expect(landing.run()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
});
