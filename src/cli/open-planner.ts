/** Where the planner of the sync app meets its queue. */
import { LeatError } from "../errors/leat-error.ts";
import type { TaskQueue } from "../ports/task-queue.ts";
import type { AuthOptions } from "../server/sync/authenticate.ts";
import type { WorkPorts } from "../server/sync/work-routes.ts";
import type { SyncApp } from "../server/sync-app.ts";
import type { Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import { systemClock } from "./system-world.ts";

/** What the queue depends on. */
export type PlannerSetup = Readonly<{
  /** `--queue`; else `LEAT_QUEUE`. */
  option: string | undefined;
  auth: AuthOptions;
  /** The app, to which a queue in this process delivers without a socket. */
  app: () => SyncApp["app"];
}>;

/** Deliveries of a queue in this process at once: what one service on Cloud Run takes by default here. */
const localWidth = 4;

/**
 * Prepares a planner; its queue is opened with the first plan.
 *
 * @returns `undefined`: on Cloud Run no queue is named, and one in memory would lose what it is given.
 * @throws LeatError `CONFIG_INVALID`.
 */
export async function openPlanner(
  invocation: Invocation,
  opened: OpenProject,
  setup: PlannerSetup,
): Promise<WorkPorts["openPlanner"]> {
  const { environment } = invocation;
  const named = setup.option ?? environment["LEAT_QUEUE"] ?? "";
  const isCloudRun = Boolean(environment["K_SERVICE"]);
  if (named === "" && isCloudRun) return undefined;
  const open =
    named === "" || named === "local:" ? () => openLocal(setup) : await prepareCloud(named, environment);
  let queue: Promise<TaskQueue> | undefined;
  return async () => {
    const [{ readRegistry }, { listWorkSchedules }] = await Promise.all([
      import("./open-flows.ts"),
      import("../flow/ready-made.ts"),
    ]);
    queue ??= open().then((made) => {
      invocation.atEnd(() => made.close());
      return made;
    });
    const schedules = listWorkSchedules(readRegistry(opened.project).deployments);
    if (!schedules.some(({ kind }) => kind === "sync")) {
      throw new LeatError("CONFIG_INVALID", {
        message: `The project "${opened.project.name}" says nowhere when its streams are synced.`,
        hint: 'Add it to the project: flows: [syncFlow({ schedules: [{ cron: "0 * * * *" }] })].',
      });
    }
    return { schedules, queue: await queue };
  };
}

async function openLocal({ auth, app }: PlannerSetup): Promise<TaskQueue> {
  if (auth.mode === "iam" || auth.mode === "oidc") {
    throw new LeatError("CONFIG_INVALID", {
      message: `A queue in this process cannot prove who it is, and callers are known by ${auth.mode}.`,
      hint: "Name a queue of Cloud Tasks as LEAT_QUEUE, or use LEAT_AUTH=apikey.",
    });
  }
  const { openLocalTasks } = await import("../dispatchers/local/open-local-tasks.ts");
  return openLocalTasks({
    clock: systemClock,
    width: localWidth,
    async deliver(task, headers) {
      const [key] = auth.mode === "apikey" ? await auth.readKeys() : [];
      const answer = await app().inject({
        method: "POST",
        url: task.path,
        headers: { ...headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
        payload: JSON.stringify(task.body),
      });
      return answer.statusCode;
    },
  });
}

async function prepareCloud(
  named: string,
  environment: Invocation["environment"],
): Promise<() => Promise<TaskQueue>> {
  const { openCloudTasks, parseCloudTasksUrl } = await import(
    "../dispatchers/cloud-tasks/open-cloud-tasks.ts"
  );
  const queue = parseCloudTasksUrl(named);
  const callerEmail = environment["LEAT_TASKS_CALLER"] ?? "";
  if (callerEmail === "") {
    throw new LeatError("CONFIG_INVALID", {
      message: "LEAT_TASKS_CALLER is not set, and a queue of Cloud Tasks is.",
      hint: "Set it to the address of the service account as which tasks are to call the app.",
    });
  }
  const url = environment["LEAT_CLOUD_TASKS_URL"] || undefined;
  return () => openCloudTasks({ queue, callerEmail, url, clock: systemClock });
}
