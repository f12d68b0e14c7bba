/** The console under measure: a project of its own, a real `leat up` that can be started again, and a real browser. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { Browser, CDPSession, Page } from "playwright-core";
import { root } from "../../../scripts/steps.ts";
import { openBrowser } from "../../browser/open-browser.ts";
import { makeFolder, type Running, type TestFolder } from "../../cli/leat-process.ts";

/** A figure, and what it may be at most; `undefined`: it is told and not judged. */
export type Figure = Readonly<{ what: string; found: number; unit: string; most?: number }>;

export interface ConsoleStand extends AsyncDisposable {
  readonly folder: TestFolder;
  /** Where the server is that runs now. */
  readonly url: string;
  /** Starts the server; one that runs is ended first. */
  start(): Promise<void>;
  ask<Answer>(path: string, body?: unknown): Promise<Answer>;
  /** Runs a deployment to its end; the run's id. */
  run(deployment: string, params?: object): Promise<string>;
  /** Begins one. */
  begin(deployment: string, params?: object): Promise<string>;
  until(id: string): Promise<void>;
  /** The most memory that the server, and that the processes it has begun have had, MB. */
  weighServer(): Readonly<{ serverMb: number; queriesMb: number }>;
  /** A page of a browser without a cache of its own. */
  open(path: string): Promise<Opened>;
}

export type Opened = AsyncDisposable & Readonly<{ page: Page; cdp: CDPSession }>;

/** Longest wait for a run, ms: an hour's lines are played in some minutes. */
const runMs = 20 * 60_000;

const from = (path: string): string => JSON.stringify(join(root, path));

/** Rows of a dataset: numbers, texts of few values and of many, and times. */
const datasetOf = (name: string, rows: number): string => `defineDataset({
  name: "${name}",
  description: "Orders, ${rows} of them.",
  columns: {
    id: z.int(), customer: z.string(), status: z.string(), endpoint: z.string(), amount: z.int(),
    paid_at: z.iso.datetime({ local: true }), note: z.string(), city: z.string().nullable(),
  },
  key: ["id"],
  from: fromSql("SELECT i AS id, 'customer ' || (i % 50000) AS customer, ['paid', 'open', 'refunded', 'paid'][1 + (i % 4)::INT] AS status, ['shop', 'app', 'phone'][1 + (i % 3)::INT] AS endpoint, ((i * 7919) % 100000)::BIGINT AS amount, TIMESTAMP '2020-01-01' + INTERVAL (i) SECONDS AS paid_at, 'order ' || i || ' of the shop' AS note, CASE WHEN i % 10 = 0 THEN NULL ELSE 'city ' || (i % 300) END AS city FROM range(1, ${rows} + 1) t(i)", {}),
})`;

const configOf = (datasets: Readonly<Record<string, number>>): string => `
import { existsSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { defineDataset, defineProject, flow, fromSql, task, z } from ${from("src/index.ts")};

const write = task("write", {}, async (ctx, count: number) => {
  for (let line = 1; line <= count; line++) ctx.log.info("event " + line + " of " + count + " was read");
});
const lines = flow("lines", { description: "Writes lines.", params: z.object({ count: z.int().default(1) }) },
  async (ctx, { count }) => write(ctx, count));
const held = flow("held", { description: "Goes on until it is let go." }, async (ctx) => {
  ctx.log.info("it has begun");
  while (!existsSync(new URL("let-go", import.meta.url))) await wait(200, undefined, { signal: ctx.signal });
});

const one = task("one", {}, async (_ctx, n: number) => n);
const fan = flow("fan", { description: "Maps over many.", params: z.object({ count: z.int() }) }, async (ctx, { count }) => {
  const all = Array.from({ length: count }, (_, n) => n);
  return (await ctx.map(all, (n) => one(ctx, n), { concurrency: 50 })).length;
});

export default defineProject({
  name: "console",
  sources: [],
  flows: [lines, held, fan],
  datasets: [${Object.entries(datasets)
    .map(([name, rows]) => datasetOf(name, rows))
    .join(", ")}],
});
`;

/** Makes the project and builds its datasets. Nothing runs yet. */
export async function openConsoleStand(
  datasets: Readonly<Record<string, number>>,
  say: (line: string) => void,
): Promise<ConsoleStand> {
  if (!existsSync(join(root, "ui/dist/index.html"))) throw new Error("Build the console: npm run build:ui");
  const folder = makeFolder();
  folder.write("leat.config.ts", configOf(datasets));
  mkdirSync(join(folder.path, ".leat"), { recursive: true });
  (await DuckDBInstance.create(join(folder.path, ".leat/warehouse.duckdb"))).closeSync(); // There is nothing to load.
  for (const name of Object.keys(datasets)) {
    const built = await folder.leat("build", name);
    if (built.code !== 0) throw new Error(built.stdout + built.stderr);
    say(built.stdout.trim().split("\n").at(-1) ?? "");
  }
  const browser: Browser = await openBrowser();
  let up: Running | undefined;
  let url = "";
  const stop = async (): Promise<void> => {
    up?.child.kill("SIGTERM");
    await up?.ended;
    up = undefined;
  };
  const ask: ConsoleStand["ask"] = async <Answer>(path: string, body?: unknown): Promise<Answer> => {
    const answer = await fetch(`${url}/api/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer; // What the API's description says.
  };
  const stand: ConsoleStand = {
    folder,
    get url() {
      return url;
    },
    async start() {
      await stop();
      up = folder.start(["up", "--port", "0", "--serve-port", "0", "--json"]);
      await up.saw('"slots"');
      url = /"url":"([^"]+)"/.exec(up.output())?.[1] ?? "";
    },
    ask,
    async begin(deployment, params = {}) {
      return (await ask<{ run: { id: string } }>(`deployments/${deployment}/runs`, { params })).run.id;
    },
    async run(deployment, params) {
      const id = await stand.begin(deployment, params);
      await stand.until(id);
      return id;
    },
    async until(id) {
      for (const endMs = Date.now() + runMs; ; ) {
        const { run } = await ask<{ run: { state: string } }>(`runs/${id}`);
        if (run.state === "succeeded") return;
        if (run.state === "failed" || Date.now() > endMs) throw new Error(`the run ${id} is ${run.state}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    weighServer() {
      const pid = up?.child.pid ?? 0;
      const children = childrenOf(pid).map(peakMb);
      return { serverMb: peakMb(pid), queriesMb: Math.max(0, ...children) };
    },
    async open(path) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 720 } });
      const page = await context.newPage();
      await page.goto(`${url}${path}`, { waitUntil: "commit" });
      const cdp = await context.newCDPSession(page);
      return { page, cdp, [Symbol.asyncDispose]: () => context.close() };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await stop();
      folder.remove();
    },
  };
  return stand;
}

/** What a process had in memory at most, as Linux counts it. */
const peakMb = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) / 1024;

const childrenOf = (pid: number): readonly number[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );

/** Resolves when what is there now has been painted: the frame after the next begins then. */
export async function painted(page: Page): Promise<void> {
  await page.evaluate("new Promise((then) => requestAnimationFrame(() => requestAnimationFrame(then)))");
}

/** What a page holds, after all garbage was collected. */
export async function weigh({ cdp }: Opened): Promise<Readonly<{ heapMb: number; nodes: number }>> {
  await cdp.send("HeapProfiler.collectGarbage");
  await cdp.send("Performance.enable");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const metricOf = (wanted: string): number => metrics.find(({ name }) => name === wanted)?.value ?? 0;
  return { heapMb: metricOf("JSHeapUsedSize") / 1e6, nodes: metricOf("Nodes") };
}

/** Notes tasks of the main thread that block it, from now on. */
export async function watchLongTasks(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(
    "window.longest = 0; new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration); }).observe({ type: 'longtask' });",
  );
  return () => page.evaluate("window.longest");
}
