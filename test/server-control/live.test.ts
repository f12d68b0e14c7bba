/** What moves, on one connection: topics, positions, and what a lost connection costs. */
import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system-world.ts";
import { flow } from "../../src/flow/flow.ts";
import { task } from "../../src/flow/task.ts";
import { type ApiStand, token, withApi } from "./open-api.ts";

const headers = { authorization: `Bearer ${token}` };
const linesTotal = 1200;

/** How long a connection is read, ms: less than a test may take, so that it says which. */
const listenMsMax = 50_000;

const talk = task("talk", {}, async (ctx) => {
  for (let n = 1; n <= linesTotal; n++) ctx.log.info(`line ${n}`);
});
const chatty = flow("chatty", {}, (ctx) => talk(ctx));
const options = { token, flows: [chatty] };

type Told = Readonly<{ id: string; data: Record<string, unknown> & { topic: string } }>;

/** Reads a connection until `isEnough`, then goes away. */
async function listen(
  url: string,
  path: string,
  isEnough: (told: readonly Told[]) => boolean,
  more: Record<string, string> = {},
): Promise<readonly Told[]> {
  const gone = new AbortController();
  const answer = await fetch(`${url}${path}`, {
    headers: { ...headers, ...more },
    signal: AbortSignal.any([gone.signal, AbortSignal.timeout(listenMsMax)]),
  });
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  const told: Told[] = [];
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body!) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
      const data = field("data");
      if (data !== undefined) told.push({ id: field("id") ?? "", data: JSON.parse(data) });
    }
    if (isEnough(told)) break;
  }
  gone.abort();
  return told;
}

const linesOf = (told: readonly Told[]) =>
  told.flatMap(({ data }) => (Array.isArray(data["lines"]) ? data["lines"] : [])) as {
    id: number;
    message: string;
  }[];

async function begin({ app }: ApiStand, deployment: string): Promise<string> {
  const answer = await app.inject({ method: "POST", url: `/api/deployments/${deployment}/runs`, headers });
  return answer.json<{ run: { id: string } }>().run.id;
}

test("runs, one run with its tasks, and its lines come on one connection, to their ends", async () => {
  await withApi(async (stand) => {
    const url = await stand.app.listen({ host: "127.0.0.1", port: 0 });
    const id = await begin(stand, "letters");
    const topics = `runs,run:${id},logs:${id}`;
    const told = await listen(
      url,
      `/api/live?topics=${topics}`,
      (all) => all.filter(({ data }) => data["end"] === true).length === 2,
    );
    expect(new Set(told.map(({ data }) => data.topic))).toEqual(new Set(["runs", `run:${id}`, `logs:${id}`]));
    const last = told.findLast(({ data }) => data.topic === `run:${id}` && "run" in data)?.data;
    expect(last).toMatchObject({ run: { state: "succeeded" }, task_count: 5 });
    expect(linesOf(told).map(({ message }) => message)).toEqual(["fetches a", "fetches b", "fetches c"]);
    const states = told
      .filter(({ data }) => data.topic === "runs")
      .flatMap(({ data }) => data["runs"] as { id: string; state: string }[])
      .filter((run) => run.id === id)
      .map(({ state }) => state);
    expect(states.at(-1)).toBe("succeeded");
  }, options);
});

test("whoever comes back with the last id misses no line and sees none twice", async () => {
  await withApi(async (stand) => {
    const url = await stand.app.listen({ host: "127.0.0.1", port: 0 });
    const id = await stand.run("chatty");
    const path = `/api/live?topics=streams,logs:${id}`;
    const first = await listen(url, path, (all) => linesOf(all).length > 0);
    const rest = await listen(url, path, (all) => all.some(({ data }) => data["end"] === true), {
      "last-event-id": first.at(-1)!.id,
    });
    const ids = [...linesOf(first), ...linesOf(rest)].map(({ id: line }) => line);
    expect(linesOf(rest).length).toBeGreaterThan(0);
    expect([ids.length, new Set(ids).size]).toEqual([linesTotal, linesTotal]);
    expect(ids).toEqual(ids.toSorted((one, other) => one - other));
    const from = await listen(url, `/api/live?topics=logs:${id}@${ids.at(-3)}`, (all) =>
      all.some(({ data }) => data["end"] === true),
    );
    expect(new Set(from.map(({ data }) => data.topic))).toEqual(new Set([`logs:${id}`]));
    expect(linesOf(from).map(({ message }) => message)).toEqual([
      `line ${linesTotal - 1}`,
      `line ${linesTotal}`,
    ]);
  }, options);
});

test("streams tell of what happens from now on, or after an event that was seen", async () => {
  await withApi(async (stand) => {
    const url = await stand.app.listen({ host: "127.0.0.1", port: 0 });
    const happen = async (tenant: string) => {
      const event = {
        kind: "stream.packages",
        subject: "shop.orders",
        runId: null,
        data: { tenant },
        dedupKey: null,
      };
      return (await stand.ledger.appendEvent(event)).id;
    };
    const seen = await happen("old");
    const tenants = (told: readonly Told[]) =>
      told
        .flatMap(({ data }) => data["events"] as { data: { tenant: string } }[])
        .map(({ data }) => data.tenant);
    let isTold = false;
    const now = listen(url, "/api/live?topics=streams", (all) => tenants(all).length > 0).finally(() => {
      isTold = true;
    });
    // Nobody but the server knows when its "now" begins: it happens until it is told.
    while (!isTold) {
      await happen("new");
      await systemClock.sleep(100, new AbortController().signal);
    }
    expect(new Set(tenants(await now))).toEqual(new Set(["new"]));
    const both = await listen(url, `/api/live?topics=streams@${seen - 1}`, (all) => tenants(all).length > 1);
    expect(tenants(both).slice(0, 2)).toEqual(["old", "new"]);
  }, options);
});

test("what is no topic, no run or no place is told as a problem document", async () => {
  await withApi(async (stand) => {
    const code = async (topics: string, more: Record<string, string> = {}) => {
      const answer = await stand.app.inject({
        url: `/api/live?topics=${topics}`,
        headers: { ...headers, ...more },
      });
      return [answer.statusCode, answer.json().code];
    };
    expect(await code("weather")).toEqual([400, "USAGE"]);
    expect(await code("run")).toEqual([400, "USAGE"]);
    expect(await code("logs:0123abcd")).toEqual([404, "RUN_UNKNOWN"]);
    expect(await code("streams", { "last-event-id": "1~2" })).toEqual([400, "USAGE"]);
    expect(await code(Array.from({ length: 11 }, (_, n) => `logs:${n}`).join())).toEqual([400, "USAGE"]);
  }, options);
});
