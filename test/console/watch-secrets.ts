/** Where a secret could come out of the console: answers of its API, its pages, its audit. */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { Console } from "./open-console.ts";

/**
 * Keeps what the API answers to a page from now on.
 *
 * @returns expects that none of these values is in an answer, in what the page shows now, or in any event; and that more
 *   than `textsMin` texts were looked through, so that a page that asked nothing proves nothing.
 */
export function watchSecrets(
  desk: Console,
  page: Page,
): (values: readonly string[], textsMin: number) => Promise<void> {
  const answers: Promise<string>[] = [];
  page.on("response", (answer) => {
    if (answer.url().includes("/api/") && !answer.url().includes("/api/live"))
      answers.push(answer.text().catch(() => "")); // A body that the page has left behind cannot be read.
  });
  return async (values, textsMin) => {
    const told = [
      ...(await Promise.all(answers)),
      await page.content(),
      JSON.stringify(await desk.ask("events?limit=1000")),
    ];
    expect(told.length).toBeGreaterThan(textsMin);
    expect(told.filter((text) => values.some((value) => text.includes(value)))).toEqual([]);
  };
}
