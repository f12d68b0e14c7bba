/** The console as people have it: a real `leat up` with both examples, and a real browser before it. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext } from "playwright-core";
import { readAccounts } from "../../examples/stashstock/partner/read-accounts.ts";
import { startPartner } from "../../examples/stashstock/partner/start-partner.ts";
import { root } from "../../scripts/steps.ts";
import { openBrowser, type WatchedPage, watchPage } from "../browser/open-browser.ts";
import { makeFolder, type Running, type TestFolder } from "../cli/leat-process.ts";
import { consoleProject } from "./console-project.ts";

export type Run = Readonly<{ id: string; flow: string; state: string; attempt: number }>;

export type Visit = WatchedPage & AsyncDisposable & Readonly<{ context: BrowserContext }>;

/** The console, its server and its browser. */
export interface Console extends AsyncDisposable {
  readonly url: string;
  /** The project's folder: a file written there lets a flow go on. */
  readonly folder: TestFolder;
  readonly browser: Browser;
  /** Asks the API, below `/api/`. */
  ask<Answer>(path: string, body?: unknown): Promise<Answer>;
  /** Runs a deployment. */
  run(deployment: string, params?: object): Promise<Run>;
  /** Waits until a run is in one of these states. */
  until(id: string, states: readonly string[]): Promise<Run>;
  /** Kills the server, does something, and starts it again where it was. */
  interrupt(meanwhile: () => Promise<void>): Promise<void>;
  /** Opens a page in a browser of its own. */
  visit(path: string, options?: Parameters<Browser["newContext"]>[0]): Promise<Visit>;
}

/** Days and plants of the partner's book: little, since scenarios look at what is there and not at how much. */
const book = { historyMs: 3 * 86_400_000, plantsPerLicense: 12 };

/** Runs that are under way at once. */
export const slots = 3;

/** How long a run may take in a test, ms. */
const patienceMs = 60_000;

/** @throws when the console is not built, which `npm test` does first. */
export async function openConsole(
  config: string = consoleProject,
  environment: Readonly<Record<string, string>> = {},
): Promise<Console> {
  if (!existsSync(join(root, "ui/dist/index.html"))) throw new Error("Build the console: npm run build:ui");
  const vendorKey = randomBytes(12).toString("hex");
  const keys: Record<string, string> = {};
  const accounts = readAccounts(join(root, "examples/stashstock/tenants.json"), (reference) => {
    const key = randomBytes(12).toString("hex");
    keys[reference.replace(/^env:/, "")] = key;
    return key;
  });
  const nowMs = Date.now() - 180_000; // Behind ours, less than what is tolerated.
  const [browser, partner] = await Promise.all([
    openBrowser(),
    startPartner({ seed: 8, vendorKey, accounts, nowMs, ...book }),
  ]);
  const folder = makeFolder();
  folder.write("leat.config.ts", config);
  folder.write("tenants.json", await readFile(join(root, "examples/stashstock/tenants.json"), "utf8"));
  const settings = {
    ...keys,
    STASHSTOCK_URL: partner.url,
    STASHSTOCK_VENDOR_KEY: vendorKey,
    STASHSTOCK_SINCE: new Date(nowMs - book.historyMs).toISOString(),
    ...environment,
    NO_PROXY: "127.0.0.1",
    no_proxy: "127.0.0.1",
  };
  const start = async (port: string): Promise<Running> => {
    const begun = folder.start(
      ["up", "--port", port, "--serve-port", "0", "--json", "--slots", String(slots)],
      settings,
    );
    await begun.saw('"slots"');
    return begun;
  };
  let up = await start("0");
  const url = /"url":"([^"]+)"/.exec(up.output())?.[1] ?? "";

  const ask = async <Answer>(path: string, body?: unknown): Promise<Answer> => {
    const answer = await fetch(`${url}/api/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer; // What the API's description says.
  };
  return {
    url,
    folder,
    browser,
    ask,
    async run(deployment, params = {}) {
      return (await ask<{ run: Run }>(`deployments/${deployment}/runs`, { params })).run;
    },
    async until(id, states) {
      const endMs = Date.now() + patienceMs;
      for (;;) {
        const { run } = await ask<{ run: Run }>(`runs/${id}`);
        if (states.includes(run.state)) return run;
        if (Date.now() > endMs) throw new Error(`${run.flow} is ${run.state}:\n${up.output()}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async interrupt(meanwhile) {
      up.child.kill("SIGKILL");
      await up.ended;
      await meanwhile();
      up = await start(new URL(url).port);
    },
    async visit(path, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
      const watched = await watchPage(context, url);
      await watched.page.goto(`${url}${path}`, { waitUntil: "load" });
      return { ...watched, context, [Symbol.asyncDispose]: () => context.close() };
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      up.child.kill("SIGTERM");
      await up.ended;
      await partner.close();
      folder.remove();
    },
  };
}
