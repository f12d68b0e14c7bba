/** Queries: begun as jobs, so that they can be stopped, with a bound on what they cost. */
import { LeatError } from "../../errors/leat-error.ts";
import type { QueryPage, QueryResult } from "../../ports/warehouse.ts";
import { printFieldType, type TableField } from "./field-types.ts";
import type { Answer, GoogleApi } from "./google-api.ts";
import { GoogleFailure, toLeatError } from "./google-errors.ts";
import { JobFailure, type Jobs } from "./jobs.ts";
import { readCell } from "./query-values.ts";

/** How a query is run. */
export type QueryOptions = Readonly<{ signal?: AbortSignal | undefined; rowsMax?: number | undefined }>;

/** What a query would cost. */
export type QueryEstimate = Readonly<{ bytes: number; dollars: number }>;

/** On-demand price of a TiB scanned, US regions, USD. @see https://cloud.google.com/bigquery/pricing */
const dollarsPerTebibyte = 6.25;
export const priceOf = (bytes: number): number => (bytes / 1024 ** 4) * dollarsPerTebibyte;
/** What the service bills a table for at least, bytes. */
const leastBytesBilled = 10 * 1024 ** 2;
/** Rows of one answer; the service cuts at 10 MB by itself. */
const pageRowsMax = 10_000;
/** How long one request waits for a query to end, ms. */
const longPollMs = 10_000;

export class Queries {
  readonly #api: GoogleApi;
  readonly #jobs: Jobs;

  constructor(api: GoogleApi, jobs: Jobs) {
    this.#api = api;
    this.#jobs = jobs;
  }

  /** Configuration of a query job: always bounded, never in the older dialect. */
  configuration(sql: string): Readonly<Record<string, unknown>> {
    const { project, dataset, maximumBytesBilled } = this.#api.address;
    return {
      query: {
        query: sql,
        useLegacySql: false,
        maximumBytesBilled: maximumBytesBilled.toString(),
        defaultDataset: { projectId: project, datasetId: dataset },
      },
    };
  }

  /** leat's own reading: every row, cells as text. @throws LeatError what the service says. */
  async rows(sql: string, what: string, signal?: AbortSignal): Promise<(string | null)[][]> {
    try {
      const rows: (string | null)[][] = [];
      for await (const page of this.#pages(sql, what, Number.MAX_SAFE_INTEGER, signal))
        rows.push(...page.rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))));
      return rows;
    } catch (error) {
      throw error instanceof JobFailure ? error.toLeatError() : error;
    }
  }

  /** A statement of somebody's own, which may only read. */
  async query(
    sql: string,
    { signal, rowsMax = Number.MAX_SAFE_INTEGER }: QueryOptions,
  ): Promise<QueryResult> {
    this.#api.throwIfStopped(signal);
    await this.estimate(sql);
    try {
      let fields: readonly TableField[] = [];
      const rows: unknown[][] = [];
      for await (const page of this.#pages(sql, "run the query", rowsMax, signal)) {
        fields = page.fields;
        for (const row of page.rows)
          if (rows.length < rowsMax) rows.push(row.map((cell, at) => readCell(cell, page.fields[at]!)));
        if (rows.length >= rowsMax) break;
      }
      return { columns: fields.map((field) => ({ name: field.name, type: printFieldType(field) })), rows };
    } catch (error) {
      throw error instanceof JobFailure ? refusal(error.failure) : error;
    }
  }

  /** A statement of somebody's own, page by page, its cells as text: nested ones as JSON. */
  async *readText(sql: string, signal: AbortSignal): AsyncGenerator<QueryPage> {
    await this.estimate(sql);
    try {
      for await (const { fields, rows } of this.#pages(sql, "run the query", Number.MAX_SAFE_INTEGER, signal))
        yield {
          columns: fields.map((field) => ({ name: field.name, type: printFieldType(field) })),
          rows: rows.map((row) => row.map((cell, at) => toText(readCell(cell, fields[at]!)))),
        };
    } catch (error) {
      throw error instanceof JobFailure ? refusal(error.failure) : error;
    }
  }

  /** What a statement would scan; refuses what is no query. Free of charge. */
  async estimate(sql: string): Promise<QueryEstimate> {
    let answer: Answer;
    try {
      answer = await this.#jobs.dryRun(this.configuration(sql), "look at the query");
    } catch (error) {
      throw error instanceof GoogleFailure ? refusal(error) : error;
    }
    const query = ((answer["statistics"] ?? {}) as Answer)["query"] as Answer | undefined;
    const type = query?.["statementType"];
    if (type !== "SELECT")
      throw new LeatError("QUERY_FAILED", {
        message: `A query is one SELECT statement; this is ${String(type ?? "none")}.`,
        hint: "Queries only read; change the warehouse through the declaration.",
      });
    const bytes = Number(query?.["totalBytesProcessed"] ?? 0);
    return { bytes, dollars: priceOf(bytes) };
  }

  async *#pages(sql: string, what: string, rowsMax: number, signal: AbortSignal | undefined) {
    const { location } = this.#api.address;
    const request = {
      kind: "query",
      identity: undefined,
      configuration: this.configuration(sql),
      labels: {},
      what,
    };
    const id = await this.#jobs.start(request, signal);
    let left = rowsMax;
    let pageToken: string | undefined;
    try {
      for (;;) {
        const answer = await this.#readPage(
          id,
          what,
          {
            location,
            timeoutMs: String(longPollMs),
            maxResults: String(Math.max(0, Math.min(left, pageRowsMax))),
            "formatOptions.useInt64Timestamp": "true",
            ...(pageToken !== undefined && { pageToken }),
          },
          signal,
        );
        if (answer["jobComplete"] !== true) {
          await this.#api.wait(200, signal);
          continue;
        }
        if (pageToken === undefined && answer["cacheHit"] !== true) {
          const bytes = Number(answer["totalBytesProcessed"] ?? 0);
          this.#jobs.counts.bytesBilled += BigInt(Math.max(bytes, leastBytesBilled));
        }
        const { fields = [] } = (answer["schema"] ?? {}) as { fields?: readonly TableField[] };
        const rows = ((answer["rows"] ?? []) as readonly { f: readonly { v: unknown }[] }[]).map(({ f }) =>
          f.map(({ v }) => v ?? null),
        );
        left -= rows.length;
        yield { fields, rows };
        pageToken = answer["pageToken"] as string | undefined; // Absent on the last page.
        if (pageToken === undefined || pageToken === "" || left <= 0) return;
      }
    } catch (error) {
      if (signal?.aborted === true) await this.#jobs.cancel(id).catch(() => {}); // The stop is what is told.
      throw error;
    }
  }

  async #readPage(id: string, what: string, query: Record<string, string>, signal: AbortSignal | undefined) {
    try {
      return await this.#api.send({ method: "GET", path: `/queries/${id}`, query, what }, signal);
    } catch (error) {
      throw error instanceof GoogleFailure ? new JobFailure(error, what) : error;
    }
  }
}

function toText(value: unknown): string | null {
  if (value === null) return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What the service says to somebody's own statement. */
function refusal(failure: GoogleFailure): LeatError {
  const known = toLeatError(failure, "run the query");
  if (known.code !== "LOAD_FAILED") return known;
  return new LeatError("QUERY_FAILED", {
    message: failure.message,
    hint: "Compare the statement with what GoogleSQL documents.",
    details: { reason: failure.reason },
  });
}
