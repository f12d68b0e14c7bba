/** Tasks of Cloud Tasks, over HTTP; and the queue of a laptop, which does the same. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openCloudTasks, parseCloudTasksUrl } from "../../src/dispatchers/cloud-tasks/open-cloud-tasks.ts";
import { openLocalTasks } from "../../src/dispatchers/local/open-local-tasks.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import { type FakeCloudTasks, startCloudTasks } from "../fakes/cloud-tasks.ts";
import { callerEmail, startTokenIssuer, type TokenIssuer } from "../fakes/token-issuer.ts";

const queue = "projects/my-project/locations/europe-west1/queues/shop-syncs";
const task = { name: "a1_shop_orders_414_20260101030000", path: "/shop/orders", body: { tenant_id: "414" } };
const appUrl = "https://shop-sync.example";
const { signal } = new AbortController();
let issuer: TokenIssuer;
let service: FakeCloudTasks;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  process.env["GCE_METADATA_HOST"] = issuer.metadataHost;
  process.env["METADATA_SERVER_DETECTION"] = "assume-present";
  process.env["GOOGLE_CLOUD_PROJECT"] = "my-project"; // Else the library looks for it in many places.
});
beforeEach(async () => {
  service = await startCloudTasks(queue, issuer.accessToken);
  return () => service[Symbol.asyncDispose]();
});
afterAll(() => issuer[Symbol.asyncDispose]());

const open = (name = queue) =>
  openCloudTasks({ queue: name, callerEmail, url: service.url, clock: createFakeClock(0, "instant") });

describe("openCloudTasks", () => {
  test("a task calls the app as the caller's account, and may take as long as a request may", async () => {
    expect(await (await open()).enqueue(task, appUrl, signal)).toBe("enqueued");
    expect(service.tasks).toEqual([
      {
        name: task.name,
        url: `${appUrl}/shop/orders`,
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"tenant_id":"414"}',
        callerEmail,
        audience: appUrl,
        deadline: "1800s",
      },
    ]);
  });

  test("the same name twice is one task", async () => {
    const tasks = await open();
    await tasks.enqueue(task, appUrl, signal);
    expect(await tasks.enqueue(task, appUrl, signal)).toBe("known");
    expect(service.tasks).toHaveLength(1);
  });

  test("an answer that is lost after the task was made leaves one task", async () => {
    service.faults.push("after");
    expect(await (await open()).enqueue(task, appUrl, signal)).toBe("known");
    expect(service.tasks).toHaveLength(1);
  });

  test("requests that fail for a while are sent again, and given up in the end", async () => {
    service.faults.push("before", { status: 503 }, { status: 429 });
    expect(await (await open()).enqueue(task, appUrl, signal)).toBe("enqueued");
    service.faults.push(...Array.from({ length: 4 }, () => ({ status: 500 })));
    await expect((await open()).enqueue({ ...task, name: "b" }, appUrl, signal)).rejects.toMatchObject({
      code: "CLOUD_UNAVAILABLE",
      message: expect.stringContaining("4 times"),
    });
  });

  test("a queue that is not there is named, and so is the role that is missing", async () => {
    await expect((await open(`${queue}-2`)).enqueue(task, appUrl, signal)).rejects.toMatchObject({
      code: "CLOUD_REFUSED",
      message: expect.stringContaining("shop-syncs-2"),
    });
    service.faults.push({ status: 403 });
    await expect((await open()).enqueue(task, appUrl, signal)).rejects.toMatchObject({
      hint: expect.stringContaining("roles/cloudtasks.enqueuer"),
    });
  });

  test("a stop ends it", async () => {
    const stop = new AbortController();
    const tasks = await open();
    stop.abort(new Error("stopped"));
    await expect(tasks.enqueue(task, appUrl, stop.signal)).rejects.toThrow("stopped");
  });
});

test.each([
  "cloud-tasks://shop-syncs",
  "projects/p/locations/l/queues/q",
  "cloud-tasks://projects/p/queues/q",
])("%s names no queue", (url) => {
  expect(() => parseCloudTasksUrl(url)).toThrow(/names no queue of Cloud Tasks/);
});

describe("openLocalTasks", () => {
  test("sends each name once, so many at a time, and again after a failure", async () => {
    const clock = createFakeClock(0, "instant");
    const sent: string[] = [];
    let [running, most] = [0, 0];
    const tasks = openLocalTasks({
      clock,
      width: 2,
      async deliver({ name }, headers) {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        sent.push(`${name} ${headers["x-cloudtasks-taskretrycount"]}`);
        return name === "b" && headers["x-cloudtasks-taskretrycount"] === "0" ? 503 : 200;
      },
    });
    await Promise.all(["a", "b", "c", "a"].map((name) => tasks.enqueue({ ...task, name }, "", signal)));
    await expect.poll(() => sent.toSorted()).toEqual(["a 0", "b 0", "b 1", "c 0"]);
    expect(most).toBe(2);
    expect(await tasks.enqueue({ ...task, name: "a" }, "", signal)).toBe("known");
    await clock.advance(2 * 3600_000);
    expect(await tasks.enqueue({ ...task, name: "a" }, "", signal)).toBe("enqueued");
    await tasks.close();
  });

  test("a task that always fails is given up, and its end forgotten when it is closed", async () => {
    let tries = 0;
    const tasks = openLocalTasks({
      clock: createFakeClock(0, "instant"),
      width: 1,
      deliver: () => {
        tries++;
        return Promise.reject(new Error("no app"));
      },
    });
    await tasks.enqueue(task, "", signal);
    await expect.poll(() => tries).toBe(5);
    await tasks.close();
    expect(tries).toBe(5);
  });
});
