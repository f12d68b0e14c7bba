/** Faults of a project's APIs that only show beside its datasets. */
import type { Fault } from "../errors/faults.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import type { ApiSpec } from "../ports/api-spec.ts";
import type { DatasetSpec } from "../ports/dataset.ts";

/** Names that are there twice, and datasets that the project does not build. */
export function checkApis(apis: readonly ApiSpec[], datasets: readonly DatasetSpec[]): Fault[] {
  const known = datasets.map(({ name }) => name);
  return apis.flatMap((api, index) => {
    const path = `apis[${index}]`;
    const twin = apis.findIndex(({ name }) => name === api.name);
    const faults: Fault[] =
      twin === index
        ? []
        : [{ path: `${path}.name`, problem: `"${api.name}" is also the name of apis[${twin}]` }];
    for (const name of api.datasets) {
      if (known.includes(name)) continue;
      const problem = `names "${name}". ${hintOfKnown(name, "datasets", known)}`;
      faults.push({ path: `${path}.datasets`, problem });
    }
    return faults;
  });
}
