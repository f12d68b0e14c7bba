/** Failures as problem documents (RFC 9457). */
import type { FastifyReply } from "fastify";
import { codes } from "../errors/codes.ts";
import type { LeatError } from "../errors/leat-error.ts";
import { printErrorJson } from "../errors/print-error.ts";
import { retryAfterSeconds, statusOf } from "./http-status.ts";

/** What a reply may say beside the error. */
export type ProblemOptions = Readonly<{
  /** Default: the code's. */
  status?: number;
  /** Members of the document beside the standard ones. */
  members?: Readonly<Record<string, unknown>>;
  redact: (text: string) => string;
}>;

/** Answers with a problem document. */
export function sendProblem(reply: FastifyReply, error: LeatError, options: ProblemOptions): FastifyReply {
  const status = options.status ?? statusOf(error.code);
  const { message, ...rest } = printErrorJson(error, options.redact);
  const retryAfter = retryAfterSeconds.get(status);
  if (retryAfter !== undefined && error.retryable) reply.header("retry-after", String(retryAfter));
  return reply
    .code(status)
    .type("application/problem+json")
    .send({
      type: `urn:leat:error:${error.code}`,
      title: codes[error.code]?.meaning ?? error.code,
      status,
      detail: message,
      ...rest,
      ...options.members,
    });
}
