import { expect, test } from "vitest";
import { pathOfThing } from "./thing-links.tsx";

test("what tasks name leads to its page, and names of one's own lead nowhere", () => {
  const things = {
    "dataset:deaths@3": "/datasets/deaths",
    "source:shop": "/sources/shop",
    "stream:shop.orders": "/sources/shop",
    "stream:shop.orders:tenant 7": "/sources/shop/tenant%207/orders",
    "table:shop.orders": "/tables/shop.orders",
    "table:wales": undefined,
    "source:": undefined,
    mail: undefined,
  };
  expect(Object.fromEntries(Object.keys(things).map((thing) => [thing, pathOfThing(thing)]))).toEqual(things);
});
