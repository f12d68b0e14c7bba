/**
 * A stream loaded by Google's Data Transfer Service in place of leat: which table it needs beforehand, which files it
 * reads, and views that are right whatever it does. Pure.
 *
 * The service knows files and no manifests. It loads all files of its pattern, and one that was touched once more. So its
 * table holds some rows twice (see {@link transferLimits}); the views leave out what is equal in every column before they
 * choose.
 *
 * @see https://docs.cloud.google.com/bigquery/docs/cloud-storage-transfer (read 2026-11-21)
 */
import { encodeName } from "../../model/path-name.ts";
import { anythingSeen, type CatalogColumn, type PlaceColumns } from "../../model/plan-schema.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import { clusterColumnsMax, isClusterable, type TableField, tableField } from "./field-types.ts";
import { quoteName, quotePath } from "./sql-text.ts";
import { historyName, viewsDataset } from "./stream-views.ts";
import { currentSql, historySql, type ViewInputs } from "./view-sql.ts";

/** Where tables and files are. */
export type TransferPlace = Readonly<{
  project: string;
  dataset: string;
  /** `gs://bucket/prefix`, without a slash at its end. */
  landing: string;
  tenantColumn: string;
}>;

/** What must be there before the first transfer. */
export type TransferPlan = Readonly<{
  table: string;
  fields: readonly TableField[];
  partitionBy: string;
  clusterBy: readonly string[];
  /** Address of the files, with the one wildcard that the service takes. */
  objects: string;
  views: readonly Readonly<{ dataset: string; name: string; query: string; description: string }>[];
}>;

/** What the service cannot do, for whoever chooses it: each a sentence. */
export const transferLimits: readonly string[] = [
  "It runs every 15 minutes at most, and a new row may wait as long.",
  "The table has the declared columns alone: fields that are not declared are left out, and no column is added by itself. To change a column, change the declaration, and the table by hand.",
  "Rows are in the landing table twice when a file was touched or the transfer was made anew (all rows of the file, equal in every column), and when a run died before its commit (its records, landed again by the next run). Ask the views: the current rows are right in each case; the history has a span of no length for the second.",
  "Records that do not fit their columns fail the whole run; leat's own load puts them into _leat_rejects.",
  "Whole numbers beyond 2^53 must come as text, and numbers with a fraction are 64 bits wide.",
  "leat keeps no ledger of it: `leat load`, `leat verify` and `leat rebuild` refuse, and so do datasets made of its streams.",
];

/** Plans the transfer of a stream without faults; see `model/transfer-faults.ts`. */
export function planTransfer(spec: StreamSpec, place: TransferPlace): TransferPlan {
  const columns = Object.entries(spec.columns).map(
    ([key, type]): CatalogColumn => ({ key, name: key, type, seen: anythingSeen }),
  );
  const own: PlaceColumns = { tenantColumn: place.tenantColumn, partitionColumn: spec.partitions?.column };
  const field = (name: string, type: string): TableField => ({ name, type, mode: "NULLABLE" });
  const fields = [
    field(own.tenantColumn, "STRING"),
    ...(own.partitionColumn === undefined ? [] : [field(own.partitionColumn, "STRING")]),
    // Shapes that nobody knows beforehand; text would take no object.
    ...columns.map(({ name, type }) => (type.type === "json" ? field(name, "JSON") : tableField(name, type))),
    field(leatColumns.package, "INT64"),
    field(leatColumns.row, "INT64"),
    field(leatColumns.extractedAt, "TIMESTAMP"),
  ];
  const table = quotePath(place.project, place.dataset, spec.landingTable);
  const inputs: ViewInputs = {
    spec,
    place: own,
    columns,
    hasGenerations: false,
    landing: onceSql(own.tenantColumn, table),
    ledger: "",
  };
  const name = `${spec.source}.${spec.name}`;
  const dataset = viewsDataset("", spec.source);
  const keys = spec.primaryKey
    .map((path) => path.split(".", 1)[0]!)
    .filter((key) => spec.columns[key] !== undefined && isClusterable(spec.columns[key]));
  return {
    table: spec.landingTable,
    fields,
    partitionBy: leatColumns.extractedAt,
    clusterBy: [own.tenantColumn, ...new Set(keys)].slice(0, clusterColumnsMax),
    objects: `${place.landing}/landing/${encodeName(spec.source)}/${encodeName(spec.name)}/*.ndjson.gz`,
    views: [
      {
        dataset,
        name: spec.name,
        query: currentSql(inputs),
        description: `Newest version of each record of ${name}`,
      },
      {
        dataset,
        name: historyName(spec.name),
        query: historySql(inputs),
        description: `Every version of each record of ${name}`,
      },
    ],
  };
}

/** Rows that are equal in every column once. Runs of one package have extracted at different times. */
function onceSql(tenantColumn: string, table: string): string {
  const place = [quoteName(tenantColumn), ...Object.values(leatColumns)].map((name) => `l.${name}`);
  return (
    `(SELECT * EXCEPT (_leat_copy) FROM (SELECT l.*, ROW_NUMBER() OVER (PARTITION BY ${place.join(", ")}, ` +
    `FARM_FINGERPRINT(TO_JSON_STRING(l))) AS _leat_copy FROM ${table} AS l) AS w WHERE w._leat_copy = 1)`
  );
}
