/** Builds datasets for the sync app: from what is landed and loaded, each as far as it goes. */
import { isLeatError, LeatError } from "../errors/leat-error.ts";
import { datasetsBefore } from "../ports/dataset.ts";
import type { BuiltDataset } from "../server/sync/work-routes.ts";
import type { Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";

/** Files read at once; each process may take 2 GB in the worst case. */
const readersMax = 1;

/** How often a build begins anew when another published first. */
const conflictRetriesMax = 3;

/**
 * Builds. A dataset of one that failed is not built: it would be of its old rows and look as if it were new.
 *
 * @throws LeatError `DATASET_UNKNOWN`.
 */
export async function buildDatasets(
  invocation: Invocation,
  opened: OpenProject,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly BuiltDataset[]> {
  const [{ chooseDatasets }, { buildDataset }, { openBuildPorts }, { readVersion }] = await Promise.all([
    import("../dataset/choose-datasets.ts"),
    import("../dataset/build-dataset.ts"),
    import("./open-datasets.ts"),
    import("./read-version.ts"),
  ]);
  const cleanups: (() => Promise<unknown>)[] = [];
  const atEnd: Invocation["atEnd"] = (cleanup) => void cleanups.unshift(cleanup);
  const built: BuiltDataset[] = [];
  try {
    const specs = chooseDatasets(opened.project.datasets, names);
    const ports =
      specs.length === 0 ? undefined : await openBuildPorts({ ...invocation, atEnd }, opened, () => {});
    for (const spec of specs) {
      const failed = built.find(
        ({ dataset, error }) => error !== undefined && datasetsBefore(spec).includes(dataset),
      );
      try {
        signal.throwIfAborted();
        if (failed?.error !== undefined) throw notBuilt(spec.name, failed.dataset, failed.error);
        const job = { spec, leatVersion: readVersion(), readersMax, conflictRetriesMax };
        const outcome = await buildDataset(ports!, job, signal); // There is a dataset, so it was opened.
        const { status, manifest } = outcome;
        const { version, rowCount } = manifest;
        built.push({ dataset: spec.name, facts: { status, version, rows: rowCount }, error: undefined });
      } catch (error) {
        built.push({ dataset: spec.name, facts: { status: "failed" }, error: toLeatError(error) });
      }
    }
    return built;
  } finally {
    // A build's own folders and readers end with it: the app may live for weeks.
    for (const cleanup of cleanups) await cleanup().catch(() => {}); // `gc` finds what is left.
  }
}

function notBuilt(dataset: string, before: string, cause: LeatError): LeatError {
  return new LeatError(cause.code, {
    message: `The dataset ${dataset} was not built, since ${before}, which it reads, was not.`,
    hint: `Mend that first; ${dataset} stays as it is until then.`,
    details: { dataset },
    cause,
  });
}

function toLeatError(error: unknown): LeatError {
  if (error instanceof LeatError) return error;
  if (isLeatError(error)) return new LeatError((error as LeatError).code, error); // Of another copy, by its shape.
  const said = error instanceof Error ? error.message : String(error);
  return new LeatError("INTERNAL", { message: `Unexpected: ${said}`, cause: error });
}
