/** A queue of Cloud Tasks, by its REST API: one method is all that is needed of it. */
import { LeatError } from "../../errors/leat-error.ts";
import { openGoogleApi } from "../../google/open-google-api.ts";
import type { TaskQueue } from "../../ports/task-queue.ts";
import type { Clock } from "../../ports/world.ts";

/** What a queue of Cloud Tasks needs to know. */
export type CloudTasksOptions = Readonly<{
  /** `projects/…/locations/…/queues/…` */
  queue: string;
  /** The account as which tasks are sent; it must be allowed to call the app, and we to act as it. */
  callerEmail: string;
  /** `LEAT_CLOUD_TASKS_URL`; `undefined`: Google's. */
  url: string | undefined;
  clock: Clock;
}>;

/** How long one delivery may take, seconds: the most that Cloud Tasks lets an HTTP target have. */
const dispatchDeadlineSeconds = 1800;

const form = /^cloud-tasks:\/\/(projects\/[\w.:-]+\/locations\/[a-z0-9-]+\/queues\/[A-Za-z0-9-]{1,100})$/;

/** Reads the address of a queue. @throws LeatError `CONFIG_INVALID`. */
export function parseCloudTasksUrl(url: string): string {
  const queue = form.exec(url)?.[1];
  if (queue !== undefined) return queue;
  throw new LeatError("CONFIG_INVALID", {
    message: `The queue's address "${url}" names no queue of Cloud Tasks.`,
    hint: "Write it as cloud-tasks://projects/my-project/locations/europe-west1/queues/leat-syncs.",
  });
}

/** Opens a queue. @throws LeatError `DEPENDENCY_MISSING`. */
export async function openCloudTasks(options: CloudTasksOptions): Promise<TaskQueue> {
  const { queue, callerEmail } = options;
  const api = await openGoogleApi("Cloud Tasks", options.clock);
  const base = options.url ?? "https://cloudtasks.googleapis.com";
  return {
    url: `cloud-tasks://${queue}`,
    async enqueue(task, appUrl, signal) {
      const answer = await api.request(
        {
          method: "POST",
          url: `${base}/v2/${queue}/tasks`,
          body: {
            task: {
              name: `${queue}/tasks/${task.name}`,
              dispatchDeadline: `${dispatchDeadlineSeconds}s`,
              httpRequest: {
                url: `${appUrl}${task.path}`,
                httpMethod: "POST",
                headers: { "content-type": "application/json" },
                body: Buffer.from(JSON.stringify(task.body)).toString("base64"),
                oidcToken: { serviceAccountEmail: callerEmail, audience: appUrl },
              },
            },
          },
          role: `roles/cloudtasks.enqueuer on the queue, and roles/iam.serviceAccountUser on ${callerEmail}`,
          expected: [409], // ALREADY_EXISTS: a task of this name is there, or was within the hour.
        },
        signal,
      );
      return answer.status === 409 ? "known" : "enqueued";
    },
    async close() {}, // Nothing is held open.
  };
}
