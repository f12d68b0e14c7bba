import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TestFolder } from "../cli/leat-process.ts";
import { makeFlowProject } from "./flow-project.ts";

let folder: TestFolder;
beforeAll(() => {
  folder = makeFlowProject();
});
afterAll(() => folder.remove());

const json = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await folder.leat(...args, "--json");
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

describe("flows and schedules on the command line", () => {
  test("flows are listed with their parameters and schedules", async () => {
    const { stdout } = await folder.leat("flows");
    expect(stdout).toMatch(/^greet {2,}names, times {2,}0 6 \* \* \* Europe\/London/m);
    const { flows } = await json("flows");
    expect(flows.map(({ name }: { name: string }) => name)).toEqual([
      "noop",
      "greet",
      "door",
      "slow",
      "greet-all",
    ]);
    expect(flows[1]).toMatchObject({
      schedules: [{ id: "greet", kind: "cron" }],
      params_schema: { properties: { names: { type: "array" } } },
    });
  });

  test("a schedule is paused and resumed, and an unknown one is refused before any is changed", async () => {
    const refused = await folder.leat("pause", "greet", "gret");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('Did you mean "greet"?');
    expect((await json("schedules")).schedules).toMatchObject([{ id: "greet", is_paused: false }]);
    expect((await json("pause", "greet")).schedules).toEqual([{ id: "greet", is_paused: true }]);
    expect((await json("schedules")).schedules).toMatchObject([{ is_paused: true, next: [] }]);
    await json("resume", "greet");
    const [{ next }] = (await json("schedules")).schedules;
    expect(next).toHaveLength(3);
    // Six in the morning in London, whatever the season is.
    for (const at of next)
      expect(new Date(at).toLocaleTimeString("en-GB", { timeZone: "Europe/London" })).toBe("06:00:00");
  });

  test("a back-fill queues a run of each tick, once; runs are listed, shown and cancelled", async () => {
    const span = ["backfill", "greet", "--from", "2026-01-01", "--to", "2026-01-04"];
    const first = await json(...span);
    expect(first.runs).toMatchObject([
      { outcome: "created", run: { scheduled_at: "2026-01-01T06:00:00.000Z", cause: { kind: "backfill" } } },
      { outcome: "created" },
      { outcome: "created" },
    ]);
    expect((await json(...span)).runs.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      "exists",
      "exists",
      "exists",
    ]);
    expect((await json("runs", "--state", "queued")).runs).toHaveLength(3);
    const { id } = first.runs[0].run;
    expect((await json("cancel", id, "--reason", "not wanted")).run).toMatchObject({
      state: "cancelled",
      cancel_reason: "not wanted",
    });
    const again = await folder.leat("cancel", id);
    expect(again.stderr).toContain("error RUN_STATE");
    const empty = await folder.leat("backfill", "greet", "--from", "2026-01-04", "--to", "2026-01-01");
    expect([empty.code, empty.stderr]).toEqual([
      2,
      expect.stringContaining("span of the back-fill is empty"),
    ]);
  });

  test("a run, a state, a bound or an instant that is none is told as what it is", async () => {
    const cases = [
      [["show", "ffff"], "error RUN_UNKNOWN: There is no run"],
      [["logs", "not-a-run"], "error RUN_UNKNOWN"],
      [["runs", "--state", "done"], 'error USAGE: --state "done" is no state of a run.'],
      [["runs", "--limit", "0"], "error USAGE: --limit"],
      [["runs", "--since", "yesterday"], 'error USAGE: --since "yesterday" is no instant.'],
      [["trigger", "gret"], 'Did you mean "greet"?'],
      [["up", "--host", "0.0.0.0"], "error USAGE: --host 0.0.0.0 can be reached by others"],
    ] as const;
    for (const [args, said] of cases) {
      const { code, stderr } = await folder.leat(...args);
      expect(code, args.join(" ")).toBe(2);
      expect(stderr).toContain(said);
    }
  });

  test("a ledger that is none is refused, and its password is not told", async () => {
    for (const url of ["mysql://me:s3cret@host/db", "postgres://", "sqlite:", "s3cret"]) {
      const { code, stderr } = await folder.start(["runs"], { LEAT_LEDGER: url }).ended;
      expect(code, url).toBe(2);
      expect(stderr).toContain("LEAT_LEDGER: the ledger's address");
      expect(stderr).not.toContain("s3cret");
    }
  });
});
