/**
 * Many packages in one statement.
 *
 * A daily sync of a thousand tenants is a thousand small packages; a statement for each costs some ms of planning and
 * leaves the engine's threads without work. Packages that are read as they lie, in the same way, go together; which
 * package a row is of is told by the file it stands in (I13), not by the row.
 */
import type { PackageToLoad } from "../../ports/warehouse.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import {
  insertSql,
  type LandingTarget,
  landedFiles,
  type PackageCounts,
  type PackagePlan,
  rejectRest,
} from "./insert-package.ts";
import { type CellPlan, fileColumn, sourceSql } from "./package-source.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** Most files of one statement: each is a branch of an expression. */
const filesMax = 200;

/** Packages that one statement loads, and the cells that any of them fills. */
export type PackageGroup = { plans: PackagePlan[]; cells: Map<number, CellPlan>; fileCount: number };

/** Puts packages together that are read in the same way. Others stay alone. */
export function groupPackages(
  plans: readonly PackagePlan[],
  isAlone: (pack: PackageToLoad) => boolean,
): readonly PackageGroup[] {
  const groups: PackageGroup[] = [];
  for (const plan of plans) {
    const parts = plan.pack.parts.filter(({ entry }) => entry.records > 0);
    const canJoin = plan.mode === "columns" && !plan.isStaged && parts.length > 0 && !isAlone(plan.pack);
    const group = canJoin ? groups.find((group) => canTake(group, plan, parts.length)) : undefined;
    if (group === undefined) {
      const cells = new Map(plan.cells.map((cell) => [cell.index, cell]));
      groups.push({ plans: [plan], cells, fileCount: canJoin ? parts.length : Number.POSITIVE_INFINITY });
      continue;
    }
    group.plans.push(plan);
    group.fileCount += parts.length;
    for (const cell of plan.cells) group.cells.set(cell.index, cell);
  }
  return groups;
}

/** Whether a package's files are encoded, named and read as the group's are; a column that only one has is no matter. */
function canTake(group: PackageGroup, plan: PackagePlan, fileCount: number): boolean {
  if (group.fileCount + fileCount > filesMax) return false;
  const first = group.plans[0]!.pack;
  const encodings = new Set([...first.parts, ...plan.pack.parts].map(({ compression }) => compression));
  if (encodings.size > 1 || first.partitionColumn !== plan.pack.partitionColumn) return false;
  return plan.cells.every((cell) => {
    const held = group.cells.get(cell.index);
    return held === undefined || describeReading(held) === describeReading(cell);
  });
}

function describeReading({ reading }: CellPlan): string {
  return `${reading.readAs} ${reading.value("c", "o")} ${reading.fits?.("c") ?? ""}`;
}

/** Inserts a group of at least two packages. Inside the caller's transaction. */
export async function insertGroup(
  session: DuckDbSession,
  target: LandingTarget,
  group: PackageGroup,
): Promise<ReadonlyMap<PackageToLoad, PackageCounts>> {
  const cells = [...group.cells.values()];
  const { pack } = group.plans[0]!;
  const parts = group.plans.flatMap((plan) => plan.pack.parts.filter(({ entry }) => entry.records > 0));
  const files = landedFiles(parts);
  const rows = sourceSql("columns", files, files, cells, pack.partitionColumn);
  const branch = (value: (pack: PackageToLoad) => string) => {
    const cases = group.plans.flatMap(({ pack }) =>
      pack.parts.map((part) => `WHEN ${quoteText(part.path)} THEN ${value(pack)}`),
    );
    return `CASE ${fileColumn} ${cases.join(" ")} END`;
  };
  const of = {
    tenant: branch(({ tenant }) => quoteText(tenant)),
    seq: branch(({ seq }) => `${seq}::BIGINT`),
  };
  await session.run(insertSql(target, { pack, cells }, of, rows));
  const held = await countRows(session, target, group);
  const counts = new Map<PackageToLoad, PackageCounts>();
  for (const plan of group.plans) {
    const loaded = held.get(`${plan.pack.seq} ${plan.pack.tenant}`) ?? 0;
    counts.set(plan.pack, await rejectRest(session, target, plan, loaded));
  }
  return counts;
}

async function countRows(
  session: DuckDbSession,
  { spec, place }: LandingTarget,
  group: PackageGroup,
): Promise<ReadonlyMap<string, number>> {
  const tenant = quoteName(place.tenantColumn);
  const packages = group.plans.map(({ pack }) => `(${quoteText(pack.tenant)}, ${pack.seq})`).join(", ");
  const rows = await session.rows(
    `SELECT ${tenant} AS tenant, _leat_package AS seq, count(*) AS held FROM main.${quoteName(spec.landingTable)}
     WHERE (${tenant}, _leat_package) IN (${packages}) GROUP BY ALL`,
  );
  return new Map(rows.map((row) => [`${row["seq"]} ${row["tenant"]}`, Number(row["held"])]));
}
