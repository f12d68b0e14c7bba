/** Faults of a project's shares that only show beside its sources and datasets. */
import type { Fault } from "../errors/faults.ts";
import { hintOfKnown } from "../errors/nearest-name.ts";
import { foldColumnName } from "../model/column-names.ts";
import { partitionColumn, type StreamSpec } from "../model/stream.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { ShareSpec, ShareTable } from "../ports/share.ts";
import type { Source } from "../ports/source.ts";

/** What shares are compared with. */
type Known = Readonly<{
  streams: ReadonlyMap<string, StreamSpec>;
  datasets: ReadonlyMap<string, DatasetSpec>;
  tenantColumn: string;
}>;

/** Names that are there twice or are nobody's, and columns without which rows could not be told apart. */
export function checkShares(
  shares: readonly ShareSpec[],
  sources: readonly Source[],
  datasets: readonly DatasetSpec[],
  tenantColumn: string,
): Fault[] {
  const streams = new Map(
    sources.flatMap((source) =>
      source.streams.map((stream): [string, StreamSpec] => [`${source.name}.${stream.name}`, stream]),
    ),
  );
  const known: Known = { streams, datasets: new Map(datasets.map((one) => [one.name, one])), tenantColumn };
  return shares.flatMap((share, index) => {
    const path = `shares[${index}]`;
    const faults: Fault[] = [];
    const twin = shares.findIndex(({ name }) => name.toLowerCase() === share.name.toLowerCase());
    if (twin !== index)
      faults.push({ path: `${path}.name`, problem: `"${share.name}" is also the name of shares[${twin}]` });
    // In a warehouse that is both the project's and a customer's, the two would be taken for one.
    const source = sources.find(({ name }) => foldColumnName(name) === foldColumnName(share.schema));
    if (source !== undefined)
      faults.push({
        path: `${path}.schema`,
        problem: `"${share.schema}" is also the name of the source ${source.name}; set \`schema\` to another`,
      });
    faults.push(...tenantFaults(share, sources, path));
    for (const table of share.tables) {
      const problems = table.kind === "stream" ? streamFaults(table, known) : datasetFaults(table, known);
      faults.push(...problems.map((problem) => ({ path: `${path}: ${table.of}`, problem })));
    }
    return faults;
  });
}

/** Rows that are nobody's in particular are no customer's own, and of whom no stream is read there is nothing to share. */
function tenantFaults(share: ShareSpec, sources: readonly Source[], path: string): Fault[] {
  const read = share.tables.flatMap(({ of }) => {
    const source = sources.find(({ name, streams }) => streams.some((one) => `${name}.${one.name}` === of));
    return source === undefined ? [] : [{ of, source }];
  });
  const nobodys = read.filter(({ source }) => source.tenants === "none");
  const unread = (share.tenants ?? []).filter(
    (id) =>
      read.length > 0 &&
      read.every(({ source: { tenants } }) => Array.isArray(tenants) && !tenants.includes(id)),
  );
  return [
    ...nobodys.map(({ of, source }) => ({
      path: `${path}: ${of}`,
      problem: `its rows belong to no tenant (\`tenants: "none"\` of ${source.name}): there is nobody to share them with`,
    })),
    ...unread.map((id) => ({ path: `${path}.tenants`, problem: `none of its streams is read for "${id}"` })),
  ];
}

function streamFaults(table: ShareTable, { streams, tenantColumn }: Known): string[] {
  const stream = streams.get(table.of);
  if (stream === undefined)
    return [`there is no such stream. ${hintOfKnown(table.of, "streams", [...streams.keys()])}`];
  const spliced = [tenantColumn, partitionColumn(stream)].filter((name) => name !== undefined);
  const { cursor, deletedField } = stream;
  const needed = [
    ...stream.primaryKey.map((key) => ({ key, why: "is part of the primary key" })),
    ...(cursor === undefined ? [] : [{ key: cursor.field, why: "is the cursor, which orders versions" }]),
    ...(deletedField === undefined ? [] : [{ key: deletedField, why: "marks deleted records" }]),
  ]
    .map(({ key, why }) => ({ key: key.split(".", 1)[0]!, why }))
    .filter(({ key }) => !spliced.includes(key));
  return [...neededFaults(table, needed), ...takenFaults(table, spliced)];
}

function datasetFaults(table: ShareTable, { datasets }: Known): string[] {
  const dataset = datasets.get(table.of);
  if (dataset === undefined)
    return [`there is no such dataset. ${hintOfKnown(table.of, "datasets", [...datasets.keys()])}`];
  const { tenantColumn } = dataset;
  if (tenantColumn === undefined)
    return ["does not say whose its rows are; set `tenantColumn` of the dataset, or serve it instead"];
  const names = dataset.columns.map(({ published }) => published.name);
  const unknown = (table.columns ?? []).filter(({ key }) => !names.includes(key));
  if (names.length === 1) return [`has no column beside "${tenantColumn}", which says whose a row is`];
  return [
    ...unknown.map(({ key }) => `"${key}" is no column of it. ${hintOfKnown(key, "columns", names)}`),
    ...takenFaults(table, [tenantColumn]),
  ];
}

/** A hash of a key would be as unique; but what is joined by it elsewhere would find nothing any more. */
function neededFaults(
  { columns }: ShareTable,
  needed: readonly Readonly<{ key: string; why: string }>[],
): string[] {
  if (columns === undefined) return [];
  return needed.flatMap(({ key, why }) => {
    const column = columns.find((one) => one.key === key);
    if (column === undefined) return [`must share "${key}", which ${why}`];
    return column.isMasked ? [`cannot mask "${key}", which ${why}`] : [];
  });
}

function takenFaults({ columns }: ShareTable, spliced: readonly string[]): string[] {
  const taken = new Set(spliced.map(foldColumnName));
  return (columns ?? []).flatMap(({ key, name }) => {
    if (taken.has(foldColumnName(key)))
      return [`"${key}" says whose a row is, and is always shared as it is; leave it out`];
    return taken.has(foldColumnName(name))
      ? [`"${name}" is the name of the column that says whose a row is`]
      : [];
  });
}
