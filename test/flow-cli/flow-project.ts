/** A project of flows in a folder of its own, for tests of the command line. */
import { makeFolder, type TestFolder } from "../cli/leat-process.ts";

/** Flows that count their calls in `calls.log`, greet, fail until told otherwise, wait, and map. */
const config = `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineProject, deployment, flow, task, z } from "leat";

const note = (what: string): void => appendFileSync(new URL("calls.log", import.meta.url), what + "\\n");
const hello = task("hello", {}, async (ctx, name: string) => {
  note("hello " + name);
  ctx.log.info("hello " + name);
  return "hello " + name;
});
const open = task("open", {}, async () => {
  note("open");
  if (!existsSync(new URL("opened", import.meta.url))) throw new Error("the door is shut");
});
const noop = flow("noop", { description: "Does nothing." }, async () => {});
const greet = flow(
  "greet",
  {
    params: z.object({ names: z.array(z.string()).default(["you"]), times: z.int().default(1) }),
    schedules: [{ cron: "0 6 * * *", timezone: "Europe/London" }],
  },
  async (ctx, { names, times }) => {
    const said = await ctx.map(names, (name) => hello(ctx, name));
    await ctx.artifact.table("said", said.map((line) => ({ line, times })));
    return said;
  },
);
const door = flow("door", {}, async (ctx) => {
  await hello(ctx, "door");
  await open(ctx);
  return "through";
});
const slow = flow("slow", {}, async (ctx) => {
  ctx.log.info("begins to wait");
  note("slow");
  await wait(60_000, undefined, { signal: ctx.signal });
});
const greetAll = deployment("greet-all", greet, { params: { names: ["ann", "bob"] }, schedules: [] });

export default defineProject({ name: "flows", flows: [noop, greet, door, slow], deployments: [greetAll] });
`;

/** Makes the project; its folder is the caller's to remove. */
export function makeFlowProject(text: string = config): TestFolder {
  const folder = makeFolder();
  folder.write("leat.config.ts", text);
  return folder;
}
