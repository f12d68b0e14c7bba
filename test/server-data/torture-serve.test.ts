import { expect, test } from "vitest";
import { tortureServe } from "./torture-serve.ts";

test("a server under everything at once gives no wrong answer and none of two versions", {
  timeout: 180_000,
}, async () => {
  const { faults, told } = await tortureServe({
    seed: 4,
    seconds: 20,
    areas: 2000,
    slowReaders: 50,
    askers: 4,
    leavers: 2,
    swapEveryMs: 4000,
  });
  console.log(told.join("; "));
  expect(faults).toEqual([]);
  expect(told[1]).toMatch(/^[1-9]\d* answers, [1-9]\d* left in the middle, [1-9]\d* versions taken$/);
});
