/**
 * Current rows in a real table (`materialize: true`): brought up to date inside the commit by a MERGE that reads only
 * the records which the batch touches, and made anew, in one step after it, when columns or rules have changed.
 *
 * The table's label names the form that it was made in; a death between commit and renewal leaves the old label, and
 * the next load makes it anew.
 */
import { createHash } from "node:crypto";
import { printColumnType } from "../../model/column-types.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import { currentColumns } from "../../model/stream-view.ts";
import type { PackageToLoad } from "../../ports/warehouse.ts";
import { quoteName, quoteText } from "./sql-text.ts";
import {
  landingSql,
  type StreamShape,
  type ViewPorts,
  viewInputs,
  viewPath,
  viewsDataset,
} from "./stream-views.ts";
import type { TablePlace } from "./tables.ts";
import {
  currentSql,
  deletedSql,
  keylessSql,
  keySql,
  newestSql,
  sameRecordSql,
  type ViewInputs,
} from "./view-sql.ts";

/** Where a stream's current rows are kept. */
const keptPlace = ({ viewsPrefix }: ViewPorts, spec: StreamSpec): TablePlace => ({
  dataset: viewsDataset(viewsPrefix, spec.source),
  table: spec.name,
});

function formOf(ports: ViewPorts, shape: StreamShape): string {
  const types = shape.columns.map(({ name, type }) => `${name} ${printColumnType(type)}`);
  const sql = currentSql(viewInputs(ports, shape));
  return createHash("sha256")
    .update(JSON.stringify([types, sql]))
    .digest("hex")
    .slice(0, 32);
}

/** Whether the kept table has the form that the stream's rows will have. */
export async function isInForm(ports: ViewPorts, shape: StreamShape): Promise<boolean> {
  const found = await ports.tables.find(keptPlace(ports, shape.spec));
  return found?.kind === "TABLE" && found.labels["leat_form"] === formOf(ports, shape);
}

/** Makes the kept table anew from all rows. */
export async function renewKept(
  ports: ViewPorts,
  shape: StreamShape,
  run: (sql: string) => Promise<void>,
): Promise<void> {
  const place = keptPlace(ports, shape.spec);
  if ((await ports.tables.find(place))?.kind === "VIEW") await ports.tables.drop(place);
  const form = formOf(ports, shape);
  await run(
    `CREATE OR REPLACE TABLE ${viewPath(ports, shape.spec)} CLUSTER BY ${quoteName(shape.place.tenantColumn)} ` +
      `OPTIONS (labels = [('leat', 'current'), ('leat_form', ${quoteText(form)})]) AS ${currentSql(viewInputs(ports, shape))}`,
  );
}

/** Statements that bring the kept table up to date with a batch, whose rows are in the landing table already. */
export function keptStatements(
  ports: ViewPorts,
  shape: StreamShape,
  packages: readonly PackageToLoad[],
): readonly string[] {
  const rows = `(${landingSql(ports, shape)})`;
  const inputs: ViewInputs = { ...viewInputs(ports, shape), landing: rows };
  const kept = viewPath(ports, shape.spec);
  const tenant = quoteName(shape.place.tenantColumn);
  const swapped = new Set(
    packages.filter(({ completesGeneration }) => completesGeneration).map((pack) => pack.tenant),
  );
  const others = new Set(packages.map((pack) => pack.tenant).filter((id) => !swapped.has(id)));
  const statements: string[] = [];
  const list = (tenants: ReadonlySet<string>) => [...tenants].map(quoteText).join(", ");
  const insert = `INSERT INTO ${kept} (${currentColumns(inputs).map(quoteName).join(", ")})`;
  if (swapped.size > 0) {
    const theirs = `${tenant} IN (${list(swapped)})`;
    statements.push(`DELETE FROM ${kept} WHERE ${theirs}`);
    statements.push(`${insert} ${currentSql(inputs, `(SELECT w.* FROM ${rows} AS w WHERE w.${theirs})`)}`);
  }
  if (others.size === 0) return statements;
  const arrived =
    `${rows} AS a JOIN leat_packages AS p ON p.tenant = a.${tenant} AND p.seq = a.${leatColumns.package} ` +
    `WHERE p.tenant IN (${list(others)})`;
  const { place, key } = keySql(inputs, "a");
  if (key.length > 0)
    statements.push(mergeSql(inputs, kept, rows, arrived, [...place, ...key], list(others)));
  const keyless = `(SELECT a.* FROM ${arrived} AND (${keylessSql(inputs, "a")}))`;
  statements.push(`${insert} ${currentSql(inputs, keyless)}`);
  return statements;
}

function mergeSql(
  inputs: ViewInputs,
  kept: string,
  rows: string,
  arrived: string,
  parts: readonly string[],
  tenants: string,
): string {
  const tenant = quoteName(inputs.place.tenantColumn);
  const names = currentColumns(inputs).map(quoteName);
  const named = parts.map((part, at) => `${part} AS k${at}`).join(", ");
  const touched = `SELECT DISTINCT ${named} FROM ${arrived} AND NOT (${keylessSql(inputs, "a")})`;
  const isTouched = sameRecordSql(
    inputs,
    "v",
    parts.map((_, at) => `t.k${at}`),
  );
  // The tenants as constants let the service read only their blocks of the clustered tables.
  const versions = `(SELECT v.* FROM ${rows} AS v JOIN (${touched}) AS t ON ${isTouched} WHERE v.${tenant} IN (${tenants}))`;
  const { place, key } = keySql(inputs, "s");
  const isSame = sameRecordSql(inputs, "m", [...place, ...key]);
  const newest = `SELECT n.*, ${deletedSql(inputs, "n")} AS _leat_gone FROM (${newestSql(inputs, versions)}) AS n`;
  return (
    `MERGE INTO ${kept} AS m USING (${newest}) AS s ON m.${tenant} IN (${tenants}) AND ${isSame} ` +
    "WHEN MATCHED AND s._leat_gone THEN DELETE " +
    `WHEN MATCHED THEN UPDATE SET ${names.map((name) => `${name} = s.${name}`).join(", ")} ` +
    `WHEN NOT MATCHED AND NOT s._leat_gone THEN INSERT (${names.join(", ")}) ` +
    `VALUES (${names.map((name) => `s.${name}`).join(", ")})`
  );
}

/** A statement of the commit that leaves of each record its newest version, a deletion too. */
export function dropOlderSql(ports: ViewPorts, shape: StreamShape): string {
  const { place, physicalTable } = shape;
  const inputs = viewInputs(ports, shape);
  const newest = newestSql(inputs, `(${landingSql(ports, shape)})`);
  const name = (alias: string): string =>
    `CONCAT(CAST(${alias}.${leatColumns.package} AS STRING), ' ', CAST(${alias}.${leatColumns.row} AS STRING), ' ', ` +
    `${alias}.${quoteName(place.tenantColumn)})`;
  return (
    `DELETE FROM ${ports.catalog.path(physicalTable)} AS d WHERE ${name("d")} NOT IN ` +
    `(SELECT ${name("k")} FROM (${newest}) AS k)`
  );
}
