/** A secret that is given, tried, and replaced: what the partner gets, and what nobody else does. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectClean } from "./expect-clean.ts";
import { type Console, openConsole } from "./open-console.ts";
import { watchSecrets } from "./watch-secrets.ts";

const [first, second] = ["first-0f-the-vault", "sec0nd-of-the-vault"] as const;

/** What the partner was shown, request by request; the first value is good until it is told otherwise. */
const shown: (string | undefined)[] = [];
let good: string = first;
const partner = createServer((request, response) => {
  shown.push(request.headers.authorization);
  const isGood = request.headers.authorization === `Bearer ${good}`;
  response.writeHead(isGood ? 200 : 401, { "content-type": "application/json" });
  response.end(isGood ? '[{"id":1}]' : '{"message":"who are you?"}');
});

const project = `
import { defineProject, flow, rest } from "leat";
const vault = rest({
  name: "vault",
  baseUrl: process.env.VAULT_URL,
  auth: { type: "bearer", token: "env:VAULT_TOKEN" },
  tenants: "none",
  streams: { items: { path: "/items", primaryKey: "id", pagination: { type: "single" } } },
});
export default defineProject({ name: "small", sources: [vault], flows: [flow("noop", {}, async () => {})] });
`;

let desk: Console;
beforeAll(async () => {
  partner.listen(0, "127.0.0.1");
  await new Promise((resolve) => partner.once("listening", resolve));
  const { port } = partner.address() as AddressInfo; // It listens on a port.
  desk = await openConsole(project, { VAULT_URL: `http://127.0.0.1:${port}` });
}, 60_000);
afterAll(async () => {
  await desk?.[Symbol.asyncDispose]();
  partner.close();
});

test("a connection is tried with a secret, is refused when the partner changes it, and answers to the new value; neither is told to anybody", async () => {
  await using visit = await desk.visit("/secrets");
  const { page } = visit;
  const expectUntold = watchSecrets(desk, page);
  const tryIt = async (expected: string): Promise<void> => {
    await page.getByRole("link", { name: "Connections", exact: true }).click();
    await page.getByRole("button", { name: "Test vault" }).click();
    await page.getByText(expected).waitFor();
    await page.getByRole("link", { name: "Secrets", exact: true }).first().click();
  };
  const give = async (button: string, value: string): Promise<void> => {
    await page.getByRole("button", { name: button }).click();
    const dialog = page.getByRole("dialog");
    if (button === "New secret") await dialog.getByLabel("Name").fill("VAULT_TOKEN");
    await dialog.getByLabel("Value").fill(value);
    await dialog.getByRole("button", { name: button === "New secret" ? "Save" : "Replace" }).click();
    await dialog.waitFor({ state: "detached" });
  };
  await tryIt("The secret env:VAULT_TOKEN is not set.");
  expect(shown).toEqual([]);
  await give("New secret", first);
  await tryIt("It answers GET");
  expect(shown).toEqual([`Bearer ${first}`]);
  good = second;
  await tryIt("answered 401");
  await give("Replace VAULT_TOKEN", second);
  await tryIt("It answers GET");
  expect(shown).toEqual([first, first, second].map((value) => `Bearer ${value}`));
  await expectClean(visit);
  await expectUntold([first, second], 5);
});
