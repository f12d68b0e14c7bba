/** What a command and the processes that deliver its shares say to each other. */
import type { ProgressEvent } from "../ports/world.ts";
import type { ShareReport } from "../share/print-outcome.ts";
import type { ShareMode } from "../share/share-job.ts";

/** To the process: names, and nothing that could be a secret. */
export type ShareRequest = Readonly<
  { kind: "share"; share: string; tenant: string; mode: ShareMode } | { kind: "stop" }
>;

/** From it. */
export type ShareReply = Readonly<
  { kind: "ready" } | { kind: "progress"; event: ProgressEvent } | { kind: "done"; report: ShareReport }
>;
