/** What flows do, over both ledgers and both dispatchers; the results are the same everywhere. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hintsOf } from "../../src/flow/run-hints.ts";
import type { FlowRun } from "../../src/model/run-record.ts";
import { type FlowStand, openFlowStand } from "./flow-stand.ts";
import { describePlaces } from "./stand-places.ts";
import { countNotes, readJournal } from "./trial-flows.ts";

describePlaces((newPlace, server, testWithServer) => {
  let stand: FlowStand;
  beforeEach(async () => {
    stand = await openFlowStand(await newPlace());
  });
  afterEach(() => stand[Symbol.asyncDispose]());

  const succeed = async (flow: string, params = {}): Promise<FlowRun> => {
    const run = await stand.untilEnded(await stand.submit(flow, params));
    expect(run).toMatchObject({ state: "succeeded" });
    return run;
  };
  const states = async (run: FlowRun) =>
    (await stand.ledger.readTasks(run.id)).map(({ name, state, tryCount }) => [name, state, tryCount]);

  test("tasks run in the order in which the flow calls them, and its result is kept", async () => {
    await stand.startWorker();
    const run = await succeed("ordered");
    expect(run.result).toEqual({ json: '["a","b","c","d"]' });
    const journal = readJournal(stand.folder);
    expect([journal[0], [...journal.slice(1, 3)].sort(), journal[3]]).toEqual(["a", ["b", "c"], "d"]);
    const lines = await stand.ledger.readLogs(run.id, {});
    expect(lines.map(({ message, data }) => [message, data])).toEqual([["said", { first: "a" }]]);
    expect(await stand.ledger.listAttempts(run.id)).toMatchObject([{ attempt: 1, end: "succeed" }]);
  });

  test("a task is tried again as often as it may, and then its run fails", async () => {
    await stand.startWorker();
    const stood = await succeed("flaky", { failures: 2 });
    expect(await states(stood)).toEqual([["stumble", "succeeded", 3]]);
    const fallen = await stand.untilEnded(await stand.submit("flaky", { failures: 99 }));
    expect(fallen).toMatchObject({ state: "failed", error: { message: "stumbled" } });
    expect(await states(fallen)).toEqual([["stumble", "failed", 4]]);
    expect(countNotes(stand.folder, "try")).toBe(3 + 4);
  });

  test("a run is tried again as often as it may, and what is finished is not done again", async () => {
    await stand.startWorker();
    const run = await succeed("stubborn", { failures: 2 });
    expect(run).toMatchObject({ attempt: 3, retryCount: 2, result: { json: '["kept","stood"]' } });
    expect(countNotes(stand.folder, "kept")).toBe(1);
    const ends = (await stand.ledger.listAttempts(run.id)).map(({ end }) => end);
    expect(ends).toEqual(["retry", "retry", "succeed"]);
  });

  test("a task that takes longer than it may is told, and fails", async () => {
    await stand.startWorker();
    const run = await stand.untilEnded(await stand.submit("slow"));
    expect(run).toMatchObject({ state: "failed", error: { code: "TASK_TIMEOUT" } });
    expect(countNotes(stand.folder, "told")).toBe(1);
  });

  test("a cached result is used by other runs, and marked", async () => {
    await stand.startWorker();
    const results = [];
    for (const what of ["x", "x", "y"]) results.push((await succeed("cached", { what })).result);
    expect(results).toEqual(['{"what":"x"}', '{"what":"x"}', '{"what":"y"}'].map((json) => ({ json })));
    expect(readJournal(stand.folder)).toEqual(["made x", "made y"]);
    const cached = await Promise.all(
      (await stand.ledger.listRuns({})).map(
        async ({ id }) => (await stand.ledger.readTasks(id))[0]?.isCached,
      ),
    );
    expect(cached).toEqual([false, true, false]); // The newest first.
  });

  test("F9 tasks of a limit never run more at once than it says, over runs and workers", async () => {
    await stand.startWorker({ slots: 2 });
    await stand.startWorker({ slots: 2 });
    const runs = [0, 10, 20].map((from) => stand.submit("limited", { from, count: 6 }));
    for (const run of runs) expect((await stand.untilEnded(await run)).state).toBe("succeeded");
    expect(mostInside(readJournal(stand.folder))).toBeLessThanOrEqual(2);
    expect(readJournal(stand.folder)).toHaveLength(3 * 6 * 2);
  });

  test("F8 runs of a key never hold it more at once than its limit, over workers", async () => {
    await stand.startWorker({ slots: 6 });
    await stand.startWorker({ slots: 6 });
    const runs: FlowRun[] = [];
    for (let n = 0; n < 10; n++) runs.push(await stand.submit("keyed", { key: n % 2 === 0 ? "a" : "b", n }));
    for (const run of runs)
      expect(await stand.untilEnded(run)).toMatchObject({ state: "succeeded", attempt: 1 });
    for (const key of ["a", "b"]) {
      const own = readJournal(stand.folder).filter((line) => line.split(" ")[1] === key);
      expect([key, own.length]).toEqual([key, 10]);
      expect(mostInside(own)).toBeLessThanOrEqual(2);
    }
  });

  test("a map of a thousand items has a thousand results, each made once", async () => {
    await stand.startWorker();
    const run = await succeed("wide", { count: 1000 });
    expect(run.result).toEqual({ json: String((999 * 1000 * 1999) / 6) });
    const tasks = await stand.ledger.readTasks(run.id);
    expect(tasks).toHaveLength(1000);
    expect(tasks.every(({ state, tryCount }) => state === "succeeded" && tryCount === 1)).toBe(true);
  });

  test("F16 a request to cancel reaches ctx.signal within two seconds", async () => {
    await stand.startWorker();
    const run = await stand.submit("gated", { gate: "never" });
    await stand.until("it holds", () => countNotes(stand.folder, "hold never") === 1);
    const askedMs = Date.now();
    await stand.ledger.cancelRun(run.id, "enough");
    expect(await stand.untilEnded(run)).toMatchObject({ state: "cancelled", cancelReason: "enough" });
    expect(Date.now() - askedMs).toBeLessThan(4000); // Two seconds, and as many for a busy machine to see it.
    expect(await states(run)).toEqual([
      ["say", "succeeded", 1],
      ["hold", "cancelled", 1],
    ]);
  });

  test("a retry does what had failed and what comes after it, and from a task also that one", async () => {
    await stand.startWorker();
    const run = await stand.untilEnded(await stand.submit("broken"));
    expect(run.state).toBe("failed");
    writeFileSync(join(stand.folder, "mended"), "");
    const again = async (fromTask?: string) => {
      await stand.dispatcher.send(hintsOf([await stand.ledger.retryRun(run.id, { fromTask })]));
      return stand.untilEnded(run);
    };
    expect(await again()).toMatchObject({
      state: "succeeded",
      result: { json: '["first","mended","last"]' },
    });
    expect(readJournal(stand.folder)).toEqual(["first", "mended?", "mended?", "last"]);
    expect(await again("mended")).toMatchObject({ state: "succeeded", attempt: 3 });
    expect(readJournal(stand.folder).slice(4)).toEqual(["mended?", "last"]);
    expect(await again("say")).toMatchObject({ state: "succeeded", attempt: 4 });
    expect(readJournal(stand.folder).slice(6)).toEqual(["first", "mended?", "last"]);
  });

  test("F14 a run that sleeps or asks holds no slot, and goes on when its time or its answer comes", async () => {
    await stand.startWorker({ slots: 1 });
    const sleeper = await stand.submit("sleeper", { ms: 6000 });
    const asker = await stand.submit("asker");
    await stand.untilState(sleeper, "waiting");
    await stand.untilState(asker, "waiting");
    await succeed("ordered");
    const [question] = await stand.ledger.readTasks(asker.id);
    expect(question).toMatchObject({ kind: "approval", state: "waiting", input: "Go on?" });
    const answer = { isApproved: true, by: "ada", note: null, input: null, atMs: 1 };
    await stand.ledger.answerApproval(asker.id, question!.key, answer);
    expect(await stand.untilEnded(asker)).toMatchObject({
      state: "succeeded",
      result: { json: '"yes by ada"' },
    });
    expect(await stand.untilEnded(sleeper)).toMatchObject({ state: "succeeded", attempt: 2 });
    expect([countNotes(stand.folder, "before"), countNotes(stand.folder, "after")]).toEqual([1, 1]);
  });

  test("a sub-flow has its own run below its parent's, and none of it is in the list of runs", async () => {
    await stand.startWorker();
    const run = await stand.submit("parent");
    await stand.until("the second child holds", () => countNotes(stand.folder, "hold child") === 1);
    stand.openGate("child");
    const ended = await stand.untilEnded(run);
    expect(ended).toMatchObject({ state: "succeeded" });
    const children = await stand.ledger.listRuns({ parentId: run.id });
    expect(children.map(({ flow, state }) => [flow, state])).toEqual([
      ["gated", "succeeded"],
      ["ordered", "succeeded"],
    ]);
    expect((await stand.ledger.listRuns({})).map(({ id }) => id)).toEqual([run.id]);
  });

  const away = "a server that goes away and returns loses nothing of what is under way";
  testWithServer(away, async () => {
    await stand.startWorker();
    const held = await stand.submit("gated", { gate: "g" });
    await stand.until("it holds", () => countNotes(stand.folder, "hold g") === 1);
    await server().restart(1500);
    stand.openGate("g");
    const after = await stand.submit("ordered");
    expect(await stand.untilEnded(held)).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(await stand.untilEnded(after)).toMatchObject({ state: "succeeded" });
    expect(countNotes(stand.folder, "hold g")).toBe(1);
  });
});

/** Most that were inside at once, by lines that begin with `enter` and `leave`. */
function mostInside(journal: readonly string[]): number {
  let inside = 0;
  let most = 0;
  for (const line of journal) {
    inside += line.startsWith("enter") ? 1 : -1;
    most = Math.max(most, inside);
  }
  return most;
}
