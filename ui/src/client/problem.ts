/** What the server says when it cannot: problem documents (RFC 9457) with leat's error codes. */

/** One field that is wrong. */
export type Fault = Readonly<{ path: string; problem: string }>;

/** A failure as people are told of it. */
export class Problem extends Error {
  override readonly name = "Problem";
  /** HTTP status; 0: no answer came at all. */
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly faults: readonly Fault[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    said: Readonly<{
      status: number;
      code: string;
      hint?: string;
      details?: Readonly<Record<string, unknown>>;
    }>,
  ) {
    super(message);
    this.status = said.status;
    this.code = said.code;
    this.hint = said.hint;
    this.details = said.details ?? {};
    this.faults = readFaults(this.details["faults"]);
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function readFaults(listed: unknown): readonly Fault[] {
  if (!Array.isArray(listed)) return [];
  return listed.filter(isRecord).map((one) => ({
    path: textOf(one["path"]) ?? "",
    problem: textOf(one["problem"]) ?? "is wrong",
  }));
}

/** Reads what a failed answer says; anything that is no problem document is told by its status. */
export async function readProblem(answer: Response): Promise<Problem> {
  const said: unknown = await answer.json().catch(() => undefined);
  const document = isRecord(said) ? said : {};
  const hint = textOf(document["hint"]);
  // The data API names its problems by their type, `urn:leat:problem:not-ready`.
  const kind = /^urn:leat:problem:(.+)$/.exec(textOf(document["type"]) ?? "")?.[1];
  return new Problem(textOf(document["detail"]) ?? `The server answered ${answer.status}.`, {
    status: answer.status,
    code: textOf(document["code"]) ?? kind ?? `HTTP_${answer.status}`,
    ...(hint !== undefined && { hint }),
    ...(isRecord(document["details"]) && { details: document["details"] }),
  });
}

/** The same for whatever else was thrown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(error instanceof Error ? error.message : String(error), {
    status: 0,
    code: "UNEXPECTED",
  });
}

/** Whether no answer came at all: a server that restarts, or a network that is away. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof Problem && (error.code === "UNREACHABLE" || error.code === "TIMEOUT");
