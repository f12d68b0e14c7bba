import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Running, TestFolder } from "../cli/leat-process.ts";
import { makeFlowProject } from "./flow-project.ts";

const config = `
import { defineProject, flow } from "leat";
const one = flow("one", {}, async (ctx) => {
  const { by, note, input } = await ctx.approve("go on?", { key: "go" });
  return { by, note: note ?? null, input };
});
const two = flow("two", {}, async (ctx) => {
  const [left, right] = await Promise.all([
    ctx.approve("left?", { key: "left" }),
    ctx.approve("right?", { key: "right" }),
  ]);
  return [left.by, right.by];
});
const outer = flow("outer", {}, (ctx) => ctx.run(one, {}));
export default defineProject({ name: "questions", flows: [one, two, outer] });
`;

let folder: TestFolder;
beforeAll(() => {
  folder = makeFlowProject(config);
});
afterAll(() => folder.remove());

/** A run in the foreground, when it has asked. */
async function startAsking(flow: string): Promise<Readonly<{ running: Running; id: string }>> {
  const running = folder.start(["run", flow]);
  await running.saw("leat approve");
  return { running, id: /run ([0-9a-f]{16}) of/.exec(running.output())?.[1] ?? "" };
}

describe("leat approve", { timeout: 60_000 }, () => {
  test("answers a run that waits in another terminal, with who, why and what was asked for", async () => {
    const { running, id } = await startAsking("one");
    const shown = await folder.leat("show", id);
    expect(shown.stdout).toContain(`asks: go on?\n  leat approve ${id}`);
    const said = ["--by", "ann", "--note", "sums are right", "--input", '{"rows":3}'];
    const { code, stdout, stderr } = await folder.leat("approve", id.slice(0, 10), ...said);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`run ${id} of one: yes to "go on?"\n`);
    const ended = await running.ended;
    expect(ended.code, ended.stderr).toBe(0);
    expect(JSON.parse(ended.stdout)).toEqual({ by: "ann", note: "sums are right", input: { rows: 3 } });
  });

  test("says no, which fails the run and names who", async () => {
    const { running, id } = await startAsking("one");
    const { stdout } = await folder.leat("approve", id, "--reject", "--by", "bob", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ run: id, question: "go on?", approved: false, by: "bob" });
    const ended = await running.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("error APPROVAL_REFUSED: bob refused.");
  });

  test("of several questions wants to know which, and lists them", async () => {
    const { running, id } = await startAsking("two");
    const { code, stderr } = await folder.leat("approve", id);
    expect(code).toBe(1);
    expect(stderr).toContain("asks 2 questions");
    for (const [key, question] of [...stderr.matchAll(/--task (\S+): (\S+)/g)].map((match) =>
      match.slice(1),
    )) {
      const answered = await folder.leat("approve", id, "--task", key ?? "", "--by", question ?? "");
      expect(answered.code, answered.stderr).toBe(0);
    }
    expect(JSON.parse((await running.ended).stdout)).toEqual(["left?", "right?"]);
  });

  test("finds the question of a sub-flow by the run that it is part of", async () => {
    const { running, id } = await startAsking("outer");
    const { code, stderr } = await folder.leat("approve", id, "--by", "ann");
    expect(code, stderr).toBe(0);
    expect(JSON.parse((await running.ended).stdout)).toMatchObject({ by: "ann" });
  });

  test("tells of runs that ask nothing, that are not there, and of answers that are none", async () => {
    const { running, id } = await startAsking("one");
    const odd = await folder.leat("approve", id, "--input", "{");
    expect([odd.code, odd.stderr]).toEqual([2, expect.stringContaining("--input is not JSON")]);
    const nobody = await folder.leat("approve", id, "--by", " ");
    expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining("--by must have")]);
    const wrong = await folder.leat("approve", id, "--task", "approve:gone:1");
    expect(wrong.stderr).toContain('no open question "approve:gone:1":\n  --task approve:');
    expect((await folder.leat("approve", id)).code).toBe(0);
    await running.ended;
    const late = await folder.leat("approve", id);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("is succeeded and asks nothing")]);
    expect((await folder.leat("approve", "ffffffffffffffff")).stderr).toContain("error RUN_UNKNOWN");
  });
});
