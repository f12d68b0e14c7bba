/** Entry of the reading process: one file after another, as its owner hands them over. Never imported. */
import type { ReaderReply, ReaderRequest } from "./messages.ts";
import { toSentError } from "./messages.ts";
import { runJob } from "./run-job.ts";

/** Pause between reports of memory where the owner cannot see it, ms. */
const reportMs = 100;

function send(reply: ReaderReply): void {
  process.send?.(reply, undefined, undefined, () => {}); // An owner that is gone needs no answer.
}

async function answer({ job, reportsMemory }: ReaderRequest): Promise<void> {
  const report = (): void => send({ kind: "memory", bytes: process.memoryUsage.rss() });
  const timer = reportsMemory ? setInterval(report, reportMs) : undefined;
  try {
    send({ kind: "done", result: await runJob(job) });
  } catch (error) {
    send({ kind: "failed", error: toSentError(error, job.name) });
  } finally {
    clearInterval(timer);
  }
}

process.on("message", (request: ReaderRequest) => void answer(request));
// Without its owner nobody watches its memory, and nobody wants its rows.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
