/** Faults of a project that Google's Data Transfer Service is to load (`load: "dts"`). */
import type { Fault } from "../errors/faults.ts";
import { transferFaults } from "../model/transfer-faults.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { Source } from "../ports/source.ts";

/** Streams of which the service would make something wrong, and datasets that could not know what it has loaded. */
export function checkTransfers(sources: readonly Source[], datasets: readonly DatasetSpec[]): Fault[] {
  const streams = sources.flatMap((source, sourceIndex) =>
    // Files are laid out by datasets, and no warehouse loads them.
    source.openFiles !== undefined
      ? []
      : source.streams.flatMap((stream, index) =>
          transferFaults(stream).map((problem) => ({
            path: `sources[${sourceIndex}].streams[${index}]`,
            problem: `${source.name}.${stream.name} ${problem} (load: "dts")`,
          })),
        ),
  );
  const made = datasets.flatMap(({ from, name }, index) => {
    const read = from.kind === "stream" ? [from.stream] : from.kind === "query" ? from.streams : [];
    const problem = `${name} is made of ${read.join(", ")}, of whose loads there is no ledger (load: "dts")`;
    return read.length === 0 ? [] : [{ path: `datasets[${index}].from`, problem }];
  });
  return [...streams, ...made];
}
