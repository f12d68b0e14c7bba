import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createFakeClock } from "../testing/fake-clock.ts";
import { startLookLoop } from "./look-loop.ts";

/** A loop over a ledger of which there is only its mark; the looks are noted by their time. */
function start(answer: (look: number) => number | null, mark: () => string | undefined = () => "same") {
  const clock = createFakeClock(0);
  const problems: unknown[] = [];
  const looksMs: number[] = [];
  const loop = startLookLoop(
    { ledger: { mark, nowMs: clock.nowMs }, clock, onProblem: (error) => problems.push(error) },
    async () => {
      looksMs.push(clock.nowMs());
      return answer(looksMs.length);
    },
  );
  const advance = async (ms: number) => {
    await turn();
    await clock.advance(ms);
    await turn();
  };
  return { clock, loop, looksMs, problems, advance };
}

test("where nothing is written and nothing falls due, it looks every ten seconds", async () => {
  const { loop, looksMs, advance } = start(() => null);
  await advance(25_000);
  expect(looksMs).toEqual([0, 10_000, 20_000]);
  await loop.stop();
});

test("it looks when something falls due, to the millisecond", async () => {
  const { loop, looksMs, advance } = start((look) => (look === 1 ? 2345 : null));
  await advance(9000);
  expect(looksMs).toEqual([0, 2345]);
  await loop.stop();
});

test("it looks within a second of a write", async () => {
  let mark = "before";
  const { loop, looksMs, advance } = start(
    () => null,
    () => mark,
  );
  await advance(3500);
  mark = "after";
  await advance(5000);
  expect(looksMs).toEqual([0, 4000]);
  await loop.stop();
});

test("where the ledger has no mark it looks once a second", async () => {
  const { loop, looksMs, advance } = start(
    () => null,
    () => undefined,
  );
  await advance(3000);
  expect(looksMs).toEqual([0, 1000, 2000, 3000]);
  await loop.stop();
});

test("a look that says there is more, or fails, is followed by another a second later", async () => {
  const { loop, looksMs, problems, advance } = start((look) => {
    if (look === 2) throw new Error("the ledger is away");
    return look === 1 ? 0 : null;
  });
  await advance(5000);
  expect(looksMs).toEqual([0, 1000, 2000]);
  expect(problems).toHaveLength(1);
  await loop.stop();
});
