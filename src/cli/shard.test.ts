import { expect, test } from "vitest";
import { isInShard, readShard } from "./shard.ts";

test("each tenant is in one share, whatever else is in the list", () => {
  const ids = Array.from({ length: 500 }, (_, index) => `tenant-${index}`);
  const shares = [0, 1, 2, 3, 4, 5, 6].map((index) => ids.filter((id) => isInShard(id, { index, count: 7 })));
  expect(shares.flat().sort()).toEqual(ids.toSorted());
  for (const share of shares) expect(share.length).toBeGreaterThan(40); // 71 on average.
});

test("a task of a job has its own share, unless another is named", () => {
  const task = { CLOUD_RUN_TASK_INDEX: "2", CLOUD_RUN_TASK_COUNT: "5" };
  expect(readShard(undefined, task)).toEqual({ index: 2, count: 5 });
  expect(readShard("0/3", task)).toEqual({ index: 0, count: 3 });
  expect(readShard(undefined, { CLOUD_RUN_TASK_INDEX: "0", CLOUD_RUN_TASK_COUNT: "1" })).toBeUndefined();
  expect(readShard(undefined, {})).toBeUndefined();
});

test.each(["3/3", "1/0", "-1/2", "1", "a/b", "0/99999"])("%s is refused", (text) => {
  expect(() => readShard(text, {})).toThrow(/is not a number below another/);
});
