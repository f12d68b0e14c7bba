/** Faults of datasets that only show beside the project's sources and each other. */
import type { Fault } from "../errors/faults.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { foldColumnName } from "../model/column-names.ts";
import { type DatasetSpec, datasetsBefore } from "../ports/dataset.ts";
import type { Source } from "../ports/source.ts";

/** Names, inputs, tables and references of all datasets. */
export function checkDatasets(datasets: readonly DatasetSpec[], sources: readonly Source[]): Fault[] {
  const faults: Fault[] = [];
  const first = new Map<string, number>();
  for (const [index, dataset] of datasets.entries()) {
    const path = `datasets[${index}]`;
    // Without case: it is the name of a table and of a folder.
    const twin = first.get(dataset.name.toLowerCase());
    if (twin !== undefined)
      faults.push({
        path: `${path}.name`,
        problem: `"${dataset.name}" is also the name of datasets[${twin}]`,
      });
    first.set(dataset.name.toLowerCase(), twin ?? index);
    const clash = clashOf(dataset, sources);
    if (clash !== undefined) faults.push({ path: `${path}.name`, problem: clash });
    faults.push(...inputFaults(dataset, sources).map((problem) => ({ path: `${path}.from`, problem })));
    faults.push(...referenceFaults(dataset, datasets, path));
  }
  return faults;
}

/** Whose name the dataset's table would take in the warehouse. */
function clashOf(dataset: DatasetSpec, sources: readonly Source[]): string | undefined {
  const table = foldColumnName(dataset.name);
  const schema = foldColumnName(dataset.warehouseSchema);
  const what = `the table ${dataset.warehouseSchema}.${dataset.name}`;
  const hint = "rename one of them, or set `warehouseSchema`";
  for (const source of sources) {
    for (const stream of source.streams) {
      const name = `${source.name}.${stream.name}`;
      const views = [stream.name, `${stream.name}_history`].map(foldColumnName);
      // In `main` are the landing tables, and short names of views, which a dataset would take away.
      const isView = views.includes(table) && (schema === "main" || schema === foldColumnName(source.name));
      if (isView) return `${what} would take the name of a view of the stream ${name}: ${hint}`;
      if (schema === "main" && foldColumnName(stream.landingTable) === table)
        return `${what} is the landing table of the stream ${name}: ${hint}`;
    }
  }
  return undefined;
}

const describeStreams = (sources: readonly Source[]): string[] =>
  sources.flatMap((source) => source.streams.map((stream) => `${source.name}.${stream.name}`));

/** Streams that the dataset names and the project has not, or not of that kind. */
function inputFaults(dataset: DatasetSpec, sources: readonly Source[]): string[] {
  const { from } = dataset;
  if (from.kind === "rows") return [];
  const known = describeStreams(sources);
  const unknown = (name: string): string => `names "${name}". ${hintOfKnown(name, "streams", known)}`;
  if (from.kind !== "files") {
    const named = from.kind === "query" ? from.streams : [from.stream];
    return named.filter((name) => !known.includes(name)).map(unknown);
  }
  const source = sources.find((each) => resolveFiles(from.stream, each) !== undefined);
  if (source === undefined) {
    const ofName = sources.find(({ name }) => name === from.stream);
    if (ofName === undefined) return [unknown(from.stream)];
    const streams = ofName.streams.map(({ name }) => `${ofName.name}.${name}`);
    return [
      `names "${from.stream}", a source of ${streams.length} streams; say which: ${streams.join(", ")}`,
    ];
  }
  return source.openFiles === undefined
    ? [`names "${from.stream}", whose records are no files; use fromStream or fromSql`]
    : [];
}

/** The stream that a reference to files means in a source: `source.stream`, or a source of one stream. */
function resolveFiles(reference: string, source: Source): string | undefined {
  const exact = source.streams.find((stream) => `${source.name}.${stream.name}` === reference);
  if (exact !== undefined) return exact.name;
  return source.name === reference && source.streams.length === 1 ? source.streams[0]?.name : undefined;
}

/** Datasets that a query reads or a rule looks into: they must be there, have the columns, and lead to no circle. */
function referenceFaults(dataset: DatasetSpec, datasets: readonly DatasetSpec[], path: string): Fault[] {
  const faults: Fault[] = [];
  const look = (name: string, at: string): DatasetSpec | undefined => {
    const other = datasets.find((each) => each.name === name);
    if (other === undefined) {
      const known = datasets.map((each) => each.name);
      faults.push({
        path: at,
        problem: `names the dataset "${name}". ${hintOfKnown(name, "datasets", known)}`,
      });
    } else if (leadsTo(other, dataset.name, datasets, new Set()))
      faults.push({
        path: at,
        problem: `leads from ${other.name} back to ${dataset.name}: neither could be built first`,
      });
    return other;
  };
  if (dataset.from.kind === "query") for (const name of dataset.from.datasets) look(name, `${path}.from`);
  for (const [index, { check }] of dataset.rules.entries()) {
    if (check.rule !== "references") continue;
    const at = `${path}.rules[${index}]`;
    const other = look(check.dataset, at);
    const columns = other?.columns.map(({ published }) => published.name) ?? check.to;
    for (const column of check.to.filter((name) => !columns.includes(name))) {
      faults.push({
        path: at,
        problem: `names the column "${column}" of ${check.dataset}. ${hintOfKnown(column, "columns", columns)}`,
      });
    }
  }
  return faults;
}

function leadsTo(
  from: DatasetSpec,
  to: string,
  datasets: readonly DatasetSpec[],
  seen: Set<string>,
): boolean {
  if (from.name === to) return true;
  if (seen.has(from.name)) return false;
  seen.add(from.name);
  return datasetsBefore(from).some((name) => {
    const next = datasets.find((dataset) => dataset.name === name);
    return next !== undefined && leadsTo(next, to, datasets, seen);
  });
}
