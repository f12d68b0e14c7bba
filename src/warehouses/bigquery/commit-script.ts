/**
 * The script that commits a batch: rows, rejects, ledger rows and the stream's registry, in one transaction (I11).
 *
 * Its first change is to the row that counts the stream's commits. Of two scripts at the same time one is undone by the
 * service; one that comes later than another's commit finds another count than its plan was made at, and undoes itself.
 * It says at once that the heads are those of this commit; what makes them so is in the same transaction.
 *
 * @see https://docs.cloud.google.com/bigquery/docs/transactions (read 2026-11-21)
 */
import { printColumnType } from "../../model/column-types.ts";
import type { WarehouseId } from "../../model/ids.ts";
import type { PlaceColumns, PlannedColumn } from "../../model/plan-schema.ts";
import { leatColumns, type StreamSpec } from "../../model/stream.ts";
import type { PackageToLoad } from "../../ports/warehouse.ts";
import { canFail, cellFunctions, convertCell } from "./cell-sql.ts";
import { castType } from "./field-types.ts";
import { constantRows, quoteJsonPath, quoteName, quotePattern, quoteText } from "./sql-text.ts";
import { placeOf } from "./stage-parts.ts";
import { addToHeads, makeHeads } from "./turn-table.ts";

/** Beginnings of the messages with which a script undoes itself. */
export const scriptFaults = {
  overtaken: "leat: overtaken",
  stranger: "leat: another warehouse",
  counts: "leat: counts ",
} as const;

/** A package of the batch. */
export type CommitPackage = Readonly<{ pack: PackageToLoad; isReloaded: boolean }>;

/** What a script is made of. Paths are quoted. */
export type Commit = Readonly<{
  id: WarehouseId;
  spec: StreamSpec;
  place: PlaceColumns;
  columns: readonly PlannedColumn[];
  /** Commits so far. */
  turn: number;
  /** Whether the heads are those of that commit. */
  hasHeads: boolean;
  packages: readonly CommitPackage[];
  /** Tables of staged lines. */
  lines: readonly string[];
  paths: Readonly<{
    warehouse: string;
    turns: string;
    landing: string;
    loads: string;
    rejects: string;
    columns: string;
    streams: string;
  }>;
  /** The table whose rows move into `landing`, a new one, and what its place columns are called. */
  movedFrom: Readonly<{ path: string; place: PlaceColumns }> | undefined;
  /** The stream's row and columns, when they have changed. */
  registry: Readonly<{ landingTable: string; physicalTable: string }> | undefined;
  /** Statements that bring kept current rows up to date; they find the packages in `leat_packages`. */
  current: readonly string[];
}>;

/** What a transaction was planned at: which warehouse it is, and how many commits there were. Paths are quoted. */
export type Turn = Readonly<{
  id: WarehouseId;
  turn: number;
  paths: Pick<Commit["paths"], "warehouse" | "turns">;
}>;

/**
 * A transaction that undoes itself where another commit came before it, or the warehouse is another one.
 *
 * @param statements - leave the heads as the ledger will be (turn-table.ts).
 */
export function inTurn(
  { id, turn, paths }: Turn,
  statements: readonly string[],
  functions: readonly string[] = [],
): string {
  const all = [
    `ASSERT (SELECT id FROM ${paths.warehouse}) = ${quoteText(id)} AS ${quoteText(scriptFaults.stranger)}`,
    ...functions,
    "BEGIN TRANSACTION",
    `UPDATE ${paths.turns} SET n = n + 1, heads_at = n + 1 WHERE TRUE`,
    `ASSERT (SELECT MAX(n) FROM ${paths.turns}) = ${turn + 1} AS ${quoteText(scriptFaults.overtaken)}`,
    ...statements,
    "COMMIT TRANSACTION",
  ];
  return `${all.join(";\n")};\n`;
}

/** Whether a script was undone since another one came before it. */
export const isOvertaken = (message: string): boolean =>
  message.includes(scriptFaults.overtaken) || /aborted due to concurrent update/i.test(message);

/** Writes the script. */
export function commitScript(commit: Commit): string {
  const hasPackages = commit.packages.length > 0;
  const statements = [
    ...(hasPackages ? [packagesTable(commit), cellsTable(commit)] : []),
    ...moveRows(commit),
    ...(hasPackages ? insertRows(commit) : []),
    ...keepHeads(commit),
    ...writeRegistry(commit),
    ...commit.current,
  ];
  return inTurn(commit, statements, hasPackages ? cellFunctions : []);
}

const ofStream = (spec: StreamSpec): string =>
  `source = ${quoteText(spec.source)} AND stream = ${quoteText(spec.name)}`;

function packagesTable({ packages }: Commit): string {
  const rows = packages.map(({ pack, isReloaded }) => {
    const { tenant, seq } = placeOf(pack);
    return {
      tenant: quoteText(pack.tenant),
      seq: String(pack.seq),
      place_tenant: quoteText(tenant),
      place_seq: quoteText(seq),
      partition_key:
        pack.partitionColumn === undefined ? "CAST(NULL AS STRING)" : quoteText(pack.partitionColumn),
      manifest_hash: quoteText(pack.manifestHash),
      landed: String(pack.landed),
      generation: String(pack.generation),
      completes: pack.completesGeneration ? "TRUE" : "FALSE",
      is_reloaded: isReloaded ? "TRUE" : "FALSE",
    };
  });
  return `CREATE TEMP TABLE leat_packages AS SELECT p.* FROM ${constantRows(rows)} AS p`;
}

/** One row a line, one column a cell: `c<index>`; `problem` is the index of a column that it does not fit. */
function cellsTable({ columns, lines, packages }: Commit): string {
  const typed = columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => column.type.type !== "unknown");
  // Of a JSON null the function's pages say SQL's NULL, and some engines the text; a string has its quotes here.
  const queries = typed.map(
    ({ column, index }) => `NULLIF(JSON_QUERY(s.line, ${quoteJsonPath([column.key])}), 'null') AS q${index}`,
  );
  const texts = typed
    .filter(({ column }) => column.type.type !== "json")
    .map(({ index }) => `leat_text(r.q${index}) AS t${index}`);
  const cells = typed.map(
    ({ column, index }) => `${convertCell(column.type, `x.t${index}`, `x.q${index}`)} AS c${index}`,
  );
  const problems = typed
    .filter(({ column }) => canFail(column.type))
    .map(({ index }) => `WHEN y.t${index} IS NOT NULL AND y.c${index} IS NULL THEN ${index}`);
  const staged =
    lines.length === 0
      ? "(SELECT '' AS line, '' AS tenant, '' AS seq FROM (SELECT 1) WHERE FALSE)"
      : `(${lines.map((path) => `SELECT line, tenant, seq FROM ${path}`).join(" UNION ALL ")})`;
  const own = [
    "p.tenant",
    "p.seq",
    "s.line",
    "JSON_QUERY(s.line, '$') IS NOT NULL AS is_record",
    // leat writes these in front of every record, in this form.
    `SAFE_CAST(REGEXP_EXTRACT(s.line, ${quotePattern(`"${leatColumns.row}":([0-9]+)`)}) AS INT64) AS leat_row`,
    `SAFE_CAST(REGEXP_EXTRACT(s.line, ${quotePattern(`"${leatColumns.extractedAt}":"([^"]*)"`)}) AS TIMESTAMP) AS leat_at`,
    `${partitionSql(packages)} AS leat_part`,
  ];
  const read =
    `SELECT ${[...own, ...queries].join(", ")} FROM ${staged} AS s JOIN leat_packages AS p ` +
    "ON p.place_tenant = s.tenant AND p.place_seq = s.seq";
  const texted = `SELECT ${["r.*", ...texts].join(", ")} FROM (${read}) AS r`;
  const converted = `SELECT ${["x.*", ...cells].join(", ")} FROM (${texted}) AS x`;
  const problem = [
    "CASE WHEN NOT y.is_record OR y.leat_row IS NULL OR y.leat_at IS NULL THEN -1",
    ...problems,
    "END",
  ];
  const kept = [
    "y.tenant",
    "y.seq",
    "y.line",
    "y.leat_row",
    "y.leat_at",
    "y.leat_part",
    ...typed.map(({ index }) => `y.c${index}`),
  ];
  return `CREATE TEMP TABLE leat_cells AS SELECT ${kept.join(", ")}, ${problem.join(" ")} AS problem FROM (${converted}) AS y`;
}

/** The partition's value: its key is the package's, and a path must be a constant. */
function partitionSql(packages: readonly CommitPackage[]): string {
  const keys = new Set(packages.flatMap(({ pack }) => pack.partitionColumn ?? []));
  if (keys.size === 0) return "CAST(NULL AS STRING)";
  const cases = [...keys].map(
    (key) => `WHEN ${quoteText(key)} THEN JSON_VALUE(s.line, ${quoteJsonPath([key])})`,
  );
  return `CASE p.partition_key ${cases.join(" ")} END`;
}

/** Rows of the old table whose cells are right as they are, or become so by an exact cast. */
function moveRows({ movedFrom, columns, place, packages, paths }: Commit): readonly string[] {
  if (movedFrom === undefined) return [];
  const names: string[] = [place.tenantColumn];
  const values = [`o.${quoteName(movedFrom.place.tenantColumn)}`];
  if (place.partitionColumn !== undefined) {
    names.push(place.partitionColumn);
    const was = movedFrom.place.partitionColumn;
    values.push(was === undefined ? "CAST(NULL AS STRING)" : `o.${quoteName(was)}`);
  }
  for (const { name, type, before, change } of columns) {
    if (
      type.type === "unknown" ||
      before === undefined ||
      before.type.type === "unknown" ||
      change === "reread"
    )
      continue;
    names.push(name);
    const cell = `o.${quoteName(before.name)}`;
    values.push(castType(before.type) === castType(type) ? cell : `CAST(${cell} AS ${castType(type)})`);
  }
  for (const name of Object.values(leatColumns)) {
    names.push(name);
    values.push(`o.${name}`);
  }
  const kept =
    packages.length === 0
      ? ""
      : " WHERE NOT EXISTS (SELECT 1 FROM leat_packages AS p WHERE p.is_reloaded " +
        `AND p.tenant = o.${quoteName(movedFrom.place.tenantColumn)} AND p.seq = o.${leatColumns.package})`;
  return [
    `INSERT INTO ${paths.landing} (${names.map(quoteName).join(", ")}) ` +
      `SELECT ${values.join(", ")} FROM ${movedFrom.path} AS o${kept}`,
  ];
}

function insertRows({ spec, place, columns, paths, packages }: Commit): readonly string[] {
  const typed = columns
    .map((column, index) => ({ column, index }))
    .filter(({ column }) => column.type.type !== "unknown");
  const names: string[] = [
    place.tenantColumn,
    ...(place.partitionColumn === undefined ? [] : [place.partitionColumn]),
  ];
  const values = ["c.tenant", ...(place.partitionColumn === undefined ? [] : ["c.leat_part"])];
  for (const { column, index } of typed) {
    names.push(column.name);
    values.push(`c.c${index}`);
  }
  names.push(leatColumns.package, leatColumns.row, leatColumns.extractedAt);
  values.push("c.seq", "c.leat_row", "c.leat_at");
  const reasons = typed
    .filter(({ column }) => canFail(column.type))
    .map(({ column, index }) => ({
      column: `WHEN ${index} THEN ${quoteText(column.name)}`,
      reason: `WHEN ${index} THEN ${quoteText(`column ${column.name} is no ${printColumnType(column.type)}`)}`,
    }));
  const columnOf = [
    "CASE c.problem",
    ...reasons.map(({ column }) => column),
    "WHEN -1 THEN CAST(NULL AS STRING) END",
  ];
  const reasonOf = [
    "CASE c.problem",
    ...reasons.map(({ reason }) => reason),
    "WHEN -1 THEN 'is no record that can be read' END",
  ];
  const where = `${quoteText(spec.source)}, ${quoteText(spec.name)}`;
  const counted =
    "SELECT tenant, seq, COUNTIF(problem IS NULL) AS loaded, COUNTIF(problem IS NOT NULL) AS rejected " +
    "FROM leat_cells GROUP BY tenant, seq";
  const loaded =
    "SELECT p.tenant, p.seq, p.manifest_hash, p.landed, IFNULL(c.loaded, 0) AS loaded, IFNULL(c.rejected, 0) AS rejected, " +
    `p.generation, p.completes FROM leat_packages AS p LEFT JOIN (${counted}) AS c ON c.tenant = p.tenant AND c.seq = p.seq`;
  const reloaded = `${ofStream(spec)} AND CONCAT(CAST(seq AS STRING), ' ', tenant) IN (SELECT CONCAT(CAST(p.seq AS STRING), ' ', p.tenant) FROM leat_packages AS p WHERE p.is_reloaded)`;
  const taken = packages.some(({ isReloaded }) => isReloaded)
    ? [`DELETE FROM ${paths.loads} WHERE ${reloaded}`, `DELETE FROM ${paths.rejects} WHERE ${reloaded}`]
    : [];
  return [
    ...taken,
    `INSERT INTO ${paths.landing} (${names.map(quoteName).join(", ")}) ` +
      `SELECT ${values.join(", ")} FROM leat_cells AS c WHERE c.problem IS NULL`,
    `INSERT INTO ${paths.rejects} (source, stream, tenant, seq, ${quoteName("row")}, reason, ${quoteName("column")}, record) ` +
      `SELECT ${where}, c.tenant, c.seq, c.leat_row, ${reasonOf.join(" ")}, ${columnOf.join(" ")}, c.line ` +
      "FROM leat_cells AS c WHERE c.problem IS NOT NULL",
    `CREATE TEMP TABLE leat_loaded AS ${loaded}`,
    // I10: a count that does not come out undoes everything, and says whose it is.
    `SELECT ERROR(CONCAT(${quoteText(scriptFaults.counts)}, CAST(seq AS STRING), ' ', CAST(landed AS STRING), ' ', ` +
      "CAST(loaded AS STRING), ' ', CAST(rejected AS STRING), ' ', tenant)) " +
      "FROM leat_loaded WHERE loaded + rejected <> landed LIMIT 1",
    `INSERT INTO ${paths.loads} (source, stream, tenant, seq, manifest_hash, loaded, rejected, generation, completes, loaded_at) ` +
      `SELECT ${where}, tenant, seq, manifest_hash, loaded, rejected, generation, completes, CURRENT_TIMESTAMP() FROM leat_loaded`,
  ];
}

/** New ledger rows are added to the heads; rows that were taken and written again, or no heads, want the whole ledger. */
function keepHeads({ spec, turn, hasHeads, packages, paths }: Commit): readonly string[] {
  if (!hasHeads || packages.some(({ isReloaded }) => isReloaded))
    return makeHeads(paths.turns, turn, paths.loads, ofStream(spec));
  return packages.length === 0 ? [] : [addToHeads(paths.turns, turn, "leat_loaded")];
}

function writeRegistry({ registry, spec, place, columns, paths }: Commit): readonly string[] {
  if (registry === undefined) return [];
  const where = { source: quoteText(spec.source), stream: quoteText(spec.name) };
  const rows = columns.map(({ key, name, type, seen }) => ({
    ...where,
    key: quoteText(key),
    column_name: quoteText(name),
    column_type: quoteText(printColumnType(type)),
    kinds: String(seen.kinds),
    int_digits_max: String(seen.intDigitsMax),
    scale_max: String(seen.scaleMax),
    has_exact_numbers: seen.hasExactNumbers ? "TRUE" : "FALSE",
  }));
  const values = [
    where.source,
    where.stream,
    quoteText(registry.landingTable),
    quoteText(registry.physicalTable),
    quoteText(place.tenantColumn),
    place.partitionColumn === undefined ? "CAST(NULL AS STRING)" : quoteText(place.partitionColumn),
  ];
  const inserted = Object.keys(rows[0] ?? {})
    .map(quoteName)
    .join(", ");
  return [
    `DELETE FROM ${paths.streams} WHERE ${ofStream(spec)}`,
    `INSERT INTO ${paths.streams} (source, stream, landing_table, physical_table, tenant_column, partition_column) ` +
      `VALUES (${values.join(", ")})`,
    `DELETE FROM ${paths.columns} WHERE ${ofStream(spec)}`,
    ...(rows.length === 0
      ? []
      : [`INSERT INTO ${paths.columns} (${inserted}) SELECT k.* FROM ${constantRows(rows)} AS k`]),
  ];
}
