/** What datasets are made of, by their declarations. */
import { type DatasetSpec, datasetsBefore } from "../ports/dataset.ts";
import type { Source } from "../ports/source.ts";

/** Streams whose records or files a dataset is made of, as `source.stream`. */
export function streamsOf({ from }: DatasetSpec, sources: readonly Source[]): readonly string[] {
  if (from.kind === "rows") return [];
  const named = from.kind === "query" ? from.streams : [from.stream];
  // A source of one stream may be named for it.
  return named.map((name) => {
    const stream = sources.find((source) => source.name === name)?.streams[0];
    return stream === undefined ? name : `${name}.${stream.name}`;
  });
}

/** The same and the datasets that it reads, as labels of lineage: files are read as they landed, records in their table. */
export function inputLabels(dataset: DatasetSpec, sources: readonly Source[]): readonly string[] {
  const kind = dataset.from.kind === "files" ? "stream" : "table";
  return [
    ...streamsOf(dataset, sources).map((stream) => `${kind}:${stream}`),
    ...datasetsBefore(dataset).map((name) => `dataset:${name}`),
  ];
}
