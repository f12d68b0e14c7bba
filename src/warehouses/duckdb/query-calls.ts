/** What the server and the process that runs queries say to each other. */
import { codes, type ErrorCode } from "../../errors/codes.ts";
import { isLeatError, LeatError } from "../../errors/leat-error.ts";
import type { PublishedColumn } from "../../model/dataset-manifest.ts";
import type { PackLayout } from "../../model/serving-pack.ts";
import type {
  AggregateQuery,
  Facet,
  FacetQuery,
  FileQuery,
  HeadPack,
  QueryTable,
  RowSelection,
  RowsFound,
  RowsQuery,
} from "../../ports/dataset-query.ts";

import type { ReadFile, ServedFileJob } from "./served-file.ts";

/** How the process is started. */
export type QueryProcessSettings = Readonly<{
  /** For what does not fit in memory; the process's own. */
  folder: string;
  memoryBytesMax: number;
  spillBytesMax: number;
  threads: number;
}>;

/** A version as the process knows it: enough to open its file again after a restart. */
export type KnownVersion = Readonly<{ id: string; file: string; columns: readonly PublishedColumn[] }>;

/** What is asked, and what the answer is. */
export type QueryCalls = {
  start: { asked: QueryProcessSettings; answer: undefined };
  load: {
    asked: KnownVersion &
      Readonly<{
        dataset: string;
        rowCount: number;
        paths: readonly string[];
        orders: readonly (readonly string[])[];
        packBytesMax: number;
        packPath: string;
      }>;
    answer: PackLayout;
  };
  readHead: {
    asked: Readonly<{ columns: readonly PublishedColumn[]; path: string; rowsMax: number }>;
    answer: HeadPack;
  };
  attach: { asked: KnownVersion; answer: undefined };
  drop: { asked: Readonly<{ id: string }>; answer: undefined };
  findRows: { asked: Readonly<{ id: string; query: RowsQuery }>; answer: RowsFound };
  writeRowNumbers: {
    asked: Readonly<{ id: string; selection: RowSelection; path: string }>;
    answer: number;
  };
  aggregate: { asked: Readonly<{ id: string; query: AggregateQuery }>; answer: QueryTable };
  facet: { asked: Readonly<{ id: string; query: FacetQuery }>; answer: Facet };
  /** Without `start`: by a process for this alone. */
  readFile: { asked: ServedFileJob; answer: ReadFile };
  writeFile: { asked: Readonly<{ id: string; query: FileQuery; path: string }>; answer: undefined };
};

export type CallName = keyof QueryCalls;

/** To the process. `stop` interrupts a call that was made before. */
export type CallMessage =
  | { [Name in CallName]: Readonly<{ call: number; name: Name; asked: QueryCalls[Name]["asked"] }> }[CallName]
  | Readonly<{ call: number; name: "stop" }>;

/** An error on its way between processes. */
export type SentError = Readonly<{
  code: ErrorCode;
  message: string;
  hint: string | undefined;
  details: Readonly<Record<string, unknown>>;
}>;

/** From the process: an answer, or that it is alive and how much memory it has. */
export type ReplyMessage =
  | Readonly<{ call: number; answer: unknown }>
  | Readonly<{ call: number; error: SentError }>
  | Readonly<{ residentBytes: number }>;

/** What the engine says when a query was stopped, and when it has no memory left. */
const isStopped = (message: string): boolean => message.startsWith("INTERRUPT");
const isOutOfMemory = (message: string): boolean => /^Out of Memory|max_temp_directory_size/.test(message);
/** What it says of sums of whole numbers and decimals beyond 38 digits. */
const isOverflow = (message: string): boolean => message.startsWith("Out of Range Error");

/** An error of the engine as plain data; of its words only what is for the log. */
export function toSentError(error: unknown): SentError {
  if (isLeatError(error)) {
    const { code, message, hint, details } = error as LeatError; // By its shape.
    return { code, message, hint, details };
  }
  const said = error instanceof Error ? error.message : String(error);
  const sent = (code: ErrorCode, message: string): SentError => ({
    code,
    message,
    hint: undefined,
    details: {},
  });
  if (isStopped(said)) return sent("INTERRUPTED", "The query was stopped.");
  if (isOutOfMemory(said))
    return sent("QUERY_MEMORY", "The query needs more memory than the engine may use.");
  if (isOverflow(said)) return sent("QUERY_OVERFLOW", "A sum has more than 38 digits.");
  return sent("INTERNAL", `The engine refused a query: ${said.split("\n", 1)[0]}`);
}

export function fromSentError({ code, message, hint, details }: SentError): LeatError {
  return new LeatError(code in codes ? code : "INTERNAL", { message, hint, details });
}
