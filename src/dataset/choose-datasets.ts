/** Which datasets a person meant, and in which order they are built. */
import { LeatError } from "../errors/leat-error.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { type DatasetSpec, datasetsBefore } from "../ports/dataset.ts";

/**
 * Finds datasets by name, and before each those that it reads or looks into: made of old ones it would be old itself.
 *
 * @param names - none: all.
 * @throws LeatError `DATASET_UNKNOWN` with the near name and the known ones.
 */
export function chooseDatasets(
  all: readonly DatasetSpec[],
  names: readonly string[],
): readonly DatasetSpec[] {
  const known = all.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new LeatError("DATASET_UNKNOWN", {
      message: `There is no dataset "${name}".`,
      hint: hintOfKnown(name, "datasets", known),
      details: { known },
    });
  }
  const wanted = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
  const ordered = new Set<DatasetSpec>();
  const visit = (dataset: DatasetSpec): void => {
    for (const before of datasetsBefore(dataset)) {
      const other = all.find(({ name }) => name === before);
      if (other !== undefined && !ordered.has(other)) visit(other); // `defineProject` has refused circles.
    }
    ordered.add(dataset);
  };
  for (const dataset of wanted) visit(dataset);
  return [...ordered];
}

/** Finds one dataset. */
export const chooseDataset = (all: readonly DatasetSpec[], name: string): DatasetSpec =>
  chooseDatasets(all, [name]).at(-1)!; // Found, or refused; what it reads comes before it.
