/** Entry of the reading process: one file after another, as its owner hands them over. Never imported. */
import type { ReaderJob, ReaderReply, ReaderRequest, ReaderResult } from "./messages.ts";
import { toSentError } from "./messages.ts";

/** Pause between reports of memory where the owner cannot see it, ms. */
const reportMs = 100;

function send(reply: ReaderReply): void {
  process.send?.(reply, undefined, undefined, () => {}); // An owner that is gone needs no answer.
}

/** Each kind of job is loaded when it comes. */
async function run(job: ReaderJob): Promise<ReaderResult> {
  if ("declaration" in job) return await (await import("./run-job.ts")).runJob(job);
  return await (await import("./sheet-job.ts")).runSheetJob(job);
}

async function answer({ job, reportsMemory }: ReaderRequest): Promise<void> {
  const report = (): void => send({ kind: "memory", bytes: process.memoryUsage.rss() });
  const timer = reportsMemory ? setInterval(report, reportMs) : undefined;
  try {
    send({ kind: "done", result: await run(job) });
  } catch (error) {
    send({ kind: "failed", error: toSentError(error, job.name) });
  } finally {
    clearInterval(timer);
  }
}

process.on("message", (request: ReaderRequest) => void answer(request));
// Without its owner nobody watches its memory, and nobody wants its rows.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
