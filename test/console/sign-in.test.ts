/** Who may look: a token, a session that ends, a role that may not. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Console, openConsole } from "./open-console.ts";

const project = `
import { defineProject, flow, z } from "leat";
const noop = flow("noop", { description: "Does nothing." }, async () => {});
const noted = flow("noted", { params: z.object({ note: z.string() }) }, async (ctx, { note }) => note);
export default defineProject({ name: "small", flows: [noop, noted] });
`;

let desk: Console;
beforeAll(async () => {
  desk = await openConsole(project, { LEAT_TOKEN: "the-token-of-this-test" });
});
afterAll(async () => {
  await desk?.[Symbol.asyncDispose]();
});

test("a token signs in where people are, and a session that is over asks again and leads back", async () => {
  await using visit = await desk.visit("/deployments?find=no");
  const { page, context } = visit;
  await page.getByRole("heading", { name: "Sign in to leat" }).waitFor();
  expect(await visit.violations()).toEqual([]);
  const signIn = async (token: string): Promise<void> => {
    await page.getByLabel("Token").fill(token);
    await page.getByLabel("Your name").fill("Ada Ñandú");
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await signIn("a-wrong-one");
  await page.getByText("✕", { exact: false }).waitFor();
  await signIn("the-token-of-this-test");
  await page.getByRole("link", { name: "noop", exact: true }).first().waitFor();
  expect(new URL(page.url()).search).toBe("?find=no");
  await page.getByRole("button", { name: /Ada Ñandú/ }).waitFor();
  await context.clearCookies();
  await page.getByRole("link", { name: "Schedules" }).click();
  await page.getByRole("heading", { name: "Your session is over" }).waitFor();
  await signIn("the-token-of-this-test");
  await page.getByRole("heading", { name: "Schedules" }).waitFor();
  await page.getByRole("button", { name: /Ada Ñandú/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to leat" }).waitFor();
  expect(visit.foreign).toEqual([]);
  expect(visit.said.filter((line) => !line.includes("401"))).toEqual([]);
});

test("a session that ends in the middle of a form takes nothing of it along, and shows it to nobody else", async () => {
  await using visit = await desk.visit("/deployments/noted?run=1");
  const { page, context } = visit;
  const signIn = async (name: string): Promise<void> => {
    await page.getByLabel("Token").fill("the-token-of-this-test");
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  await signIn("Ada");
  const note = page.getByRole("dialog").getByLabel("note");
  await note.fill("what took long to type");
  await context.clearCookies();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  const again = page.getByRole("dialog", { name: "Your session is over" });
  await again.waitFor();
  for (let turn = 0; turn < 3; turn++) await page.keyboard.press("Escape");
  await again.waitFor();
  expect(await visit.violations()).toEqual([]);
  await signIn("Ada");
  await again.waitFor({ state: "detached" });
  expect(await note.inputValue()).toBe("what took long to type");
  await context.clearCookies();
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await again.waitFor();
  await signIn("Bob");
  await again.waitFor({ state: "detached" });
  await expect.poll(() => note.inputValue()).toBe("");
  await note.fill("another");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForURL(/\/runs\//);
  await page.getByRole("button", { name: /Bob/ }).waitFor();
  expect(visit.said.filter((line) => !line.includes("401"))).toEqual([]);
});

test("a server that is killed and comes back: pages say so, and go on by themselves with the same session", async () => {
  await using visit = await desk.visit("/runs");
  const { page } = visit;
  await page.getByLabel("Token").fill("the-token-of-this-test");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Runs" }).waitFor();
  await desk.interrupt(async () => {
    await page.getByText("Reconnecting").waitFor();
    await page.getByRole("link", { name: "Schedules" }).click();
    await page.getByText("The server cannot be reached.").waitFor();
    await page.getByText("It is tried again by itself.").waitFor();
    expect(await visit.violations()).toEqual([]);
  });
  await page.locator('[data-empty="none"]', { hasText: "No schedules" }).waitFor();
  await page.getByText("Reconnecting").waitFor({ state: "detached" });
  expect(
    visit.said.filter((line) => !/401|ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|^PageNotLoaded/.test(line)),
  ).toEqual([]);
});
