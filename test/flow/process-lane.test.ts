/** Runs in processes of their own (F17): whatever a flow does to its process, the worker and the other runs go on. */
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newRun } from "../../src/testing/ledger-under-test.ts";
import { type FlowStand, newSqlitePath, openFlowStand, type StandPlace } from "./flow-stand.ts";
import { countNotes } from "./trial-flows.ts";
import { openTrialLane } from "./trial-lane.ts";

let stand: FlowStand;

/** Short, so that a test need not wait ten seconds. */
const graceMs = 200;

beforeEach(async () => {
  const place: StandPlace = {
    ledger: { kind: "sqlite", path: newSqlitePath(tmpdir()) },
    dispatcher: { kind: "local" },
  };
  stand = await openFlowStand(place);
  await stand.startWorker({ executor: openTrialLane(place, stand.ledger, graceMs), slots: 2 });
});

afterEach(() => stand[Symbol.asyncDispose]());

const messages = async (id: Parameters<typeof stand.ledger.readLogs>[0]) =>
  (await stand.ledger.readLogs(id, {})).map(({ message }) => message);

test("a run in a process of its own has its result, its tasks and its log in the ledger", async () => {
  const run = await stand.untilEnded(await stand.submit("ordered"));
  expect(run).toMatchObject({ state: "succeeded", attempt: 1, result: { json: '["a","b","c","d"]' } });
  expect((await stand.ledger.readTasks(run.id)).map(({ state }) => state)).toEqual(
    Array(4).fill("succeeded"),
  );
  expect(await messages(run.id)).toEqual(["said"]);
  const again = await stand.untilEnded(await stand.submit("ordered"));
  expect(again.state).toBe("succeeded");
  expect(stand.problems).toEqual([]);
});

test("F17 a flow that ends its process ends its own run, with what it said last", async () => {
  const held = await stand.submit("gated", { gate: "g" });
  await stand.until("the other run holds", () => countNotes(stand.folder, "hold g") === 1);
  const run = await stand.untilEnded(await stand.submit("exiter"));
  expect(run.state).toBe("failed");
  expect(run.error).toMatchObject({ code: "RUN_PROCESS_DIED" });
  expect(run.error?.message).toContain("ended with code 3");
  expect(await messages(run.id)).toEqual(expect.arrayContaining(["so long", "and thanks"]));
  expect((await stand.ledger.readTasks(run.id)).map(({ state }) => state)).toEqual(["succeeded"]);
  stand.openGate("g");
  expect(await stand.untilEnded(held)).toMatchObject({ state: "succeeded", attempt: 1 });
});

test("F16 F17 a flow that blocks its event loop is cancelled by ending its process", async () => {
  const held = await stand.submit("gated", { gate: "g" });
  const run = await stand.submit("blocker");
  await stand.until("it blocks", () => countNotes(stand.folder, "blocking") === 1);
  await stand.ledger.cancelRun(run.id, "enough");
  const ended = await stand.untilEnded(run);
  expect(ended).toMatchObject({ state: "cancelled", cancelReason: "enough", attempt: 1 });
  stand.openGate("g");
  expect(await stand.untilEnded(held)).toMatchObject({ state: "succeeded", attempt: 1 });
  expect(stand.problems).toEqual([]);
});

test("F17 a flow that blocks its event loop for longer than its time loses its process", async () => {
  const run = await stand.untilEnded(await stand.submit("blocker-in-time"));
  expect(run).toMatchObject({ state: "failed", error: { code: "RUN_TIMEOUT" } });
});

test("what a flow writes to its outputs is in the log of its run", async () => {
  const run = await stand.untilEnded(await stand.submit("talker"));
  expect(run.state).toBe("succeeded");
  // The run tells of its own end; what came out of its pipes is written by its worker, in the next batch.
  await stand.until("the last line is there", async () => (await messages(run.id)).includes("two"));
  await stand.until("the long line is there", async () => (await messages(run.id)).join("").length > 20_000);
  const lines = await stand.ledger.readLogs(run.id, {});
  expect(
    lines
      .filter(({ level }) => level === "info")
      .map(({ message }) => message)
      .sort(),
  ).toEqual(["one", "three", "two"]);
  const warned = lines.filter(({ level }) => level === "warn").map(({ message }) => message);
  expect(warned.join("").length).toBe("four ".length + 20_000);
});

test("thousands of lines are in the log of the run that wrote them, and none in that of the next", async () => {
  const before = await stand.untilEnded(await stand.submit("chatty"));
  const after = await stand.untilEnded(await stand.submit("ordered"));
  const read = async () =>
    (await stand.ledger.readLogs(before.id, { limit: 10_000 })).map(({ message }) => message);
  await stand.until("the last line is there", async () => (await read()).includes("without an end"));
  const lines = await read();
  expect(lines).toEqual([...Array.from({ length: 5000 }, (_, n) => `line ${n}`), "without an end"]);
  expect(await messages(after.id)).toEqual(["said"]);
});

test("a run that is cancelled while it waits hears of it by ctx.signal, and its process is used again", async () => {
  const run = await stand.submit("gated", { gate: "never" });
  await stand.until("it holds", () => countNotes(stand.folder, "hold never") === 1);
  await stand.ledger.cancelRun(run.id, "enough");
  expect((await stand.untilEnded(run)).state).toBe("cancelled");
  const tasks = await stand.ledger.readTasks(run.id);
  expect(tasks.map(({ name, state }) => [name, state])).toEqual([
    ["say", "succeeded"],
    ["hold", "cancelled"],
  ]);
  expect((await stand.untilEnded(await stand.submit("ordered"))).state).toBe("succeeded");
});

test("a worker that is stopped gives its runs back, and another goes on with what is finished", async () => {
  await using other = await openFlowStand({
    ledger: { kind: "sqlite", path: newSqlitePath(tmpdir()) },
    dispatcher: { kind: "local" },
  });
  const lane = openTrialLane(other.place, other.ledger, graceMs);
  const first = await other.startWorker({ executor: lane });
  const run = await other.submit("gated", { gate: "g" });
  await other.until("it holds", () => countNotes(other.folder, "hold g") === 1);
  await first.stop();
  expect((await other.ledger.readRun(run.id))?.state).toBe("queued");
  other.openGate("g");
  await other.startWorker({ executor: openTrialLane(other.place, other.ledger, graceMs) });
  expect(await other.untilEnded(run)).toMatchObject({ state: "succeeded", attempt: 2, lostCount: 0 });
  expect(countNotes(other.folder, "before g")).toBe(1);
});

test("a worker that is stopped while a process is starting gives the run back at once", async () => {
  await using other = await openFlowStand({
    ledger: { kind: "sqlite", path: newSqlitePath(tmpdir()) },
    dispatcher: { kind: "local" },
  });
  // Long: a run that did not hear of it would be given back only when this is over.
  const worker = await other.startWorker({ executor: openTrialLane(other.place, other.ledger, 60_000) });
  const run = await other.submit("gated", { gate: "never" });
  await other.untilState(run, "running");
  await worker.stop();
  expect(await other.ledger.readRun(run.id)).toMatchObject({ state: "queued", attempt: 1 });
  expect((await other.ledger.listAttempts(run.id)).map(({ end }) => end)).toEqual(["release"]);
});

test("a sub-flow is cancelled within its process, and its parent sees it", async () => {
  const run = await stand.submit("parent");
  await stand.until("the child holds", () => countNotes(stand.folder, "hold child") === 1);
  const [child] = await stand.ledger.listRuns({ parentId: run.id, states: ["running"] });
  await stand.ledger.cancelRun(child!.id, "not this one");
  expect(await stand.untilEnded(run)).toMatchObject({ state: "failed", error: { code: "RUN_CANCELLED" } });
  expect((await stand.ledger.readRun(child!.id))?.state).toBe("cancelled");
});

test("a flow that sleeps until a time of its own clock is told that it would sleep for ever", async () => {
  const run = await stand.untilEnded(await stand.submit("restless"));
  expect(run).toMatchObject({ state: "failed", attempt: 2, error: { code: "FLOW_NOT_REPEATABLE" } });
  expect(run.error?.hint).toContain("ctx.sleep");
});

test("a run of a flow that the project does not have any more fails at once, and says so", async () => {
  const { run } = await stand.ledger.submitRun(newRun(stand.ledger, { flow: "gone", deployment: "gone" }));
  const ended = await stand.untilEnded(run);
  expect(ended).toMatchObject({ state: "failed", attempt: 1, error: { code: "FLOW_UNKNOWN" } });
  expect(ended.error?.message).toContain('the flow "gone"');
});

test("a run that was claimed for other code than its process has says so in its log", async () => {
  await using other = await openFlowStand({
    ledger: { kind: "sqlite", path: newSqlitePath(tmpdir()) },
    dispatcher: { kind: "local" },
  });
  await other.startWorker({
    executor: openTrialLane(other.place, other.ledger, graceMs),
    codeVersion: "older",
  });
  const run = await other.untilEnded(await other.submit("ordered"));
  // It began with the code that executed it, and nothing changed in the middle.
  expect(run).toMatchObject({ state: "succeeded", codeVersion: "trial", isCodeChanged: false });
  const lines = (await other.ledger.readLogs(run.id, {})).map(({ level, message }) => `${level} ${message}`);
  expect(lines).toEqual(["warn was claimed for code older, and is executed with trial", "info said"]);
});
