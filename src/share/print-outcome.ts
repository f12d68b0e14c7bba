/** What became of a share as plain data: between processes, for `--json`, and in the sync app's answers. */
import type { ErrorCode } from "../errors/codes.ts";
import { LeatError } from "../errors/leat-error.ts";
import { printErrorJson } from "../errors/print-error.ts";
import { isWhole, type SharedTable, type ShareOutcome } from "./share-job.ts";

/** An error as plain data. */
export type ReportedError = Readonly<Record<string, unknown>>;

/** One table. */
export type ReportedTable = Readonly<
  Omit<SharedTable, "error"> & {
    error: ReportedError | null;
  }
>;

/** One share for one tenant. */
export type ShareReport = Readonly<{
  ok: boolean;
  share: string;
  tenant_id: string;
  target: string | null;
  tables: readonly ReportedTable[];
  error: ReportedError | null;
}>;

/** Prints an outcome. @param redact - takes secrets out of text. */
export function printOutcome(outcome: ShareOutcome, redact: (text: string) => string): ShareReport {
  const print = (error: LeatError | undefined): ReportedError | null =>
    error === undefined ? null : printErrorJson(error, redact);
  const tables = outcome.tables.map((table) => ({ ...table, error: print(table.error) }));
  return {
    ok: isWhole(outcome),
    share: outcome.share,
    tenant_id: outcome.tenant,
    target: outcome.target,
    tables,
    error: print(outcome.error),
  };
}

/** A turn that ended before it could say anything. */
export function failedReport(
  share: string,
  tenant: string,
  error: LeatError,
  redact: (text: string) => string,
): ShareReport {
  return printOutcome({ share, tenant, target: null, tables: [], error }, redact);
}

/** All errors of a report, as errors again. */
export function errorsOf(report: ShareReport): readonly LeatError[] {
  const all = [report.error, ...report.tables.map(({ error }) => error)].filter((error) => error !== null);
  return all.map((error) => {
    // Printed by `printErrorJson`, in this version of leat.
    const {
      code,
      message,
      hint,
      retryable,
      details,
      causes = [],
    } = error as Readonly<{
      code: ErrorCode;
      message: string;
      hint?: string;
      retryable?: boolean;
      details?: Readonly<Record<string, unknown>>;
      causes?: readonly string[];
    }>;
    const cause = causes.reduceRight<Error | undefined>(
      (inner, said) => new Error(said, { cause: inner }),
      undefined,
    );
    return new LeatError(code, { message, hint, retryable, details, cause });
  });
}
