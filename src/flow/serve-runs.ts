/** The process of a flow: executes one attempt after the other, as its worker hands them over (F17). */
import { codes, type ErrorCode } from "../errors/codes.ts";
import { LeatError } from "../errors/leat-error.ts";
import type { WorkerId } from "../model/run-ids.ts";
import type { FlowRegistry } from "./deployment.ts";
import { endUnknownFlow } from "./end-unknown.ts";
import { executeRun } from "./execute-run.ts";
import { createLimitGates } from "./limit-gates.ts";
import type { ProcessReply, ProcessRequest } from "./process-messages.ts";
import { executedOf } from "./run-executor.ts";
import type { RunWorld } from "./run-world.ts";
import { cancelledError } from "./worker.ts";

/** What such a process has opened for itself: its own connection to the ledger, and the project's flows. */
export type ProcessWorld = Readonly<{
  world: Omit<RunWorld, "workerId" | "waits" | "gates" | "live" | "tell">;
  registry: FlowRegistry;
}>;

/** The side of a forked process that talks to who forked it: `process` itself. */
export type ProcessChannel = Pick<NodeJS.Process, "on" | "send" | "kill" | "pid" | "stdout" | "stderr">;

/**
 * Serves until the worker is gone.
 *
 * To be called by the entry of a forked process, before anything else is awaited.
 *
 * @param open - loads the project and opens the ledger; when it throws, the process is to end, and its last words are told.
 */
export async function serveRuns(channel: ProcessChannel, open: () => Promise<ProcessWorld>): Promise<void> {
  // Without its worker nobody beats for it, and another takes its run over.
  channel.on("disconnect", () => channel.kill(channel.pid, "SIGKILL"));
  channel.on("SIGINT", () => {}); // A terminal sends it to all; the worker decides what becomes of its runs.
  const mark = markOutputs(channel); // Before the project's code may change what writing means.
  const opened = await open();
  const live: RunWorld["live"] = new Map();
  const gates = createLimitGates();
  let controller = new AbortController();
  const send = (reply: ProcessReply): void => {
    channel.send?.(reply, undefined, undefined, () => {}); // A worker that is gone needs no answer.
  };
  const answer = async (text: string, reply: ProcessReply): Promise<void> => {
    await mark(text);
    send(reply);
  };
  const execute = async (run: ProcessRequest & { kind: "run" }): Promise<void> => {
    controller = new AbortController();
    const world = toRunWorld(opened.world, run.workerId, { live, gates });
    try {
      const flow = opened.registry.flow(run.run.flow);
      const outcome = await executeRun(world, run.run, flow, controller.signal);
      await answer(run.mark, { kind: "ended", executed: executedOf(outcome), isDirty: outcome.isDirty });
    } catch (error) {
      await endUnknownFlow(world.ledger, run.run, error).then(
        (executed) => answer(run.mark, { kind: "ended", executed, isDirty: false }),
        (broken: unknown) =>
          answer(run.mark, {
            kind: "broken",
            message: broken instanceof Error ? broken.message : String(broken),
          }),
      );
    }
  };
  channel.on("message", (request: ProcessRequest) => {
    if (request.kind === "run") void execute(request);
    else if (request.kind === "abort") controller.abort(toReason(request));
    else live.get(request.runId)?.(cancelledError(request.runId));
  });
  send({ kind: "ready" });
}

/**
 * Writes a line to both outputs, after all that was written before. Outputs are pipes, which are filled in the background,
 * so that the answer, on a channel of its own, would come before what the flow had written.
 */
function markOutputs({ stdout, stderr }: ProcessChannel): (text: string) => Promise<void> {
  const writers = [stdout, stderr].map((output) => output.write.bind(output));
  return async (text) => {
    const written = writers.map(
      (write) => new Promise<void>((resolve) => write(`${text}\n`, () => resolve())), // Also where it was closed.
    );
    await Promise.all(written);
  };
}

const toRunWorld = (
  world: ProcessWorld["world"],
  workerId: WorkerId,
  own: Pick<RunWorld, "live" | "gates">,
): RunWorld => ({ ...world, ...own, workerId, waits: "suspend", tell: () => {} });

function toReason({ code, message }: ProcessRequest & { kind: "abort" }): LeatError {
  const known = Object.hasOwn(codes, code) ? (code as ErrorCode) : "INTERNAL"; // It is one of them.
  return new LeatError(known, { message });
}
