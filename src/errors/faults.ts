/** Faults of a declaration, told together: a person mends a file once, not once per fault. */
import type { ErrorCode } from "./codes.ts";
import { LeatError } from "./leat-error.ts";

/** One thing that is wrong, and where: `sources[0].streams[2].name`. */
export type Fault = Readonly<{ path: string; problem: string }>;

/** Writes a path as people do: `tenants[1].id`. */
export function printPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? String(step) : `.${String(step)}`;
  }
  return text === "" ? "(the whole)" : text;
}

/** What a schema library reports, as far as it is needed here. */
export type SchemaIssues = Readonly<{
  issues: readonly Readonly<{
    code?: string | undefined;
    path: readonly PropertyKey[];
    message: string;
    keys?: readonly string[] | undefined;
  }>[];
}>;

/** Faults that a schema found; each unknown option is one of its own. */
export function faultsOf(error: SchemaIssues): Fault[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys" && issue.keys !== undefined) {
      return issue.keys.map((key) => ({ path: printPath([...issue.path, key]), problem: "unknown option" }));
    }
    return [{ path: printPath(issue.path), problem: issue.message }];
  });
}

/**
 * Throws when there are faults, listing all of them with their paths.
 *
 * @param what - what was checked, as the sentence's subject: `The project "shop"`.
 */
export function refuseFaults(
  faults: readonly Fault[],
  what: string,
  code: ErrorCode = "CONFIG_INVALID",
): void {
  if (faults.length === 0) return;
  const listed = faults.map((fault) => `\n  ${fault.path}: ${fault.problem}`).join("");
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  throw new LeatError(code, { message: `${what} has ${count}:${listed}`, details: { faults } });
}
