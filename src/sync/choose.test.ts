import { describe, expect, test } from "vitest";
import type { StreamSpec } from "../model/stream.ts";
import type { Project } from "../ports/project.ts";
import { allStreams, chooseStream, chooseStreams, streamName } from "./choose.ts";

function project(sources: Readonly<Record<string, readonly (string | [string, string])[]>>): Project {
  return {
    name: "p",
    datasets: [],
    flows: [],
    deployments: [],
    load: "leat",
    ledger: "sqlite:.leat/ledger.db",
    apis: [],
    shares: [],
    tenantColumn: "tenant_id",
    tenants: undefined,
    landing: "",
    warehouse: "",
    sources: Object.entries(sources).map(([name, streams]) => ({
      name,
      streams: streams.map((entry) => {
        const [stream, parent] = typeof entry === "string" ? [entry, undefined] : entry;
        const partitions = parent === undefined ? undefined : { from: "stream", stream: parent };
        return { source: name, name: stream, partitions } as unknown as StreamSpec; // All that is looked at here.
      }),
      open: () => Promise.reject(new Error("not in this test")),
    })),
  };
}

const shop = project({ shop: ["orders", ["items", "orders"]], "old.shop": ["orders", "stock"] });
const names = (wanted: readonly string[]) => chooseStreams(shop, wanted).map(streamName);

describe("chooseStreams", () => {
  test("no name means all", () => {
    expect(names([])).toEqual(["shop.orders", "shop.items", "old.shop.orders", "old.shop.stock"]);
  });

  test("a source means all its streams, a dotted name one, a bare name the only one of that name", () => {
    expect(names(["old.shop"])).toEqual(["old.shop.orders", "old.shop.stock"]);
    expect(names(["old.shop.orders"])).toEqual(["old.shop.orders"]);
    expect(names(["stock"])).toEqual(["old.shop.stock"]);
    expect(names(["stock", "shop", "shop.items"])).toEqual(["shop.orders", "shop.items", "old.shop.stock"]);
  });

  test("a bare name of two sources is refused with the full ones", () => {
    expect(() => chooseStreams(shop, ["orders"])).toThrow(
      expect.objectContaining({ code: "STREAM_UNKNOWN", hint: "Say which: shop.orders, old.shop.orders." }),
    );
  });

  test("an unknown name is answered with the near one and all known ones", () => {
    expect(() => chooseStreams(shop, ["shop.ordres"])).toThrow(
      expect.objectContaining({
        code: "STREAM_UNKNOWN",
        hint: expect.stringMatching(/^Did you mean "shop.orders"\?/),
        details: { known: ["shop.orders", "shop.items", "old.shop.orders", "old.shop.stock"] },
      }),
    );
  });

  test("where one stream is wanted a source of several is not enough", () => {
    expect(streamName(chooseStream(shop, "shop.items"))).toBe("shop.items");
    expect(() => chooseStream(shop, "shop")).toThrow(
      expect.objectContaining({ hint: "Say which: shop.orders, shop.items." }),
    );
  });
});

test("parents come first, however they were declared", () => {
  const tree = project({ s: [["c", "b"], ["b", "a"], "a", ["d", "elsewhere"]] });
  expect(allStreams(tree).map(({ spec }) => spec.name)).toEqual(["a", "b", "c", "d"]);
});
