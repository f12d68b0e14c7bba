/** Both queues of tasks keep the same contract. */
import { describe, expect, test } from "vitest";
import { openCloudTasks } from "../../src/dispatchers/cloud-tasks/open-cloud-tasks.ts";
import { openLocalTasks } from "../../src/dispatchers/local/open-local-tasks.ts";
import type { QueuedTask } from "../../src/ports/task-queue.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import { taskQueueContract } from "../../src/testing/task-queue-contract.ts";
import { startCloudTasks } from "../fakes/cloud-tasks.ts";
import { callerEmail, startTokenIssuer } from "../fakes/token-issuer.ts";

describe("in this process", () => {
  taskQueueContract(test, async () => {
    const sent: QueuedTask[] = [];
    const queue = openLocalTasks({
      clock: createFakeClock(0, "instant"),
      width: 4,
      deliver: async (task) => {
        sent.push(task);
        return 200;
      },
    });
    return {
      queue,
      async readSent(count) {
        await expect.poll(() => sent.length).toBeGreaterThanOrEqual(count);
        return sent;
      },
      dispose: () => queue.close(),
    };
  });
});

describe("Cloud Tasks", () => {
  taskQueueContract(test, async () => {
    const issuer = await startTokenIssuer();
    process.env["GCE_METADATA_HOST"] = issuer.metadataHost;
    process.env["METADATA_SERVER_DETECTION"] = "assume-present";
    process.env["GOOGLE_CLOUD_PROJECT"] = "my-project";
    const name = "projects/my-project/locations/europe-west1/queues/syncs";
    const service = await startCloudTasks(name, issuer.accessToken);
    const clock = createFakeClock(0, "instant");
    const queue = await openCloudTasks({ queue: name, callerEmail, url: service.url, clock });
    return {
      queue,
      readSent: async () =>
        service.tasks.map((task) => ({
          name: task.name,
          path: task.url.slice("https://app.example".length),
          body: JSON.parse(task.body),
        })),
      async dispose() {
        await queue.close();
        await service[Symbol.asyncDispose]();
        await issuer[Symbol.asyncDispose]();
      },
    };
  });
});
