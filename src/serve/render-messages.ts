/** What the server and its printing thread say to each other. */
import type { PackMessage } from "./pack-thread.ts";
import type { TextFormat } from "./print-rows.ts";

/** An export: rows of a version, all of them or those whose numbers stand in a file, which the job deletes. */
export type RenderJob = Readonly<{
  id: string;
  format: TextFormat;
  columns: readonly string[];
  source: "all" | Readonly<{ path: string }>;
}>;

export type RenderMessage = Readonly<
  | PackMessage
  /** Sends the first piece; each further one is asked for. */
  | { do: "open"; job: number; asked: RenderJob }
  | { do: "next"; job: number }
  /** Writes all pieces to a file, of at most so many bytes. */
  | { do: "write"; job: number; asked: RenderJob; path: string; bytesMax: number }
  | { do: "end"; job: number }
>;

export type RenderReply = Readonly<
  | { job: number; piece: Uint8Array; isEnd: boolean }
  /** A file is written; `undefined`: it would have become too large, or was given up. */
  | { job: number; bytes: number | undefined }
  | { job: number; error: string }
>;
