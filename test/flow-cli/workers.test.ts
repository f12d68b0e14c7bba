import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Running, TestFolder } from "../cli/leat-process.ts";
import { type PostgresServer, startPostgres } from "../services/postgres.ts";
import { makeFlowProject } from "./flow-project.ts";

const config = `
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineProject, flow, task } from "leat";
const once = task("once", {}, async () => process.ppid);
const light = flow("light", {}, async (ctx) => once(ctx));
const heavy = flow("heavy", { pool: "heavy" }, async (ctx) => once(ctx));
const long = flow("long", { pool: "heavy" }, async (ctx) => {
  const first = await once(ctx);
  ctx.log.info("is held");
  while (!existsSync(new URL("go", import.meta.url))) await wait(50, undefined, { signal: ctx.signal });
  return first;
});
export default defineProject({ name: "workers", flows: [light, heavy, long] });
`;

let server: PostgresServer;
let folder: TestFolder;
let environment: Record<string, string>;
const running: Running[] = [];

beforeAll(async () => {
  server = await startPostgres();
  folder = makeFlowProject(config);
  environment = { LEAT_LEDGER: await server.newDatabase() };
}, 180_000);
afterAll(async () => {
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.map(({ ended }) => ended));
  folder.remove();
  await server.stop();
}, 60_000);

const start = (...args: readonly string[]): Running => {
  const begun = folder.start(args, environment);
  running.push(begun);
  return begun;
};

type Told = Readonly<{ id: string; state: string; attempt: number; result: unknown; deployment: string }>;

/** Runs a command to its end, and reads what it says with `--json`. */
async function told(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await folder.start([...args, "--json"], environment).ended;
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function untilSucceeded(deployment: string): Promise<Told> {
  for (;;) {
    const { runs } = (await told("runs", "--flow", deployment)) as { runs: Told[] };
    const [run] = runs;
    if (run?.state === "succeeded" || run?.state === "failed") return run;
  }
}

describe("workers at a ledger on Postgres", { timeout: 120_000 }, () => {
  test("each executes the runs of its pools, in processes of its own", async () => {
    const up = start("up", "--port", "0", "--pool", "default");
    await up.saw("up at http");
    await told("trigger", "heavy");
    await told("trigger", "light");
    expect(await untilSucceeded("light")).toMatchObject({ state: "succeeded", result: up.child.pid });
    expect((await told("runs", "--flow", "heavy"))["runs"]).toMatchObject([{ state: "queued" }]);
    const worker = start("worker", "--pool", "heavy", "--slots", "1");
    await worker.saw("works for heavy");
    expect(await untilSucceeded("heavy")).toMatchObject({ state: "succeeded", result: worker.child.pid });
  });

  test("a worker that is killed loses its run to another, which calls only what has no result", async () => {
    const [, first] = running;
    const triggered = (await told("trigger", "long")) as { runs: { run: Told }[] };
    const { id } = triggered.runs[0]!.run; // One was made.
    const following = start("logs", id, "--follow");
    await following.saw("is held");
    const second = start("worker", "--pool", "heavy", "--slots", "1");
    await second.saw("works for heavy");
    first?.child.kill("SIGKILL");
    await first?.ended;
    folder.write("go", "");
    const run = await untilSucceeded("long");
    // The result is of the first worker's process, the end of the second's.
    expect(run).toMatchObject({ state: "succeeded", attempt: 2, result: first?.child.pid });
  });
});
