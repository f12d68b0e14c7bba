/** Disks that are full, places that cannot be written, landed files that were damaged: told, nothing lost, mended by the next run. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectLine, expectMended, expectOneFails, expectTold } from "./expect-one-fails.ts";
import { type CommandHost, openHost } from "./open-host.ts";
import { openWorld, type ShopWorld } from "./shop-world.ts";

let host: CommandHost;
let world: ShopWorld;
beforeAll(() => {
  host = openHost();
});
afterAll(() => host.close());
afterEach(() => world[Symbol.asyncDispose]());

const isRoot = process.getuid?.() === 0;
/** Root is asked by no permission, so the tests of permissions run as nobody. */
const nobody = 65_534;

/** Runs what follows with a small disk at `$0`; without root in a user's own name space, where the system has them. */
const withSmallDisk = [
  "unshare",
  ...(isRoot ? ["--mount"] : ["--mount", "--map-root-user"]),
  "sh",
  "-c",
  'mount -t tmpfs -o size=6m none "$0" && exec "$@"',
] as const;

/** A record's members that no compression makes smaller. */
const noise = (bytes: number): string =>
  `"noise":"${Array.from({ length: bytes }, () => Math.floor(Math.random() * 36).toString(36)).join("")}"`;

describe("a full disk", () => {
  /** Everybody writes to the same disk: nobody can be served, each is told, and nothing is lost. */
  const onSmallDisk = (): Promise<ShopWorld> =>
    openWorld((path) => {
      mkdirSync(join(path, "small"));
      return openHost({ before: [...withSmallDisk, join(path, "small")] });
    });
  const hasSmallDisks = (): boolean => {
    try {
      execFileSync(withSmallDisk[0], [...withSmallDisk.slice(1), "/mnt", "true"], { stdio: "pipe" });
      return true;
    } catch (error) {
      console.warn(`A FULL DISK IS NOT TESTED with a file system, only with a limit of file sizes: ${error}`);
      return false;
    }
  };

  test.runIf(hasSmallDisks())("of the landing: every stream is told, no cursor moves", async () => {
    world = await onSmallDisk();
    world.environment = { LEAT_LANDING: "file:small/landing" };
    expect(await world.sync()).toMatchObject({ code: 0 });
    world.change();
    const before = await world.standings();
    const filler = join(world.path, "small/filler");
    await world.host.fill(filler);
    const told = await world.sync();
    expect(told.code).toBe(1);
    for (const { error } of told.results) {
      expect(error).toMatchObject({
        code: "STORE_FULL",
        message: expect.stringMatching(/The disk is full: .*landing/),
        hint: expect.stringMatching(/Free some space and run again; the cursor has not moved/),
        retryable: true,
      });
    }
    expectLine(told.stderr, "STORE_FULL", /Free some space/);
    expect(await world.standings()).toEqual(before);
    await world.host.remove(filler);
    await expectMended(world);
  });

  test.runIf(hasSmallDisks())("of the warehouse: what was landed is loaded when there is room", async () => {
    world = await onSmallDisk();
    world.environment = { LEAT_WAREHOUSE: "duckdb:small/warehouse.duckdb" };
    expect(await world.sync()).toMatchObject({ code: 0 });
    for (const tenant of ["414", "41"]) world.depot.put(tenant, "orders", 99, noise(700_000));
    const filler = join(world.path, "small/filler");
    await world.host.fill(filler);
    const told = await world.sync("shop.orders");
    expect(told.code).toBe(1);
    for (const { status, error, counts } of told.results) {
      expect({ status, error, landed: counts?.["landed"] }).toMatchObject({
        status: "load-failed",
        landed: 1,
        error: { code: "WAREHOUSE_FULL", message: expect.stringContaining("small/warehouse.duckdb is full") },
      });
    }
    expectLine(
      told.stderr,
      "WAREHOUSE_FULL",
      /Free some space where .*small\/warehouse\.duckdb lies, then run again/,
    );
    await world.host.remove(filler);
    const asked = world.depot.requests().length;
    expect(await world.leat("load")).toMatchObject({ code: 0 });
    expect(world.depot.requests().length).toBe(asked);
    await expectMended(world);
  });

  test("or a file that may not grow: the tenant with much is told, the others are served", async () => {
    world = await openWorld(() => openHost({ before: ["sh", "-c", 'ulimit -f 4096 && exec "$0" "$@"'] })); // 2 MiB
    await expectOneFails(world, {
      code: "STORE_FULL",
      says: /landing.*tenant=414/,
      hint: /the cursor has not moved/,
      damage: ({ depot }) => depot.put("414", "orders", 70, noise(4_000_000)),
      mend: ({ depot }) => depot.takeBack("414", "orders"),
    });
  });
});

describe("a landing that cannot be written", () => {
  test("for one tenant's log, as another user or by mode, is told by its path", async () => {
    const uid = isRoot ? { uid: nobody } : {};
    world = await openWorld(() => openHost(uid), uid);
    const log = join(world.path, ".leat/landing/log/shop/orders/tenant=414");
    const told = await expectOneFails(world, {
      code: "STORE_UNWRITABLE",
      says: /log\/shop\/orders\/tenant=414\/\d+\.json cannot be written: EACCES/,
      hint: /Check the permissions of the place named; the cursor has not moved/,
      damage: () => chmodSync(log, 0o555),
      mend: () => chmodSync(log, 0o755),
    });
    expect(told.results[0]!.error?.retryable).toBe(false);
  });

  test("for anybody is told for everybody, also by `leat check`, with the place on this machine", async () => {
    const uid = isRoot ? { uid: nobody } : {};
    world = await openWorld(() => openHost(uid), uid);
    expect(await world.sync()).toMatchObject({ code: 0 });
    world.change();
    const before = await world.standings();
    const landing = join(world.path, ".leat/landing");
    setModes(landing, 0o555);
    const told = await world.sync();
    expect(told.results.map((one) => one.error?.code)).toEqual(Array(4).fill("STORE_UNWRITABLE"));
    expect(told.stderr).toContain(landing);
    expect(await world.standings()).toEqual(before);
    const checked = await world.leat("check");
    expect(checked).toMatchObject({ code: 1, stderr: expect.stringContaining("error STORE_UNWRITABLE: ") });
    expect(checked.stderr).toContain(landing);
    setModes(landing, 0o755);
    expect(await world.leat("check")).toMatchObject({ code: 0 });
    await expectMended(world);
  });

  test("since a file is where a folder must be is told likewise", async () => {
    world = await openWorld(host);
    const quarantine = (): string =>
      join(world.path, ".leat/landing/landing/shop/orders/tenant=414/seq=000000000002");
    await expectOneFails(world, {
      code: "STORE_UNWRITABLE",
      says: /tenant=414\/seq=000000000002\/.* cannot be written: (EEXIST|ENOTDIR)/,
      hint: /Check the permissions of the place named/,
      damage: () => writeFileSync(quarantine(), ""),
      mend: () => rmSync(quarantine()),
    });
  });

  test("since it is a file itself is told by check, and by sync for every stream", async () => {
    world = await openWorld(host, { environment: { LEAT_LANDING: "file:tenants.json" } });
    const checked = await world.leat("check");
    expect(checked).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/error STORE_UN\w+: .*\n.*tenants\.json/),
    });
    const told = await world.sync();
    expect(told.code).toBe(1);
    for (const { error } of told.results) expect(error?.code).toMatch(/^STORE_UN/);
    world.environment = {};
    await expectMended(world);
  });
});

function setModes(folder: string, mode: number): void {
  execFileSync("find", [folder, "-type", "d", "-exec", "chmod", mode.toString(8), "{}", "+"]);
}

describe("a landed file", () => {
  /** Landed and not yet loaded, so that the load is what meets it. */
  const landMore = async (): Promise<string> => {
    world = await openWorld(host);
    expect(await world.sync()).toMatchObject({ code: 0 });
    world.change();
    expect(await world.leat("extract")).toMatchObject({ code: 0 });
    return world.landed("/landing/shop/orders/tenant=414/seq=000000000002/")[0]!;
  };

  test.each([
    [
      "was changed by a bit",
      (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte))),
    ],
    ["was cut", (bytes: Buffer) => bytes.subarray(0, bytes.length - 5)],
    ["is empty", () => Buffer.alloc(0)],
    [
      "holds something else",
      () => Buffer.from('{"tenant_id":"414","_leat_package":2,"_leat_row":0,"id":1}\n'),
    ],
  ])("that %s is refused by its checksum, by load, rebuild and verify", async (_what, damage) => {
    const file = await landMore();
    const bytes = readFileSync(file);
    rmSync(file);
    writeFileSync(file, damage(bytes));
    const trouble = {
      code: "PART_CORRUPT",
      says: /landing\/shop\/orders\/tenant=414\/seq=000000000002\/.*part-00001/,
      hint: /Restore the object named from a backup/,
      status: "load-failed",
    } as const;
    await expectTold(world, await world.sync(), trouble);
    const verified = await world.leat("verify");
    expect(verified).toMatchObject({ code: 1, stderr: expect.stringContaining("error PART_CORRUPT: ") });
    const rebuilt = await world.leat("rebuild");
    expect(rebuilt).toMatchObject({ code: 1, stderr: expect.stringContaining("error PART_CORRUPT: ") });
    await world.expectTruth((stream, tenant) => stream === "orders" && tenant === "414"); // The old file is in its place.
    writeFileSync(file, bytes);
    await expectMended(world);
    expect(await world.leat("verify")).toMatchObject({ code: 0 });
    expect(await world.leat("rebuild")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/orders .*equal/),
    });
  });

  test("that is missing is told by its name, and is back when it is back", async () => {
    const file = await landMore();
    renameSync(file, `${file}.away`);
    await expectTold(world, await world.sync(), {
      code: "PART_MISSING",
      says: /tenant=414\/seq=000000000002\/.*part-00001/,
      hint: /Restore the object named/,
      status: "load-failed",
    });
    renameSync(`${file}.away`, file);
    await expectMended(world);
  });
});

describe("a manifest that was edited by hand", () => {
  const manifestOf = (seq: number): string =>
    world.landed(`/log/shop/orders/tenant=414/${String(seq).padStart(12, "0")}.json`)[0]!;
  const edit = (file: string, change: (text: string) => string): (() => void) => {
    const bytes = readFileSync(file);
    const changed = change(bytes.toString("utf8"));
    expect(changed).not.toBe(bytes.toString("utf8"));
    rmSync(file);
    writeFileSync(file, changed);
    return () => writeFileSync(file, bytes);
  };

  test("so that it is no JSON stops its tenant's stream, and hides nobody else's state", async () => {
    world = await openWorld(host);
    expect(await world.sync()).toMatchObject({ code: 0 });
    const restore = edit(manifestOf(1), (text) => text.replace('"seq"', "seq"));
    world.change();
    await expectTold(world, await world.sync(), {
      code: "MANIFEST_INVALID",
      says: /log\/shop\/orders\/tenant=414\/000000000001\.json/,
      hint: /restore the object named/,
    });
    const shown = await world.leat("state", "show");
    expect(shown).toMatchObject({ code: 1, stderr: expect.stringContaining("error MANIFEST_INVALID: ") });
    expect(shown.stdout).toMatch(/orders +41 .*\n.*items +414 .*\n.*items +41 /);
    restore();
    await expectMended(world);
  });

  test("after it was loaded is told by its hash, and is not loaded again", async () => {
    world = await openWorld(host);
    expect(await world.sync()).toMatchObject({ code: 0 });
    const restore = edit(manifestOf(1), (text) => text.replace(/"committedAt": ?"2/, '"committedAt":"1'));
    world.change();
    const told = await world.sync();
    expect(told.results[0]).toMatchObject({
      ok: false,
      status: "load-failed",
      error: { code: "LOG_REWRITTEN", hint: expect.stringContaining("leat rebuild") },
    });
    expectLine(told.stderr, "LOG_REWRITTEN", /leat rebuild/);
    await world.expectTruth((stream, tenant) => stream === "orders" && tenant === "414");
    restore();
    await expectMended(world);
  });

  test("before it is loaded, so that its counts do not add up, loads nothing of it", async () => {
    world = await openWorld(host);
    expect(await world.sync()).toMatchObject({ code: 0 });
    world.change();
    expect(await world.leat("extract")).toMatchObject({ code: 0 });
    const restore = edit(manifestOf(2), (text) => text.replace(/"landed": ?\d+/, '"landed":1'));
    const told = await world.sync();
    expect(told.results[0]).toMatchObject({ ok: false });
    expect(told.results[0]!.error?.code).toMatch(/MANIFEST_INVALID|ACCOUNTING_MISMATCH|LEDGER_MISMATCH/);
    await world.expectTruth((stream, tenant) => stream === "orders" && tenant === "414");
    restore();
    await expectMended(world);
  });

  test("away, in the middle of the log, is a gap", async () => {
    world = await openWorld(host);
    expect(await world.sync()).toMatchObject({ code: 0 });
    for (let n = 0; n < 2; n++) {
      world.change();
      expect(await world.leat("extract")).toMatchObject({ code: 0 });
    }
    const file = manifestOf(2);
    renameSync(file, join(dirname(file), "away"));
    const told = await world.sync();
    expect(told.results[0]).toMatchObject({ ok: false, error: { code: "LOG_GAP" } });
    expectLine(told.stderr, "LOG_GAP", /Restore the object named/);
    renameSync(join(dirname(file), "away"), file);
    await expectMended(world);
  });
});
