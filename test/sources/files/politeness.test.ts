/** How a publisher is asked: one at a time, slowly where told, again where it may help. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { testWorld } from "../test-world.ts";
import { HastyClock, oneStream, openFilesLanding } from "./files-landing.ts";
import { answerWith, linksTo, type Served, startPublisher, xls } from "./publisher.ts";

/** Answers with some statuses first, and with a file from then on. */
function hesitant(first: readonly Served[]) {
  let count = 0;
  return (...[request, response]: Parameters<Exclude<import("./publisher.ts").Answer, Served>>) =>
    answerWith(request, response, first[count++] ?? { body: xls("here") });
}

test.each<[string, Served, number]>([
  ["429 with Retry-After in seconds", { status: 429, body: "", headers: { "retry-after": "7" } }, 7000],
  ["503 with Retry-After in seconds", { status: 503, body: "", headers: { "retry-after": "90" } }, 90_000],
  [
    "429 with Retry-After as a date",
    {
      status: 429,
      body: "",
      headers: { date: "Mon, 01 Jan 2024 00:00:00 GMT", "retry-after": "Mon, 01 Jan 2024 00:00:20 GMT" },
    },
    20_000,
  ],
])("%s is waited for, and the file is landed", async (_what, refusal, waitMs) => {
  await using publisher = await startPublisher({ "/": linksTo("1.xls"), "/1.xls": hesitant([refusal]) });
  const clock = new HastyClock();
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "*.xls" }), {
    world: testWorld({ clock }),
  });
  const outcome = await landing.run();
  expect(outcome).toMatchObject({ counts: { landed: 1 }, requests: 3 });
  expect(clock.sleptMs).toEqual([waitMs]);
  expect(landing.warnings()).toEqual([expect.stringContaining(`Trying again in ${waitMs / 1000} s`)]);
});

test("429 that does not end stops the run, and what was landed stays", async () => {
  await using publisher = await startPublisher({
    "/": linksTo("1.xls", "2.xls", "3.xls"),
    "/1.xls": { body: xls("1") },
    "/2.xls": { status: 429, body: "" },
    "/3.xls": { body: xls("3") },
  });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "*.xls" }));
  await expect(landing.run()).rejects.toMatchObject({ code: "SOURCE_RATE_LIMITED" });
  expect(publisher.asked()).toEqual(["/", "/1.xls", "/2.xls", "/2.xls", "/2.xls"]);
  expect((await landing.newest()).map(({ name }) => name)).toEqual(["1.xls"]);
});

test("503 once is asked again", async () => {
  await using publisher = await startPublisher({
    "/": hesitant([{ status: 503, body: "" }, linksTo("1.xls")]),
    "/1.xls": hesitant([{ status: 503, body: "" }]),
  });
  const landing = openFilesLanding(oneStream({ page: publisher.origin, match: "*.xls" }));
  expect((await landing.run()).counts.landed).toBe(1);
});

test("requests keep to the rate limit, those for pages and files together", async () => {
  await using publisher = await startPublisher({
    "/": linksTo("1.xls", "2.xls", "3.xls", "4.xls"),
    ...Object.fromEntries([1, 2, 3, 4].map((number) => [`/${number}.xls`, { body: xls(`${number}`) }])),
  });
  const clock = new HastyClock();
  const source = oneStream(
    { page: publisher.origin, match: "*.xls" },
    { rateLimit: { requests: 2, perMs: 60_000 } },
  );
  await openFilesLanding(source, { world: testWorld({ clock }) }).run();
  expect(clock.sleptMs).toHaveLength(3); // Five requests, two of them at once.
  for (const ms of clock.sleptMs) expect(ms).toBeGreaterThan(50_000);
});

test.each([
  [1, undefined, 1],
  [3, undefined, 3],
  [5, { concurrency: 2 }, 2],
])("of a concurrency of %s, and a rate limit of %j, %s come at once, in the page's order", async (concurrency, rateLimit, most) => {
  let [open, mostOpen] = [0, 0];
  const numbers = Array.from({ length: 9 }, (_, index) => index + 1);
  await using publisher = await startPublisher({
    "/": linksTo(...numbers.map((number) => `${number}.csv`)),
    ...Object.fromEntries(
      numbers.map((number) => [
        `/${number}.csv`,
        async (...[request, response]: Parameters<Exclude<import("./publisher.ts").Answer, Served>>) => {
          mostOpen = Math.max(mostOpen, ++open);
          await delay((10 - number) * 3);
          open--;
          answerWith(request, response, { body: `n\n${number}\n` });
        },
      ]),
    ),
  });
  const stream = { page: publisher.origin, match: "*.csv", concurrency };
  const landing = openFilesLanding(oneStream(stream, rateLimit === undefined ? {} : { rateLimit }));
  await landing.run();
  expect(mostOpen).toBe(most);
  expect((await landing.versions()).map(({ name, row }) => [name, row])).toEqual(
    numbers.map((number, row) => [`${number}.csv`, row]),
  );
});

test("a body that is slow is waited for, and one that stops is not", async () => {
  await using publisher = await startPublisher({
    "/": linksTo("slow.csv", "stuck.csv"),
    "/slow.csv": async (_request, response) => {
      response.writeHead(200);
      for (let row = 0; row < 5; row++) {
        response.write(`${row}\n`);
        await delay(30);
      }
      response.end();
    },
    "/stuck.csv": (_request, response) => {
      response.writeHead(200);
      response.write("0\n");
    },
  });
  const source = oneStream(
    { page: publisher.origin, match: "*.csv" },
    { timeouts: { body: 1000 }, retry: { tries: 1 } },
  );
  const landing = openFilesLanding(source);
  await expect(landing.run()).rejects.toMatchObject({
    code: "FILE_REFUSED",
    details: { refused: [{ name: "stuck.csv", code: "SOURCE_TIMEOUT" }] },
  });
  expect((await landing.newest()).map(({ name }) => name)).toEqual(["slow.csv"]);
});
