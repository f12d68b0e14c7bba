/** What was staged of a dataset's inputs. */
import type { DatasetLineage, FileLayout, FileLineage, StreamLineage } from "../model/dataset-manifest.ts";
import type { NameInput, RowViolations } from "./row-violations.ts";

export type StagedInputs = Readonly<{
  /** Inputs in the order of release, as people know them. */
  nameInput: NameInput;
  files: readonly FileLineage[];
  streams: readonly StreamLineage[];
  /** Datasets whose tables a query has read. */
  datasets: DatasetLineage["datasets"];
  code: DatasetLineage["code"];
  /** Version of what read the files; `null`: there are none. */
  reader: string | null;
  layouts: readonly FileLayout[];
  /** Ids of the files that were read now, since their rows were not known. */
  readNow: readonly string[];
  /** What JavaScript has found; the engine looks for more. */
  violations: RowViolations;
}>;
