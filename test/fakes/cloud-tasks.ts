/**
 * A queue of Cloud Tasks: takes named tasks once, and sends them when the test says so, as the service does.
 *
 * @see https://docs.cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create
 * @see https://docs.cloud.google.com/tasks/docs/creating-http-target-tasks
 */
import { type FakeServer, startFake } from "./fake-server.ts";

/** A task as it was made. */
export type FakeTask = Readonly<{
  name: string;
  url: string;
  method: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  callerEmail: string;
  audience: string;
  deadline: string;
}>;

/** A running fake. */
export interface FakeCloudTasks extends FakeServer {
  readonly tasks: readonly FakeTask[];
  /** Sends a task, with what the service says of it in headers. @param token - the identity token of its caller. */
  send(task: FakeTask, token: string, retry?: number): Promise<Response>;
}

type CreateBody = Readonly<{
  task?: Readonly<{
    name?: string;
    dispatchDeadline?: string;
    httpRequest?: Readonly<{
      url: string;
      httpMethod: string;
      headers: Readonly<Record<string, string>>;
      body: string;
      oidcToken: Readonly<{ serviceAccountEmail: string; audience: string }>;
    }>;
  }>;
}>;

const bad = (message: string) => ({
  status: 400,
  body: { error: { code: 400, message, status: "INVALID_ARGUMENT" } },
});

/** Starts it, with one queue. */
export async function startCloudTasks(queue: string, accessToken: string): Promise<FakeCloudTasks> {
  const tasks: FakeTask[] = [];
  const names = new Set<string>();
  const fake = await startFake(({ method, path, headers, body }) => {
    if (headers.authorization !== `Bearer ${accessToken}`) return { status: 401 };
    if (method !== "POST" || path !== `/v2/${queue}/tasks`) {
      return { status: 404, body: { error: { code: 404, status: "NOT_FOUND" } } };
    }
    const { name = "", dispatchDeadline = "", httpRequest } = (body as CreateBody).task ?? {}; // As it was sent.
    const id = name.slice(`${queue}/tasks/`.length);
    if (!name.startsWith(`${queue}/tasks/`) || !/^[A-Za-z0-9_-]{1,500}$/.test(id)) return bad("task.name");
    if (httpRequest === undefined || !/^https?:\/\//.test(httpRequest.url)) return bad("httpRequest.url");
    if (!/^\d+s$/.test(dispatchDeadline) || Number.parseInt(dispatchDeadline, 10) > 1800)
      return bad("dispatchDeadline");
    if (names.has(id)) return { status: 409, body: { error: { code: 409, status: "ALREADY_EXISTS" } } };
    names.add(id);
    tasks.push({
      name: id,
      url: httpRequest.url,
      method: httpRequest.httpMethod,
      headers: httpRequest.headers,
      body: Buffer.from(httpRequest.body, "base64").toString("utf8"),
      callerEmail: httpRequest.oidcToken.serviceAccountEmail,
      audience: httpRequest.oidcToken.audience,
      deadline: dispatchDeadline,
    });
    return { status: 200, body: { name } };
  });
  return {
    ...fake,
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
    tasks,
    send: (task, token, retry = 0) =>
      fetch(task.url, {
        method: task.method,
        headers: {
          ...task.headers,
          authorization: `Bearer ${token}`,
          "x-cloudtasks-queuename": queue.split("/").at(-1)!,
          "x-cloudtasks-taskname": task.name,
          "x-cloudtasks-taskretrycount": String(retry),
          "x-cloudtasks-taskexecutioncount": String(retry),
          "x-cloudtasks-tasketa": String(Math.floor(Date.now() / 1000)),
        },
        body: task.body,
      }),
  };
}
