/** A real Chromium, and what a page may do in it: ask its own server, and say nothing on the console. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** @throws when there is none: a suite that silently tests nothing is worse than one that fails. */
export async function openBrowser(): Promise<Browser> {
  const named = process.env["LEAT_CHROMIUM"];
  const executablePath = [...(named === undefined ? [] : [named]), ...places].find((path) =>
    existsSync(path),
  );
  if (executablePath === undefined)
    throw new Error(
      `No Chromium at ${places.join(", ")}. Run \`npm run install:chromium\`, or name one in LEAT_CHROMIUM.`,
    );
  return await chromium.launch({ executablePath, args: ["--no-sandbox"] }); // Tests run as root in containers.
}

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** A page that is watched. */
export type WatchedPage = Readonly<{
  page: Page;
  /** Errors and warnings of the console, and uncaught ones. */
  said: readonly string[];
  /** Requests to anybody but the server. */
  foreign: readonly string[];
  /** What axe finds wrong; of these tags or rules alone, where some are named. */
  violations: (only?: readonly string[]) => Promise<readonly string[]>;
}>;

export async function watchPage(context: BrowserContext, origin: string): Promise<WatchedPage> {
  const page = await context.newPage();
  const said: string[] = [];
  const foreign: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(`${origin}/`))
      foreign.push(request.url());
  });
  const violations = async (only?: readonly string[]): Promise<readonly string[]> => {
    await page.evaluate(readFileSync(axePath, "utf8"));
    const options = only === undefined ? {} : { runOnly: only };
    return await page.evaluate(
      `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ target }) => target.join(" ")).slice(0, 5).join(", ")))`,
    );
  };
  return { page, said, foreign, violations };
}
