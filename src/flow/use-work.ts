/** The project's streams and datasets, as a task finds them in its context. */
import { LeatError } from "../errors/leat-error.ts";
import { toFlowRunId } from "../model/run-ids.ts";
import {
  type ProjectWork,
  projectWork,
  type WithProjectWork,
  type WorkWorld,
} from "../ports/project-work.ts";
import type { TaskContext } from "./flow-context.ts";

/** @throws LeatError `FLOW_MISUSED` where a flow runs outside of a project. */
export function useWork(ctx: TaskContext & WithProjectWork): ProjectWork {
  const work = ctx[projectWork];
  if (work !== undefined) return work;
  throw new LeatError("FLOW_MISUSED", {
    message: `The task "${ctx.task.name}" works with the streams and datasets of a project, and there is none.`,
    hint: "Run its flow by `leat run` or a worker of the project.",
  });
}

/** What a step of the work is given by the task that takes it. */
export const workWorld = (ctx: TaskContext): WorkWorld => ({
  signal: ctx.signal,
  runId: toFlowRunId(ctx.info.id),
  idempotencyKey: ctx.idempotencyKey,
  tell: (level, message) => ctx.log[level](message),
});
