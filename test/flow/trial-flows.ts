/** Flows that tests try. What their tasks do is written into a journal, so that a test sees each call, of any process. */
import { randomBytes } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { createFlowRegistry, type FlowRegistry } from "../../src/flow/deployment.ts";
import { flow } from "../../src/flow/flow.ts";
import { task } from "../../src/flow/task.ts";

/** Adds a line to the journal; one write of a short line is whole. */
export const note = (folder: string, text: string): void =>
  appendFileSync(join(folder, "journal"), `${text}\n`);

/** The journal's lines. */
export function readJournal(folder: string): readonly string[] {
  const path = join(folder, "journal");
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

/** Lines of the journal that are this one. */
export const countNotes = (folder: string, text: string): number =>
  readJournal(folder).filter((line) => line === text).length;

/** Waits, at most a minute, until somebody has opened a gate of the folder. */
async function untilOpen(folder: string, gate: string, signal: AbortSignal): Promise<void> {
  for (let looks = 0; looks < 6000; looks++) {
    if (existsSync(join(folder, gate))) return;
    await wait(10, undefined, { signal });
  }
  throw new Error(`nobody opened the gate ${gate}`);
}

const folder = z.object({ folder: z.string() });

const say = task("say", {}, (_ctx, where: string, text: string) => {
  note(where, text);
  return text;
});

/** One task after the other, and two at once. */
const ordered = flow("ordered", { params: folder }, async (ctx, p) => {
  const first = await say(ctx, p.folder, "a");
  const both = await Promise.all([say(ctx, p.folder, "b"), say(ctx, p.folder, "c")]);
  ctx.log.info("said", { first });
  return [first, ...both, await say(ctx, p.folder, "d")];
});

const stumble = task(
  "stumble",
  { retries: { max: 3, delay: 20, jitter: 0 } },
  (_ctx, where: string, failures: number) => {
    note(where, "try");
    if (countNotes(where, "try") <= failures) throw new Error("stumbled");
    return "stood";
  },
);

/** Fails so many times, and its task is tried four times. */
const flaky = flow("flaky", { params: folder.extend({ failures: z.int() }) }, (ctx, p) =>
  stumble(ctx, p.folder, p.failures),
);

/** The run itself is retried twice. */
const stubborn = flow(
  "stubborn",
  { params: folder.extend({ failures: z.int() }), retries: { max: 2, delay: 20, jitter: 0 } },
  async (ctx, p) => {
    const first = await say(ctx, p.folder, "kept");
    return [first, await once(ctx, p.folder, p.failures)];
  },
);

const once = task("once", {}, (_ctx, where: string, failures: number) => {
  note(where, "try");
  if (countNotes(where, "try") <= failures) throw new Error("stumbled");
  return "stood";
});

const dawdle = task("dawdle", { timeout: 60 }, async (ctx, where: string) => {
  ctx.signal.addEventListener("abort", () => note(where, "told"));
  await wait(30_000, undefined, { signal: ctx.signal });
});

/** Its task takes longer than it may. */
const slow = flow("slow", { params: folder }, (ctx, p) => dawdle(ctx, p.folder));

const remember = task(
  "remember",
  { cache: { ttl: "1h", key: (_where: string, what: string) => what } },
  (_ctx, where: string, what: string) => {
    note(where, `made ${what}`);
    return { what };
  },
);

/** Its task is cached over runs. */
const cached = flow("cached", { params: folder.extend({ what: z.string() }) }, (ctx, p) =>
  remember(ctx, p.folder, p.what),
);

const narrow = task(
  "narrow",
  { limit: { name: "gate", concurrency: 2 } },
  async (_ctx, where: string, n: number) => {
    note(where, `enter ${n}`);
    await wait(15);
    note(where, `leave ${n}`);
    return n;
  },
);

/** Its tasks share a limit of two, over all runs. */
const limited = flow("limited", { params: folder.extend({ from: z.int(), count: z.int() }) }, (ctx, p) =>
  ctx.map(
    Array.from({ length: p.count }, (_, n) => p.from + n),
    (n) => narrow(ctx, p.folder, n),
    { concurrency: 10 },
  ),
);

const square = task("square", {}, (_ctx, n: number) => n * n);

/** Maps many items. */
const wide = flow("wide", { params: z.object({ count: z.int() }) }, async (ctx, p) => {
  const squares = await ctx.map(
    Array.from({ length: p.count }, (_, n) => n),
    (n) => square(ctx, n),
    { concurrency: 25 },
  );
  return squares.reduce((sum, one) => sum + one, 0);
});

const hold = task("hold", {}, async (ctx, where: string, name: string) => {
  note(where, `hold ${name}`);
  await untilOpen(where, name, ctx.signal);
  return `held ${name}`;
});

/** Says, waits until a gate is opened, and says again. */
const gated = flow("gated", { params: folder.extend({ gate: z.string() }) }, async (ctx, p) => {
  const before = await say(ctx, p.folder, `before ${p.gate}`);
  const held = await hold(ctx, p.folder, p.gate);
  return [before, held, await say(ctx, p.folder, `after ${p.gate}`)];
});

/** One of a key at a time. */
const keyed = flow(
  "keyed",
  {
    params: folder.extend({ key: z.string(), n: z.int() }),
    concurrency: { key: (p) => p.key, limit: 2 },
  },
  async (ctx, p) => visit(ctx, p.folder, p.key, p.n),
);

const visit = task("visit", {}, async (_ctx, where: string, key: string, n: number) => {
  note(where, `enter ${key} ${n}`);
  await wait(20);
  note(where, `leave ${key} ${n}`);
  return n;
});

/** Two of a key at a time, and four of its tasks over all keys. */
const crowded = flow(
  "crowded",
  { params: z.object({ key: z.string(), n: z.int() }), concurrency: { key: (p) => p.key, limit: 2 } },
  (ctx, p) => squeeze(ctx, p.n),
);

const squeeze = task("squeeze", { limit: { name: "crowd", concurrency: 4 } }, async (_ctx, n: number) => {
  await wait(30);
  return n;
});

const mended = task("mended", {}, (_ctx, where: string) => {
  note(where, "mended?");
  if (!existsSync(join(where, "mended"))) throw new Error("not mended");
  return "mended";
});

/** Fails in the middle until a file is there. */
const broken = flow("broken", { params: folder }, async (ctx, p) => [
  await say(ctx, p.folder, "first"),
  await mended(ctx, p.folder),
  await say(ctx, p.folder, "last"),
]);

/** Sleeps longer than a process is held for it. */
const sleeper = flow("sleeper", { params: folder.extend({ ms: z.int() }) }, async (ctx, p) => {
  await say(ctx, p.folder, "before");
  await ctx.sleep(p.ms);
  return say(ctx, p.folder, "after");
});

/** Asks. */
const asker = flow("asker", { params: folder }, async (ctx, p) => {
  const answer = await ctx.approve("Go on?");
  return say(ctx, p.folder, `yes by ${answer.by}`);
});

/** Runs another flow, twice. */
const parent = flow("parent", { params: folder }, async (ctx, p) => [
  await ctx.run(ordered, { folder: p.folder }),
  await ctx.run(gated, { folder: p.folder, gate: "child" }),
]);

/** Keeps the event loop to itself. */
const blocker = flow("blocker", { params: folder }, async (ctx, p) => {
  await say(ctx, p.folder, "blocking");
  for (;;);
});

/** The same, although it may take half a second only. */
const blockerInTime = flow("blocker-in-time", { params: folder, timeout: 500 }, async (ctx, p) => {
  await say(ctx, p.folder, "blocking");
  for (;;);
});

/** Ends its process. */
const exiter = flow("exiter", { params: folder }, async (ctx, p) => {
  await say(ctx, p.folder, "leaving");
  console.log("so long");
  console.error("and thanks");
  process.exit(3);
});

/** Writes to its output. */
const talker = flow("talker", { params: folder }, async (ctx, p) => {
  console.log("one\ntwo");
  ctx.log.info("three");
  console.error(`four ${"x".repeat(20_000)}`);
  return say(ctx, p.folder, "talked");
});

const chatty = flow("chatty", { params: folder }, async (ctx, p) => {
  for (let n = 0; n < 5000; n++) console.log(`line ${n}`);
  process.stdout.write("without an end");
  return say(ctx, p.folder, "chatted");
});

/** What a call of a task gave, unlike what any other call of it would have given. */
const draw = task(
  "draw",
  { retries: { max: 1, delay: 5, jitter: 0 } },
  async (_ctx, where: string, name: string, pauseMs: number) => {
    note(where, `draw ${name}`);
    await wait(pauseMs);
    // Its first try fails, so that there is a retry to be killed in.
    if (name === "b1" && countNotes(where, "draw b1") === 1) throw new Error("the first draw");
    return `${name}=${randomBytes(6).toString("hex")}`;
  },
);

const drawTwo = flow("draw-two", { params: folder.extend({ of: z.string() }) }, async (ctx, p) => [
  await draw(ctx, p.folder, `${p.of}1`, 0),
  await draw(ctx, p.folder, `${p.of}2`, 0),
]);

/** Everything that a ledger is asked to write for a run: tasks, retries, branches, a sub-flow, a log, an artifact. */
const whole = flow("whole", { params: folder }, async (ctx, p) => {
  const first = await draw(ctx, p.folder, "a", 0);
  const branches = await ctx.map(["b", "c"], async (of) => [
    await draw(ctx, p.folder, `${of}1`, 2),
    await draw(ctx, p.folder, `${of}2`, 2),
  ]);
  ctx.log.info("in the middle");
  await ctx.artifact.markdown("note", "so far");
  return [first, ...branches.flat(), ...(await ctx.run(drawTwo, { folder: p.folder, of: "d" }))];
});

/** Branches of three steps each, whose steps take any time; each step says what the one before gave. */
const branches = flow("branches", { params: folder.extend({ count: z.int(), name: z.string() }) }, (ctx, p) =>
  Promise.all(
    Array.from({ length: p.count }, async (_, branch) => {
      const steps: string[] = [];
      for (let step = 0; step < 3; step++)
        steps.push(await stepOn(ctx, p.folder, p.name, branch, steps.at(-1) ?? ""));
      return steps;
    }),
  ),
);

/** Equal calls in different branches differ by their branch; those of one branch by what came before. */
const stepOn = task("step", {}, async (_ctx, where: string, name: string, branch: number, before: string) => {
  const drawn = randomBytes(6).toString("hex");
  note(where, `step ${name} ${branch} ${before === "" ? "-" : before} ${drawn}`);
  await wait(Math.random() * 40);
  return `${branch}:${drawn}`;
});

/** Sleeps until a time that is another at each attempt. */
const restless = flow("restless", { params: folder }, async (ctx, p) => {
  await say(ctx, p.folder, "going to bed");
  await ctx.sleepUntil(Date.now() + 5500);
});

/** Writes a line each 20 ms, and then into the journal that it has. */
const logger = flow("logger", { params: folder }, async (ctx, p) => {
  for (let n = 0; ; n++) {
    ctx.log.info(String(n));
    note(p.folder, `logged ${n} ${Date.now()}`);
    await wait(20, undefined, { signal: ctx.signal });
  }
});

/** All of them. */
export const openTrialFlows = (): FlowRegistry =>
  createFlowRegistry([
    ordered,
    flaky,
    stubborn,
    slow,
    cached,
    limited,
    wide,
    gated,
    keyed,
    broken,
    sleeper,
    asker,
    parent,
    blocker,
    blockerInTime,
    exiter,
    talker,
    chatty,
    crowded,
    whole,
    drawTwo,
    branches,
    logger,
    restless,
  ]);
