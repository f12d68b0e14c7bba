/** Tells people of failures, recoveries and lateness: webhooks, chats of Slack's shape, e-mail. */
import { LeatError } from "../errors/leat-error.ts";
import type { FlowEvent } from "../model/run-record.ts";
import type { Clock, Secrets } from "../ports/world.ts";
import type { NoticeDeclaration, NoticeOccasion } from "./notice-declaration.ts";

/** How long a target may take to answer, ms. */
const answerMs = 5000;

/** Tries of one notice, and the pause between them, ms: the loop of events waits for them. */
const triesMax = 3;
const pauseMs = 1000;

/** Characters of an answer that are told. */
const answerLengthMax = 200;

export type NoticeWorld = Readonly<{
  secrets: Secrets;
  clock: Clock;
  redact: (text: string) => string;
  /** Where people see the run; `undefined`: nowhere. */
  runUrl: ((runId: string) => string) | undefined;
}>;

/** The occasion that an event is; `undefined`: none. */
export function occasionOf(event: FlowEvent): NoticeOccasion | undefined {
  if (event.kind === "run.failed") return "failure";
  if (event.kind === "run.recovered") return "recovery";
  return event.kind === "run.late" ? "late" : undefined;
}

/**
 * Delivers one notice, with some tries.
 *
 * @throws LeatError `NOTICE_FAILED`, `SECRET_MISSING`, `DEPENDENCY_MISSING`; no address or credential is told.
 */
export async function sendNotice(
  world: NoticeWorld,
  notice: NoticeDeclaration,
  event: FlowEvent,
  signal: AbortSignal,
): Promise<void> {
  for (let number = 1; ; number++) {
    try {
      return await deliver(world, notice, event, signal);
    } catch (error) {
      const isWorthRetry = error instanceof LeatError && error.retryable && number < triesMax;
      if (!isWorthRetry || signal.aborted) throw error;
      await world.clock.sleep(pauseMs, signal);
    }
  }
}

async function deliver(
  world: NoticeWorld,
  notice: NoticeDeclaration,
  event: FlowEvent,
  signal: AbortSignal,
): Promise<void> {
  const text = describeNotice(world, event);
  if (notice.to === "mail") {
    const server = await world.secrets.resolve(notice.smtp);
    return sendMail(world, { server, from: notice.from, recipients: notice.recipients, text });
  }
  const url = await world.secrets.resolve(notice.url);
  if (notice.to === "slack") return post(world, url, { text }, {}, signal);
  const token = notice.token === undefined ? undefined : await world.secrets.resolve(notice.token);
  const headers: Readonly<Record<string, string>> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const body = {
    occasion: occasionOf(event),
    deployment: event.subject,
    run: event.runId,
    url: event.runId === null ? null : (world.runUrl?.(event.runId) ?? null),
    at: new Date(event.atMs).toISOString(),
    text,
    ...event.data,
  };
  await post(world, url, body, headers, signal);
}

/** One text for all kinds of targets; its first line is the subject of a mail. */
function describeNotice(world: NoticeWorld, event: FlowEvent): string {
  const what = { failure: "failed", recovery: "works again", late: "is late" }[
    occasionOf(event) ?? "failure"
  ];
  const error = event.data["error"];
  const message =
    typeof error === "object" && error !== null && "message" in error ? String(error["message"]) : undefined;
  const lines = [
    `${event.subject} ${what}`,
    ...(message === undefined ? [] : [message]),
    ...(event.runId === null ? [] : [world.runUrl?.(event.runId) ?? `leat show ${event.runId}`]),
  ];
  return world.redact(lines.join("\n"));
}

async function post(
  world: NoticeWorld,
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      redirect: "error", // A notice holds what is not everybody's.
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    });
  } catch (cause) {
    // The message of fetch says too little, and its cause may name the address.
    const code = cause instanceof Error && cause.cause instanceof Error ? codeOf(cause.cause) : "";
    throw new LeatError("NOTICE_FAILED", { message: `A notice could not be posted${code}.` });
  }
  const said = (await answer.text().catch(() => "")).slice(0, answerLengthMax);
  if (answer.ok) return;
  throw new LeatError("NOTICE_FAILED", {
    message: `A notice was answered with ${answer.status}${said === "" ? "" : `: ${world.redact(said)}`}.`,
    retryable: answer.status >= 500 || answer.status === 429,
  });
}

const codeOf = (error: Error): string => ("code" in error ? ` (${String(error.code)})` : "");

async function sendMail(
  world: NoticeWorld,
  mail: Readonly<{ server: string; from: string; recipients: readonly string[]; text: string }>,
): Promise<void> {
  const { createTransport } = await importNodemailer();
  const transport = createTransport({
    url: mail.server,
    connectionTimeout: answerMs,
    greetingTimeout: answerMs,
    socketTimeout: answerMs,
  });
  try {
    const subject = mail.text.split("\n")[0] ?? "";
    await transport.sendMail({ from: mail.from, to: [...mail.recipients], subject, text: mail.text });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new LeatError("NOTICE_FAILED", { message: `A notice could not be mailed: ${world.redact(said)}` });
  } finally {
    transport.close();
  }
}

async function importNodemailer(): Promise<typeof import("nodemailer")> {
  try {
    return await import("nodemailer");
  } catch (cause) {
    throw new LeatError("DEPENDENCY_MISSING", {
      message: "Notices by mail need the package nodemailer.",
      hint: "Run: npm install nodemailer",
      cause,
    });
  }
}
