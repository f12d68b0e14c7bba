/**
 * Jobs by name. A job's name is made of what it does, so that whoever has lost an answer, or began the same work in
 * another process, finds the job instead of starting it again; one that failed has used up its name, and the next
 * attempt has another (PROTOCOL I18).
 *
 * @see https://docs.cloud.google.com/bigquery/docs/running-jobs (read 2026-11-21): a second job of one name is refused
 *   with 409 `duplicate`.
 */
import { createHash, randomBytes } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import type { Answer, GoogleApi } from "./google-api.ts";
import { GoogleFailure, type GoogleFault, isPassing, toLeatError } from "./google-errors.ts";

/** What a job is. */
export type JobRequest = Readonly<{
  /** `load`, `commit`, `query`: part of the name, and a label. */
  kind: string;
  /** What the job's name is made of: everything that decides what it does. `undefined`: a name nobody has. */
  identity: string | undefined;
  configuration: Readonly<Record<string, unknown>>;
  labels: Readonly<Record<string, string>>;
  /** Tells who begins it, so that of several that want the same job one has done it. Default: nobody in particular. */
  by?: string;
  what: string;
}>;

/** A job that is done. */
export type FinishedJob = Readonly<{
  id: string;
  bytesBilled: bigint;
  /** Whether it was begun here, also when the answer to its beginning was lost. */
  isOurs: boolean;
}>;

/** A job as it was begun, or as somebody else had begun it. */
type BegunJob = Readonly<{ job: Answer; isFound: boolean; isOurs: boolean }>;

/** Attempts of one piece of work in one hour; each failed one has used up a name. */
const attemptsMax = 5;
/** Longest wait for a job, ms: loads end within six hours, and nobody who waits is served by more than one. */
const waitMsMax = 3_600_000;
const pollMs = { first: 250, most: 5_000 };

/** Jobs begun and bytes billed, for people. */
export type JobCounts = { loads: number; commits: number; queries: number; bytesBilled: bigint };

export class Jobs {
  readonly #api: GoogleApi;
  readonly #nowMs: () => number;
  readonly counts: JobCounts = { loads: 0, commits: 0, queries: 0, bytesBilled: 0n };

  constructor(api: GoogleApi, nowMs: () => number) {
    this.#api = api;
    this.#nowMs = nowMs;
  }

  /**
   * Runs a job to its end, or waits for the one of its name.
   *
   * @throws JobFailure what the job failed with; LeatError everything else.
   */
  async run(request: JobRequest, signal?: AbortSignal): Promise<FinishedJob> {
    for (let attempt = 1; ; attempt += 1) {
      const id = this.#name(request, attempt);
      const begun = await this.#begin(id, request, signal);
      const job = await this.#finish(id, request, begun.job, signal);
      const fault = errorOf(job);
      if (fault === undefined) return { id, bytesBilled: this.note(job), isOurs: begun.isOurs };
      const failure = new GoogleFailure(400, fault);
      // A failed job that was there before has only used up its name.
      if (!(begun.isFound || isPassing(failure)) || attempt >= attemptsMax)
        throw new JobFailure(failure, request.what);
      if (!begun.isFound) await this.#api.wait(1_000 * attempt, signal);
    }
  }

  /** Begins a job without waiting for it. */
  async start(request: JobRequest, signal?: AbortSignal): Promise<string> {
    const id = this.#name(request, 1);
    await this.#begin(id, request, signal);
    return id;
  }

  /** What a query would cost and what kind of statement it is; runs nothing. */
  async dryRun(configuration: Readonly<Record<string, unknown>>, what: string): Promise<Answer> {
    const { location, project } = this.#api.address;
    const body = {
      jobReference: { projectId: project, location },
      configuration: { ...configuration, dryRun: true },
    };
    return await this.#api.send({ method: "POST", path: "/jobs", body, what });
  }

  /** Asks a job to stop; one that is done or unknown is fine. */
  async cancel(id: string): Promise<void> {
    const { location } = this.#api.address;
    await this.#api.find({
      method: "POST",
      path: `/jobs/${id}/cancel`,
      query: { location },
      what: "stop a job",
    });
  }

  /** Adds a finished job to the counts. */
  note(job: Answer): bigint {
    const statistics = (job["statistics"] ?? {}) as Answer;
    const query = (statistics["query"] ?? {}) as Answer;
    const bytes = BigInt(String(query["totalBytesBilled"] ?? 0));
    this.counts.bytesBilled += bytes;
    return bytes;
  }

  #name({ kind, identity }: JobRequest, attempt: number): string {
    if (identity === undefined) return `leat_${kind}_${randomBytes(10).toString("hex")}`;
    const digits = createHash("sha256").update(identity).digest("hex").slice(0, 32);
    // The hour: work that failed for a reason which has passed is tried again by later ticks.
    return `leat_${kind}_${digits}_h${Math.floor(this.#nowMs() / 3_600_000)}_a${attempt}`;
  }

  async #begin(id: string, request: JobRequest, signal?: AbortSignal): Promise<BegunJob> {
    const { project, location } = this.#api.address;
    const { kind, configuration, what } = request;
    const labels = {
      leat: label(kind),
      ...(request.by !== undefined && { by: request.by }),
      ...mapLabels(request.labels),
    };
    const body = {
      jobReference: { projectId: project, jobId: id, location },
      configuration: { ...configuration, labels },
    };
    try {
      const job = await this.#api.send({ method: "POST", path: "/jobs", body, what }, signal);
      if (kind === "load") this.counts.loads += 1;
      else if (kind === "commit") this.counts.commits += 1;
      else this.counts.queries += 1;
      return { job, isFound: false, isOurs: true };
    } catch (error) {
      if (!(error instanceof GoogleFailure)) throw error;
      if (error.status !== 409) throw new JobFailure(error, what);
      const job = await this.#read(id, what, signal);
      return { job, isFound: true, isOurs: request.by !== undefined && labelsOf(job)["by"] === request.by };
    }
  }

  async #finish(id: string, request: JobRequest, begun: Answer, signal?: AbortSignal): Promise<Answer> {
    const untilMs = this.#nowMs() + waitMsMax;
    let job = begun;
    for (let waitMs = pollMs.first; stateOf(job) !== "DONE"; waitMs = Math.min(waitMs * 1.5, pollMs.most)) {
      if (this.#nowMs() > untilMs)
        throw new LeatError("LOAD_FAILED", {
          message: `Could not ${request.what}: the job ${id} has not ended within an hour.`,
          hint: "Nothing was given up: the next run looks at what the job has done. See it in the console's job history.",
          retryable: true,
          details: { job: id },
        });
      await this.#api.wait(waitMs, signal);
      job = await this.#read(id, request.what, signal);
    }
    return job;
  }

  async #read(id: string, what: string, signal?: AbortSignal): Promise<Answer> {
    const { location } = this.#api.address;
    return await this.#api.call({ method: "GET", path: `/jobs/${id}`, query: { location }, what }, signal);
  }
}

/** A job that failed, or was refused: what it says is told by whoever knows what it was for. */
export class JobFailure extends Error {
  override readonly name = "JobFailure";
  readonly failure: GoogleFailure;
  readonly what: string;
  constructor(failure: GoogleFailure, what: string) {
    super(failure.message, { cause: failure });
    this.failure = failure;
    this.what = what;
  }
  toLeatError(): LeatError {
    return toLeatError(this.failure, this.what);
  }
}

const statusOf = (job: Answer): Answer => (job["status"] ?? {}) as Answer;
const stateOf = (job: Answer): unknown => statusOf(job)["state"];

function labelsOf(job: Answer): Answer {
  return ((job["configuration"] as Answer | undefined)?.["labels"] ?? {}) as Answer;
}

function errorOf(job: Answer): GoogleFault | undefined {
  return statusOf(job)["errorResult"] as GoogleFault | undefined; // The shape that the interface documents.
}

/** A label's value: lower case, 63 characters of letters, digits, `-` and `_`. */
const label = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "_")
    .slice(0, 63);
const mapLabels = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, label(value)]));
