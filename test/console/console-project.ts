/**
 * A project with both examples in it, and flows that do what scenarios need: fail in a task among thousands of lines,
 * write as long as they are let, take parameters, map over many.
 */
import { join } from "node:path";
import { root } from "../../scripts/steps.ts";

const from = (path: string): string => JSON.stringify(join(root, path));

/** Lines that `noisy` writes before it fails. */
export const noisyLines = 10_000;

/** Tasks that `fan` maps over. */
export const fanTasks = 5000;

/** Schedules fire half an hour and half a day from now: a tick in the middle of a scenario would change what it counts. */
const beganAt = new Date();
const hourly = `${(beganAt.getUTCMinutes() + 30) % 60} * * * *`;
const daily = `0 ${(beganAt.getUTCHours() + 12) % 24} * * *`;

/** `leat.config.ts` of the project. Flows stop waiting when a file of the name they wait for is in the folder. */
export const consoleProject: string = `
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineApi, defineProject, flow, syncFlow, task, z } from ${from("src/index.ts")};
import stashstock from ${from("examples/stashstock/leat.config.ts")};
import ons from ${from("examples/ons-deaths/leat.config.ts")};

const isThere = (name: string): boolean => existsSync(new URL(name, import.meta.url));

const load_plan = task("load_plan", {}, async (ctx) => {
  ctx.log.info("the plan is read", { pages: 12 });
  return 12;
});
const extract_events = task(
  "extract_events",
  { consumes: ["stream:stashstock.metrc_plants"], produces: ["dataset:deaths"] },
  async (ctx, count: number) => {
    for (let line = 1; line <= count; line++) ctx.log.info("event " + line + " of " + count + " was read");
    if (!isThere("events-mended")) {
      ctx.log.error("the partner's answer 7341 has no end");
      throw new Error("the partner's answer 7341 has no end");
    }
  },
);
const report = task("report", {}, async (ctx) => void ctx.log.info("reported"));
const noisy = flow("noisy", { description: "Reads many events, and fails until they are mended." }, async (ctx) => {
  await load_plan(ctx);
  await extract_events(ctx, ${noisyLines});
  await report(ctx);
});

const tick = task("tick", {}, async (ctx, name: string) => {
  for (let line = 1; !isThere("ticks-over"); line++) {
    ctx.log.info(name + " tick " + line);
    await wait(20, undefined, { signal: ctx.signal });
  }
});
const watched = flow("watched", { description: "Ticks fifty times a second until it is let go." }, async (ctx) => {
  await load_plan(ctx);
  await tick(ctx, "clock");
  await report(ctx);
});

const one = task("one", {}, async (_ctx, n: number) => {
  if (n % 1000 === 999) throw new Error("number " + n + " is refused");
  return n;
});
const fan = flow("fan", { description: "Maps over many.", params: z.object({ count: z.int().default(${fanTasks}) }) }, async (ctx, { count }) => {
  await load_plan(ctx);
  const all = Array.from({ length: count }, (_, n) => n);
  const ends = await ctx.map(all, (n) => one(ctx, n).then(() => 1, () => 0), { concurrency: 50 });
  return ends.length;
});

const dated = flow(
  "dated",
  {
    description: "Counts days between two dates.",
    params: z.object({
      from: z.iso.date().meta({ title: "From", description: "First day." }),
      until: z.iso.date().meta({ title: "Until" }).default("2026-02-01"),
      mode: z.enum(["quick", "whole"]).default("quick"),
      most: z.int().min(1).max(100).default(10),
      isDry: z.boolean().default(false),
    }),
  },
  async (ctx, params) => {
    ctx.log.info("from " + params.from);
    await wait(1500, undefined, { signal: ctx.signal });
    await ctx.artifact.table("days", [{ from: params.from, until: params.until }]);
    return params;
  },
);
const hold = flow("hold", { description: "Takes a worker's place until it is let go." }, async (ctx) => {
  while (!isThere("hold-over")) await wait(50, undefined, { signal: ctx.signal });
});
const door = flow("door", { description: "Fails until the door is open.", schedules: [{ cron: "${hourly}" }] }, async () => {
  if (!isThere("door-open")) throw new Error("the door is shut");
});
const ask = flow("ask", { description: "Asks somebody." }, async (ctx) => (await ctx.approve("ship it?", { key: "ship" })).by);

const daily = { kind: "cron", cron: "${daily}", timezone: "UTC" };
const nightly = ons.flows.map(({ spec }) => ({
  spec: { ...spec, schedules: spec.schedules.map((one) => ({ ...one, ticks: daily })) },
}));

export default defineProject({
  name: "console",
  sources: [...stashstock.sources, ...ons.sources],
  datasets: ons.datasets,
  flows: [syncFlow({ perSource: 4, schedules: [{ cron: "${daily}" }] }), ...nightly, noisy, watched, fan, dated, hold, door, ask],
  apis: ons.apis,
  tenants: "tenants.json",
});
`;
