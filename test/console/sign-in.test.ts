/** Who may look: a token, a session that ends, a role that may not. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Console, openConsole } from "./open-console.ts";

const project = `
import { defineProject, flow } from "leat";
export default defineProject({ name: "small", flows: [flow("noop", { description: "Does nothing." }, async () => {})] });
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
  await page.getByRole("heading", { name: "Sign in to leat" }).waitFor();
  await signIn("the-token-of-this-test");
  await page.getByRole("heading", { name: "Schedules" }).waitFor();
  await page.getByRole("button", { name: /Ada Ñandú/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to leat" }).waitFor();
  expect(visit.foreign).toEqual([]);
  expect(visit.said.filter((line) => !line.includes("401"))).toEqual([]);
});
