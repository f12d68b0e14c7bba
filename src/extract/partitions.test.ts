import { describe, expect, test } from "vitest";
import { manifestOf } from "../../test/properties/manifest-of.ts";
import {
  at,
  bounds,
  openRange,
  openWorld,
  record,
  streamOf,
  timeCursor,
} from "../../test/properties/sync-world.ts";
import { appendManifest } from "../landing/log.ts";
import type { StreamSpec } from "../model/stream.ts";
import type { RangeRequest } from "../ports/source.ts";
import { editState } from "./edit-state.ts";

const parted = streamOf({ partitions: { from: "tenant", field: "places", column: "place" } });
const childOf = (when: "always" | "parent-changed"): StreamSpec =>
  streamOf({
    name: "items",
    partitions: { from: "stream", stream: "records", field: "id", column: "record_id", when },
  });

describe("partitions of a tenant", () => {
  const fields = { places: ["north", "south", "north"] };

  test("are read one after the other, each with a cursor of its own, and rows say whose they are", async () => {
    const world = openWorld({ spec: parted });
    const answer = ({ partition }: RangeRequest) => [
      { records: [record("1", partition === "north" ? "2026-01-05T00:00:00Z" : "2026-01-02T00:00:00Z")] },
    ];
    await world.extract(answer, { fields });
    expect(world.requests.map(({ partition }) => partition)).toEqual(["north", "south"]);
    const states = [...(await world.state()).partitions].map(([value, { state }]) => [value, state.cursor]);
    expect(states).toEqual([
      ["north", at("2026-01-05")],
      ["south", at("2026-01-02")],
    ]);
    expect(await world.landed()).toHaveLength(2); // Equal keys of two partitions are two records.
    expect((await world.extract(answer, { fields })).counts).toMatchObject({ landed: 0, boundarySkipped: 2 });
  });

  test("I5 equal records without a key, of two partitions, are no twins of each other", async () => {
    const spec = { ...parted, primaryKey: [] };
    const world = openWorld({ spec });
    const answer = () => [{ records: [record("1", "2026-01-01T00:00:00Z")] }];
    await world.extract(answer, { fields });
    await world.extract(answer, { fields });
    expect(await world.landed()).toHaveLength(2);
  });

  test.each([
    undefined,
    "north",
    [1],
    [""],
  ])("that are not a list of text (%j) are refused by name", async (places) => {
    const world = openWorld({ spec: parted });
    await expect(world.extract(() => [], { fields: places === undefined ? {} : { places } })).rejects.toThrow(
      expect.objectContaining({ code: "TENANTS_INVALID", message: expect.stringContaining("places") }),
    );
  });

  test("I6 those read before one that fails are kept", async () => {
    const world = openWorld({ spec: parted });
    const run = world.extract(
      ({ partition }) => {
        if (partition === "south") throw new Error("south is down");
        return [{ records: [record("1", "2026-01-05T00:00:00Z")] }];
      },
      { fields },
    );
    await expect(run).rejects.toThrow("south is down");
    expect(await world.landed()).toHaveLength(1);
    expect([...(await world.state()).partitions.keys()]).toContain("north");
  });

  test("I8 a bound on windows is each partition's own, and the next run goes on", async () => {
    const spec = {
      ...parted,
      cursor: {
        ...timeCursor,
        initial: at("2026-01-01"),
        range: { ...openRange, hasEnd: true, spanMax: 86_400_000_000n },
      },
      bounds: { ...bounds, windowsMax: 4 },
    };
    const world = openWorld({ spec });
    const first = await world.extract(() => [{ records: [] }], { fields });
    expect(first).toMatchObject({ hasMore: true, status: "committed" });
    expect((await world.head())?.manifest.isFinal).toBe(false);
    let hasMore = true;
    for (let runs = 1; hasMore; runs++) {
      expect(runs).toBeLessThan(6);
      ({ hasMore } = await world.extract(() => [{ records: [] }], { fields }));
    }
    for (const { state } of (await world.state()).partitions.values()) {
      expect(state.next).toBe(at("2026-01-10"));
    }
  });
});

describe("partitions of a parent stream", () => {
  const parent = streamOf();
  const land = (world: ReturnType<typeof openWorld>, ...ids: string[]) =>
    world.extract(() => [{ records: ids.map((id) => record(id, "2026-01-01T00:00:00Z", ids.length)) }], {
      spec: parent,
    });
  const asked = (world: ReturnType<typeof openWorld>) =>
    world.requests.splice(0).map(({ partition }) => partition);

  test("are all read again where that was declared, new ones too", async () => {
    const world = openWorld({ spec: parent });
    const children = openWorld({
      spec: childOf("always"),
      objects: world.objects,
      clock: world.clock,
      seed: 3,
    });
    await land(world, "a", "b");
    await children.extract(() => [{ records: [] }]);
    await land(world, "c");
    await children.extract(() => [{ records: [] }]);
    expect(asked(children)).toEqual(["a", "b", "a", "b", "c"]);
  });

  test("are read when their parent has changed, once, and again after a failure", async () => {
    const world = openWorld({ spec: parent });
    const children = openWorld({
      spec: childOf("parent-changed"),
      objects: world.objects,
      clock: world.clock,
      seed: 3,
    });
    await land(world, "a", "b");
    const failing = children.extract(({ partition }) => {
      if (partition === "b") throw new Error("down");
      return [{ records: [record("i", "2026-01-01T00:00:00Z")] }];
    });
    await expect(failing).rejects.toThrow("down");
    await children.extract(() => [{ records: [] }]);
    expect(asked(children)).toEqual(["a", "b", "b", "a"]); // What was left behind is read first.
    await children.extract(() => [{ records: [] }]);
    expect(asked(children)).toEqual([]);
    await land(world, "c");
    await children.extract(() => [{ records: [] }]);
    expect(asked(children)).toEqual(["c"]);
  });

  test("I19 are all read again after an edit of the children's state", async () => {
    const world = openWorld({ spec: parent });
    const spec = childOf("parent-changed");
    const children = openWorld({ spec, objects: world.objects, clock: world.clock, seed: 3 });
    await land(world, "a", "b");
    await children.extract(() => [{ records: [] }]);
    asked(children);
    await editState(
      children.ports,
      { spec, tenant: children.tenant, tenantColumn: "tenant_id" },
      { to: undefined, who: "ann", why: "a test", landedBefore: "missing" },
    );
    await children.extract(() => [{ records: [] }]);
    expect(asked(children)).toEqual(["a", "b"]);
  });

  test("I15 whose landed parts were given up are not read", async () => {
    const world = openWorld({ spec: parent });
    const children = openWorld({
      spec: childOf("always"),
      objects: world.objects,
      clock: world.clock,
      seed: 3,
    });
    await land(world, "a");
    await land(world, "b", "c");
    const head = (await world.head())!.manifest;
    for (const part of (await world.manifests())[0]!.parts) world.objects.delete(part.key);
    await appendManifest(
      world.store,
      manifestOf(3, { kind: "forget", forgets: [1], previousDataSeq: 2, state: head.state }),
    );
    await children.extract(() => [{ records: [] }]);
    expect(asked(children)).toEqual(["b", "c"]);
  });
});
