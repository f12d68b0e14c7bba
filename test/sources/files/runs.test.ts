/** Runs that are cut off, stopped, rivalled or repeated: each version of each file is landed once. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { LeatError } from "../../../src/errors/leat-error.ts";
import { commitEmpty } from "../../../src/extract/commit-empty.ts";
import { editState } from "../../../src/extract/edit-state.ts";
import { collectGarbage } from "../../../src/landing/collect-garbage.ts";
import { verifyLog } from "../../../src/landing/verify-log.ts";
import { openScanner } from "../../../src/scan/open-scanner.ts";
import { openFsStore } from "../../../src/stores/fs/open-fs-store.ts";
import { createMemoryStore, type MemoryObjects } from "../../../src/testing/memory-store.ts";
import { type TestWorld, testTenant, testWorld } from "../test-world.ts";
import { type FilesLanding, HastyClock, oneStream, openFilesLanding } from "./files-landing.ts";
import { type Answer, linksTo, type Publisher, startPublisher } from "./publisher.ts";

const csv = (number: number): string => `n\n${number}\n`;

/** A page of so many files. */
const siteOf = (
  count: number,
  more: Readonly<Record<string, Answer>> = {},
): Readonly<Record<string, Answer>> => ({
  "/": linksTo(...Array.from({ length: count }, (_, index) => `${index}.csv`)),
  ...Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`/${index}.csv`, { body: csv(index), validators: "etag" }]),
  ),
  ...more,
});

const open = (publisher: Publisher, options: Parameters<typeof openFilesLanding>[1] = {}): FilesLanding =>
  openFilesLanding(oneStream({ page: publisher.origin, match: "*.csv" }), options);

/** Every file once, in its first version, with its own bytes. */
async function expectEachOnce(landing: FilesLanding, count: number): Promise<void> {
  const versions = await landing.versions();
  expect(versions.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(
    Array.from({ length: count }, (_, index) => `${index}.csv 1`).sort(),
  );
  for (const file of versions) {
    expect((await landing.read(file)).toString()).toBe(csv(Number(file.name.split(".")[0])));
  }
  expect(await verifyLog(landing.store, landing.place, { readsParts: true })).toMatchObject({
    faults: [],
    files: count,
  });
}

test("many files are committed some at a time", async () => {
  await using publisher = await startPublisher(siteOf(120));
  const landing = open(publisher);
  expect(await landing.run()).toMatchObject({ seqs: [1, 2, 3], counts: { received: 120, landed: 120 } });
  await expectEachOnce(landing, 120);
});

test("large files are committed as soon as there is enough of them", async () => {
  await using publisher = await startPublisher(siteOf(3));
  const stream = { page: publisher.origin, match: "*.csv", bounds: { checkpointBytes: 1 } };
  const landing = openFilesLanding(oneStream(stream));
  expect((await landing.run()).seqs).toEqual([1, 2, 3]);
});

test("files on their way are waited for before a commit, so that none is named by another package", async () => {
  await using publisher = await startPublisher(siteOf(20));
  const stream = { page: publisher.origin, match: "*.csv", concurrency: 4, bounds: { checkpointBytes: 1 } };
  const landing = openFilesLanding(oneStream(stream));
  await landing.run();
  await expectEachOnce(landing, 20);
  for (const { objectKey, seq } of await landing.versions()) {
    expect(objectKey).toContain(`/seq=${String(seq).padStart(12, "0")}/`);
  }
});

test("a process that is killed loses what it had not committed; the next one lands each file once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "leat-files-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  await using publisher = await startPublisher(siteOf(70, { "/60.csv": () => reach() }));
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("files-child.ts", import.meta.url)), publisher.origin, folder],
    { stdio: "inherit" },
  );
  const ended = once(child, "exit");
  await reached; // The sixty-first file is asked for, and its answer does not come.
  child.kill("SIGKILL");
  expect(await ended).toEqual([null, "SIGKILL"]);

  const landing = open(publisher, { store: openFsStore(folder) });
  expect(await landing.newest()).toHaveLength(50);
  publisher.site.set("/60.csv", { body: csv(60), validators: "etag" });
  publisher.asked();
  expect((await landing.run()).counts).toMatchObject({ received: 70, landed: 20, boundarySkipped: 50 });
  await expectEachOnce(landing, 70);

  const collect = () =>
    collectGarbage(landing.store, landing.place, {
      runMsMax: 0,
      isDryRun: false,
      commitEmpty: () =>
        commitEmpty(
          { store: landing.store, clock: landing.world.clock, random: landing.world.random, openScanner },
          { spec: landing.spec, tenant: landing.place.tenant, tenantColumn: "tenant_id" },
        ),
    });
  const collected = await collect();
  expect(collected.deleted).toBe(10); // What the killed process had fetched after its commit.
  expect((await collect()).deleted).toBe(0);
  await expectEachOnce(landing, 70);
  expect((await landing.run()).status).toBe("unchanged");
});

test("of two runs at once one commits; the other says so and changes nothing", async () => {
  const objects: MemoryObjects = new Map();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  let count = 0;
  await using publisher = await startPublisher(
    siteOf(5, {
      "/4.csv": async (_request, response) => {
        if (++count === 1) {
          reach();
          await held;
        }
        response.end(csv(4));
      },
    }),
  );
  const [first, second] = [1, 2].map(() => open(publisher, { store: createMemoryStore({ objects }) }));
  const slow = first!.run();
  slow.catch(() => {});
  await reached;
  expect((await second!.run()).counts.landed).toBe(5);
  release();
  await expect(slow).rejects.toMatchObject({ code: "STATE_CONFLICT", retryable: true });
  await expectEachOnce(first!, 5);
  expect((await first!.run()).status).toBe("unchanged");
});

test("a run that is stopped keeps what is complete, and says that it was stopped", async () => {
  const stop = new AbortController();
  await using publisher = await startPublisher(
    siteOf(5, { "/3.csv": () => stop.abort(new Error("SIGINT")) }),
  );
  const landing = open(publisher);
  await expect(landing.run({ signal: stop.signal })).rejects.toMatchObject({
    code: "INTERRUPTED",
    details: { source: "pub", stream: "docs", tenant: "414" },
  });
  expect((await landing.newest()).map(({ name }) => name)).toEqual(["0.csv", "1.csv", "2.csv"]);
  publisher.site.set("/3.csv", { body: csv(3) });
  await landing.run();
  await expectEachOnce(landing, 5);
});

test("a run that is late ends at a safe point; the next begins with what was never landed", async () => {
  const clock = new (class extends HastyClock {
    lateMs = 0;
    override nowMs(): number {
      return super.nowMs() + this.lateMs;
    }
  })();
  await using publisher = await startPublisher(siteOf(4));
  publisher.site.set("/1.csv", (_request, response) => {
    clock.lateMs = 3_600_000;
    response.end(csv(1));
  });
  const landing = open(publisher, { world: testWorld({ clock }) });
  const softDeadlineMs = clock.nowMs() + 60_000;
  const first = await landing.run({ softDeadlineMs });
  expect(first).toMatchObject({ status: "committed", hasMore: true, counts: { landed: 2 } });
  expect(first.missingFiles).toBeUndefined();
  publisher.asked();
  expect((await landing.run()).hasMore).toBe(false);
  expect(publisher.asked()).toEqual(["/", "/2.csv", "/3.csv", "/0.csv", "/1.csv"]);
  await expectEachOnce(landing, 4);
});

test("a delivery counts as done once, and not when a file was refused", async () => {
  await using publisher = await startPublisher(siteOf(2, { "/1.csv": { body: "" } }));
  const landing = open(publisher);
  await expect(landing.run({ idempotencyKey: "monday" })).rejects.toMatchObject({ code: "FILE_REFUSED" });
  publisher.site.set("/1.csv", { body: csv(1) });
  expect(await landing.run({ idempotencyKey: "monday" })).toMatchObject({ counts: { landed: 1 } });
  publisher.asked();
  expect(await landing.run({ idempotencyKey: "monday" })).toMatchObject({ status: "already-done", seqs: [] });
  expect(publisher.asked()).toEqual([]);
});

test("a full disk in the middle of a file stops the run; what was complete is committed when there is room", async () => {
  let isFull = false;
  const store = createMemoryStore({
    interpose: async (operation, effect) => {
      if (isFull && operation.kind === "write" && operation.key.includes("/file-")) {
        throw new LeatError("STORE_FULL", { message: "The disk is full." });
      }
      return effect();
    },
  });
  await using publisher = await startPublisher(siteOf(4));
  publisher.site.set("/2.csv", (_request, response) => {
    isFull = true;
    response.end(csv(2));
  });
  const landing = open(publisher, { store });
  await expect(landing.run()).rejects.toMatchObject({ code: "STORE_FULL" });
  expect(await landing.newest()).toHaveLength(2);
  isFull = false;
  publisher.site.set("/2.csv", { body: csv(2) });
  await landing.run();
  await expectEachOnce(landing, 4);
});

test("more files than the bound are an error before anything is fetched", async () => {
  await using publisher = await startPublisher(siteOf(4));
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "*.csv", filesMax: 3 }));
  await expect(landing.run()).rejects.toMatchObject({
    code: "RUN_BOUND_REACHED",
    hint: expect.stringContaining("filesMax"),
  });
  expect(publisher.asked()).toEqual(["/"]);
});

describe("a state that is set back", () => {
  const reset = ({ store, world, spec, place }: FilesLanding, landedBefore: "missing" | "again") =>
    editState(
      { store, clock: world.clock, random: world.random, openScanner },
      { spec, tenant: place.tenant, tenantColumn: "tenant_id" },
      { to: undefined, landedBefore, who: "anna@desk", why: "the publisher moved house" },
    );

  test("fetches every file again and lands what differs", async () => {
    await using publisher = await startPublisher(siteOf(3));
    const landing = open(publisher);
    await landing.run();
    const manifest = await reset(landing, "missing");
    expect(manifest).toMatchObject({
      kind: "state-edit",
      state: { fileCount: 3 },
      edit: { who: "anna@desk" },
    });
    expect(await landing.newest()).toHaveLength(3);
    const again = await landing.run();
    expect(again).toMatchObject({
      counts: { landed: 0, boundarySkipped: 3 },
      receivedBytes: 3 * csv(1).length,
    });
    expect(await landing.run()).toMatchObject({ status: "unchanged", receivedBytes: 0 });
  });

  test("lands every file again as its next version, where that is asked for", async () => {
    await using publisher = await startPublisher(siteOf(2));
    const landing = open(publisher);
    await landing.run();
    await reset(landing, "again");
    expect((await landing.run()).counts.landed).toBe(2);
    expect((await landing.versions()).map(({ name, version }) => [name, version])).toEqual([
      ["0.csv", 1],
      ["1.csv", 1],
      ["0.csv", 2],
      ["1.csv", 2],
    ]);
    expect((await landing.run()).status).toBe("unchanged");
  });

  test("has no cursor to be set", async () => {
    await using publisher = await startPublisher(siteOf(1));
    const landing = open(publisher);
    await landing.run();
    const { store, world, spec, place } = landing;
    const edit = editState(
      { store, clock: world.clock, random: world.random, openScanner },
      { spec, tenant: place.tenant, tenantColumn: "tenant_id" },
      { to: 5n, landedBefore: "missing", who: "", why: "" },
    );
    await expect(edit).rejects.toMatchObject({ code: "CURSOR_INVALID" });
  });
});

test("a full refresh and a range are refused with what to do instead", async () => {
  await using publisher = await startPublisher(siteOf(1));
  const landing = open(publisher);
  for (const mode of [
    { kind: "refresh", confirmShrink: false },
    { kind: "backfill", from: 1n, to: 2n },
  ] as const) {
    await expect(landing.run({ mode })).rejects.toMatchObject({
      code: "NOT_SUPPORTED",
      hint: expect.stringContaining("leat state reset"),
    });
  }
  await expect(landing.run({ tenantColumn: "Name" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  expect(publisher.asked()).toEqual([]);
});

test("a raw file that is damaged or gone is found", async () => {
  const objects: MemoryObjects = new Map();
  await using publisher = await startPublisher(siteOf(3));
  const landing = open(publisher, { store: createMemoryStore({ objects }) });
  await landing.run();
  const [damaged, gone] = await landing.newest();
  objects.set(damaged!.objectKey, { body: Buffer.from("n\n9\n"), createdAtMs: 0 });
  objects.delete(gone!.objectKey);
  const { faults } = await verifyLog(landing.store, landing.place, { readsParts: true });
  expect(faults.map(({ code, details }) => [code, details["key"]])).toEqual([
    ["PART_CORRUPT", damaged!.objectKey],
    ["PART_MISSING", gone!.objectKey],
  ]);
});

test("each tenant has files of its own", async () => {
  await using publisher = await startPublisher({
    "/414/": linksTo("a.csv"),
    "/414/a.csv": { body: "1\n" },
    "/7/": linksTo("a.csv"),
    "/7/a.csv": { body: "2\n" },
  });
  const landing = openFilesLanding(oneStream({ page: `${publisher.origin}/{tenant.id}/`, match: "*.csv" }));
  await landing.run();
  await landing.run({ tenant: testTenant({}, "7") });
  const [file] = await landing.newest();
  expect(file?.id).toContain("/414/a.csv");
  const world: TestWorld = landing.world;
  expect(world.events.filter(({ type }) => type === "committed")).toMatchObject([
    { tenant: "414" },
    { tenant: "7" },
  ]);
});
