/** What differs between two versions of a dataset. */
import path from "node:path";
import type { PublishedColumn } from "../../model/dataset-manifest.ts";
import type { JsonValue } from "../../model/json-value.ts";
import type { RowChange, VersionDiff, VersionFiles } from "../../ports/dataset-engine.ts";
import { toObject } from "./dataset-keys.ts";
import { type DuckDbSession, type DuckDbSettings, type EngineRow, withDuckDb } from "./duckdb-file.ts";
import { quotePaths } from "./package-source.ts";
import { quoteName, quoteText } from "./sql-text.ts";

/** Compares by the later version's key, which both must have; columns that only one has are left out. */
export async function compareVersions(
  before: VersionFiles,
  after: VersionFiles,
  options: Readonly<{ folder: string; samplesMax: number }>,
  settings: DuckDbSettings,
  signal: AbortSignal,
): Promise<VersionDiff> {
  const file = path.join(options.folder, "diff.duckdb");
  return await withDuckDb(file, "write", settings, signal, async (session) => {
    const sides = new Sides(before, after);
    const { key, shared } = sides;
    const changes = shared.map(
      (name) => `(${sides.cell("b", name)} IS DISTINCT FROM ${sides.cell("a", name)})`,
    );
    const isChanged = changes.length === 0 ? "false" : `greatest(${changes.join(", ")})`;
    const kind =
      `CASE WHEN b._leat_is IS NULL THEN 'added' WHEN a._leat_is IS NULL THEN 'removed' ` +
      `WHEN ${isChanged} THEN 'changed' ELSE 'unchanged' END AS change`;
    const keys = key.map(
      (name, at) =>
        `CASE WHEN a._leat_is THEN ${sides.cell("a", name)} ELSE ${sides.cell("b", name)} END AS k${at}`,
    );
    const bits = changes.map((change, at) => `${change} AS c${at}`);
    const isSame = key.map(
      (name) => `${sides.cell("b", name)} IS NOT DISTINCT FROM ${sides.cell("a", name)}`,
    );
    await session.run(
      `CREATE TABLE differing AS SELECT ${[kind, ...keys, ...bits].join(", ")}
       FROM ${sides.rows("b")} FULL JOIN ${sides.rows("a")} ON ${isSame.join(" AND ")}`,
    );
    const counted = await session.rows("SELECT change, count(*) AS held FROM differing GROUP BY change");
    const counts = new Map(counted.map((row) => [String(row["change"]), Number(row["held"])]));
    const columns: Record<string, number> = {};
    for (const [at, name] of shared.entries()) {
      const [row] = await session.rows(
        `SELECT count(*) AS held FROM differing WHERE change = 'changed' AND c${at}`,
      );
      if (Number(row!["held"]) > 0) columns[name] = Number(row!["held"]);
    }
    return {
      added: counts.get("added") ?? 0,
      removed: counts.get("removed") ?? 0,
      changed: counts.get("changed") ?? 0,
      unchanged: counts.get("unchanged") ?? 0,
      columns,
      samples: await readSamples(session, sides, options.samplesMax),
    };
  });
}

/** The two versions as SQL: `b` before, `a` after. */
class Sides {
  readonly key: readonly string[];
  /** Columns of both that are not of the key. */
  readonly shared: readonly string[];
  readonly #versions: Readonly<Record<"a" | "b", VersionFiles>>;

  constructor(before: VersionFiles, after: VersionFiles) {
    this.#versions = { b: before, a: after };
    this.key = after.key;
    this.shared = this.others("a").filter((name) => this.#column("b", name) !== undefined);
  }

  /** Columns of one that are not of the key. */
  others(side: "a" | "b"): readonly string[] {
    return this.#versions[side].columns.map(({ name }) => name).filter((name) => !this.key.includes(name));
  }

  rows(side: "a" | "b"): string {
    return `(SELECT true AS _leat_is, * FROM read_parquet(${quotePaths(this.#versions[side].paths)})) ${side}`;
  }

  /** A cell as it is compared: a column whose type has changed, as people read it. */
  cell(side: "a" | "b", name: string): string {
    const sql = `${side}.${quoteName(name)}`;
    const [one, other] = [this.#column("a", name), this.#column("b", name)];
    return one === undefined || other === undefined || one.type === other.type
      ? sql
      : `CAST(${sql} AS VARCHAR)`;
  }

  /** The cells of a row as JSON; decimals as text, so that nothing is rounded. */
  object(side: "a" | "b"): string {
    const members = this.others(side).map((name) => {
      const sql = `${side}.${quoteName(name)}`;
      const isDecimal = this.#column(side, name)?.type.startsWith("decimal") === true;
      return `${quoteText(name)}, ${isDecimal ? `CAST(${sql} AS VARCHAR)` : sql}`;
    });
    return `CAST(json_object(${members.join(", ")}) AS VARCHAR)`;
  }

  #column(side: "a" | "b", name: string): PublishedColumn | undefined {
    return this.#versions[side].columns.find((column) => column.name === name);
  }
}

/** Reads whole rows only of what is told: a version may differ from another in every row. */
async function readSamples(
  session: DuckDbSession,
  sides: Sides,
  samplesMax: number,
): Promise<readonly RowChange[]> {
  const { key } = sides;
  const order = key.map((_, at) => `s.k${at} NULLS LAST`).join(", ");
  const keyObject = `CAST(json_object(${key.map((name, at) => `${quoteText(name)}, s.k${at}`).join(", ")}) AS VARCHAR)`;
  const joinOf = (side: "a" | "b") =>
    `LEFT JOIN ${sides.rows(side)} ON ${key.map((name, at) => `s.k${at} IS NOT DISTINCT FROM ${sides.cell(side, name)}`).join(" AND ")}`;
  const rows = await session.rows(
    `SELECT s.change, ${keyObject} AS key, CASE WHEN b._leat_is THEN ${sides.object("b")} END AS before,
       CASE WHEN a._leat_is THEN ${sides.object("a")} END AS after
     FROM (SELECT * FROM differing s WHERE change <> 'unchanged'
           QUALIFY row_number() OVER (PARTITION BY s.change ORDER BY ${order}) <= ${samplesMax}) s
     ${joinOf("b")} ${joinOf("a")} ORDER BY s.change, ${order}`,
  );
  return rows.map((row) => toChange(row, sides.shared));
}

function toChange(row: EngineRow, shared: readonly string[]): RowChange {
  const read = (name: string) => (row[name] === null ? {} : toObject(String(row[name])));
  const [before, after] = [read("before"), read("after")];
  const change = String(row["change"]) as RowChange["change"]; // Written by the statement above.
  const names = change === "changed" ? shared : [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const cells = names.map((name): [string, { before: JsonValue; after: JsonValue }] => [
    name,
    { before: before[name] ?? null, after: after[name] ?? null },
  ]);
  const told = cells.filter(
    ([, cell]) => change !== "changed" || JSON.stringify(cell.before) !== JSON.stringify(cell.after),
  );
  return { change, key: toObject(String(row["key"])), cells: Object.fromEntries(told) };
}
