/** The table that a stream's rows are in: which it is, what it holds, and when rows must move into another. */
import { createHash } from "node:crypto";
import { LeatError } from "../../errors/leat-error.ts";
import { foldColumnName } from "../../model/column-names.ts";
import { printColumnType } from "../../model/column-types.ts";
import type { PlaceColumns, SchemaPlan } from "../../model/plan-schema.ts";
import { leatColumns, leatPrefix, type StreamSpec } from "../../model/stream.ts";
import type { Catalog, CatalogStream, StreamState } from "./catalog.ts";
import type { Commit } from "./commit-script.ts";
import {
  clusterColumnsMax,
  isClusterable,
  printFieldType,
  type TableField,
  tableField,
} from "./field-types.ts";
import type { Tables } from "./tables.ts";

/** The stream's row of the catalog. @throws LeatError `CONFIG_INVALID` where its tables are another's. */
export function checkStream(spec: StreamSpec, { mine, others }: StreamState): CatalogStream | undefined {
  const fold = foldColumnName;
  const table = fold(spec.landingTable);
  const other = others.find(({ landingTable }) => fold(landingTable) === table);
  const fault = table.startsWith(leatPrefix)
    ? `tables that begin with ${leatPrefix} are leat's own`
    : !/^[\p{L}\p{N}_ -]{1,200}$/u.test(spec.landingTable)
      ? `"${spec.landingTable}" is no name of a table in BigQuery`
      : other !== undefined
        ? `the table ${spec.landingTable} is that of ${other.source}.${other.stream}`
        : mine !== undefined && mine.landingTable !== spec.landingTable
          ? `its rows are in ${mine.landingTable}, not in ${spec.landingTable}`
          : undefined;
  if (fault === undefined) return mine;
  throw new LeatError("CONFIG_INVALID", {
    message: `The stream ${spec.source}.${spec.name} cannot be loaded: ${fault}.`,
    hint: "Rename the stream or source, or set `landingTable`.",
    details: { source: spec.source, stream: spec.name },
  });
}

/** Hexadecimal digits that tell a stream's tables apart. */
const formDigits = 8;

/** Whether a table's name looks like one that {@link settleTable} gives. */
export function isTableName({ landingTable }: StreamSpec, table: string): boolean {
  const [stem, form] = [table.slice(0, -formDigits), table.slice(-formDigits)];
  return stem === `${landingTable}__` && /^[0-9a-f]+$/.test(form);
}

/** What people read of it, and by which it is told from a table that somebody else has named alike. */
export const describeTable = ({ source, name, landingTable }: StreamSpec): string =>
  `Every version of every record of ${source}.${name}; query the view ${landingTable}`;

/** What a table must have room for. */
export type TableJob = Readonly<{
  mine: CatalogStream | undefined;
  plan: SchemaPlan;
  place: PlaceColumns;
  isMoved: boolean;
  turn: number;
}>;

/** The table that the rows go into: the one there, with more columns, or another that its rows move to. */
export async function settleTable(
  ports: Readonly<{ tables: Tables; catalog: Catalog }>,
  spec: StreamSpec,
  job: TableJob,
): Promise<Readonly<{ name: string; movedFrom: CatalogStream | undefined }>> {
  const { mine, plan, place, turn } = job;
  const fields = tableFields(plan, place);
  if (mine !== undefined && !job.isMoved && !needsMove(mine, plan, place)) {
    await ports.tables.addFields(
      ports.catalog.place(mine.physicalTable),
      fields.map((field) => ({ ...field, mode: "NULLABLE" })),
    );
    return { name: mine.physicalTable, movedFrom: undefined };
  }
  const form = JSON.stringify([turn, fields]);
  const name = `${spec.landingTable}__${createHash("sha256").update(form).digest("hex").slice(0, formDigits)}`;
  const keys = spec.primaryKey.flatMap((path) => {
    const column = plan.columns.find(({ key }) => key === path.split(".", 1)[0]!);
    const isUsable = column !== undefined && column.type.type !== "unknown" && isClusterable(column.type);
    return isUsable ? [column.name] : [];
  });
  await ports.tables.make(ports.catalog.place(name), {
    fields,
    partitionBy: leatColumns.extractedAt,
    clusterBy: [place.tenantColumn, ...new Set(keys)].slice(0, clusterColumnsMax),
    description: describeTable(spec),
  });
  return { name, movedFrom: mine };
}

function needsMove(mine: CatalogStream, plan: SchemaPlan, place: PlaceColumns): boolean {
  const isRenamed =
    mine.tenantColumn !== place.tenantColumn ||
    (mine.partitionColumn !== undefined && mine.partitionColumn !== place.partitionColumn);
  return (
    isRenamed ||
    plan.columns.some(({ name, type, before }) => {
      if (before === undefined || before.type.type === "unknown") return false;
      return (
        before.name !== name ||
        printFieldType(tableField("", before.type)) !== printFieldType(tableField("", type))
      );
    })
  );
}

function tableFields(plan: SchemaPlan, place: PlaceColumns): readonly TableField[] {
  const own = (name: string, type: string): TableField => ({ name, type, mode: "REQUIRED" });
  const columns = plan.columns.flatMap(({ name, type }) =>
    type.type === "unknown" ? [] : [tableField(name, type)],
  );
  return [
    own(place.tenantColumn, "STRING"),
    ...(place.partitionColumn === undefined
      ? []
      : [{ name: place.partitionColumn, type: "STRING", mode: "NULLABLE" } as const]),
    ...columns,
    own(leatColumns.package, "INT64"),
    own(leatColumns.row, "INT64"),
    own(leatColumns.extractedAt, "TIMESTAMP"),
  ];
}

/** The stream's row and columns, where they differ from what is recorded. */
export function registryOf(
  spec: StreamSpec,
  { mine, columns }: StreamState,
  { plan, place, physicalTable }: Readonly<{ plan: SchemaPlan; place: PlaceColumns; physicalTable: string }>,
): Commit["registry"] {
  const print = (all: SchemaPlan["columns"] | StreamState["columns"]) =>
    JSON.stringify(
      all.map(({ key, name, type, seen }) => [key, name, printColumnType(type), { ...seen }]).sort(),
    );
  const isSame =
    mine !== undefined &&
    mine.physicalTable === physicalTable &&
    mine.tenantColumn === place.tenantColumn &&
    mine.partitionColumn === place.partitionColumn &&
    print(plan.columns) === print(columns);
  return isSame ? undefined : { landingTable: spec.landingTable, physicalTable };
}
