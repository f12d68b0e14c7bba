/** One row a key: duplicates within an input, and rows that later inputs restate. */
import { parseExactJson } from "../../model/exact-json.ts";
import type { JsonObject } from "../../model/json-value.ts";
import type { DatasetSpec } from "../../ports/dataset.ts";
import type { DuplicateKey, SettledKeys } from "../../ports/dataset-engine.ts";
import { jsonOf, sameKey, scratchTables, shown, showSql } from "./dataset-columns.ts";
import type { DuckDbSession } from "./duckdb-file.ts";
import { quoteName } from "./sql-text.ts";

const { typed } = scratchTables;

/** Rows whose key comes more than once, and the same with what stood before them. */
const versions = "_leat_versions";
const chain = "_leat_chain";

/** Duplicated keys told, places told of each, and restated cells told of each column and in all. */
const keySamplesMax = 5;
const placesMax = 4;
const cellSamplesMax = { ofColumn: 5, inAll: 20 } as const;

const keyList = (spec: DatasetSpec): string => spec.key.map(quoteName).join(", ");

/** Leaves one row a key in the typed table, the one of the last input. */
export async function settleKeys(session: DuckDbSession, spec: DatasetSpec): Promise<SettledKeys> {
  const keys = keyList(spec);
  const counted = await session.rows(
    `SELECT _leat_f, count(*) AS held FROM ${typed} GROUP BY _leat_f ORDER BY _leat_f`,
  );
  const inputs = counted.map((row) => ({ input: Number(row["_leat_f"]), rows: Number(row["held"]) }));
  const twice = `SELECT ${keys} FROM ${typed} GROUP BY ${keys} HAVING count(*) > 1`;
  // Most builds have none; then the rows need not be sorted by their keys.
  await session.run(
    `CREATE TABLE ${versions} AS SELECT t.rowid AS _leat_id, t.* FROM ${typed} t SEMI JOIN (${twice}) k ON ${sameKey(spec.key, "t", "k")}`,
  );
  const nothing = { count: 0, samples: [] };
  const [some] = await session.rows(`SELECT count(*) AS held FROM ${versions}`);
  if (Number(some!["held"]) === 0) {
    const added = inputs.map((input) => ({ ...input, added: input.rows, restated: 0, repeated: 0 }));
    return { duplicates: nothing, inputs: added, columns: {}, samples: [] };
  }
  const duplicates = await findDuplicates(session, spec);
  if (duplicates.count > 0) {
    const order = spec.duplicates === "first" ? "ASC" : "DESC";
    await dropWhere(
      session,
      `row_number() OVER (PARTITION BY ${keys}, _leat_f ORDER BY _leat_n ${order}) > 1`,
      versions,
    );
  }
  const restated = await restate(session, spec);
  await dropWhere(session, `row_number() OVER (PARTITION BY ${keys} ORDER BY _leat_f DESC) > 1`, versions);
  for (const table of [versions, chain]) await session.run(`DROP TABLE ${table}`);
  return {
    duplicates: spec.duplicates === "error" ? duplicates : nothing,
    inputs: inputs.map(({ input, rows }) => {
      const { restated: changed, repeated } = restated.byInput.get(input) ?? { restated: 0, repeated: 0 };
      return { input, rows, added: rows - changed - repeated, restated: changed, repeated };
    }),
    columns: restated.columns,
    samples: restated.samples,
  };
}

/** Takes rows out of the copies and out of the typed table. */
async function dropWhere(session: DuckDbSession, condition: string, table: string): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE _leat_dropped AS SELECT _leat_id FROM ${table} QUALIFY ${condition}`,
  );
  await session.run(`DELETE FROM ${typed} WHERE rowid IN (SELECT _leat_id FROM temp._leat_dropped)`);
  await session.run(`DELETE FROM ${table} WHERE _leat_id IN (SELECT _leat_id FROM temp._leat_dropped)`);
  await session.run("DROP TABLE temp._leat_dropped");
}

async function findDuplicates(
  session: DuckDbSession,
  spec: DatasetSpec,
): Promise<Readonly<{ count: number; samples: readonly DuplicateKey[] }>> {
  const keys = keyList(spec);
  const doubled = `SELECT ${keys}, _leat_f FROM ${versions} GROUP BY ${keys}, _leat_f HAVING count(*) > 1`;
  const [counted] = await session.rows(`SELECT count(*) AS held FROM (${doubled})`);
  const rows = await session.rows(
    `WITH k AS (SELECT * FROM (${doubled}) ORDER BY _leat_f, ${keys} LIMIT ${keySamplesMax})
     SELECT t._leat_f AS _leat_f, ${jsonOf(shown(spec, spec.key, "t"))} AS key, t._leat_r AS _leat_r, t._leat_p AS _leat_p
     FROM ${versions} t JOIN k ON t._leat_f = k._leat_f AND ${sameKey(spec.key, "t", "k")} ORDER BY t._leat_f, key, t._leat_n`,
  );
  const samples = new Map<string, DuplicateKey & { places: DuplicateKey["places"][number][] }>();
  for (const row of rows) {
    const key = String(row["key"]);
    const name = `${row["_leat_f"]} ${key}`;
    const sample = samples.get(name) ?? { key: toObject(key), places: [] };
    samples.set(name, sample);
    const place = row["_leat_p"] === null ? null : String(row["_leat_p"]);
    if (sample.places.length < placesMax)
      sample.places.push({ input: Number(row["_leat_f"]), row: Number(row["_leat_r"]), place });
  }
  return { count: Number(counted!["held"]), samples: [...samples.values()] };
}

type Restated = Readonly<{
  byInput: ReadonlyMap<number, Readonly<{ restated: number; repeated: number }>>;
  columns: Readonly<Record<string, number>>;
  samples: SettledKeys["samples"];
}>;

/** Compares each row with the one of the same key in the input before. */
async function restate(session: DuckDbSession, spec: DatasetSpec): Promise<Restated> {
  const compared = spec.columns.filter(
    ({ published: { name } }) => !spec.key.includes(name) && !spec.originColumns.includes(name),
  );
  const before = compared.map(
    ({ published }, at) => `lag(${quoteName(published.name)}) OVER w AS _leat_b${at}`,
  );
  await session.run(
    `CREATE TABLE ${chain} AS SELECT *, ${["lag(_leat_f) OVER w AS _leat_bf", ...before].join(", ")} FROM ${versions}
     WINDOW w AS (PARTITION BY ${keyList(spec)} ORDER BY _leat_f)`,
  );
  const changes = compared.map(
    ({ published }, at) =>
      `(_leat_bf IS NOT NULL AND _leat_b${at} IS DISTINCT FROM ${quoteName(published.name)})`,
  );
  const isRestated = changes.length === 0 ? "false" : `greatest(${changes.join(", ")})`;
  const byInput = await session.rows(
    `SELECT _leat_f, count(*) FILTER (WHERE ${isRestated}) AS restated,
       count(*) FILTER (WHERE _leat_bf IS NOT NULL AND NOT ${isRestated}) AS repeated FROM ${chain} GROUP BY _leat_f`,
  );
  const columns: Record<string, number> = {};
  const samples: SettledKeys["samples"][number][] = [];
  for (const [at, { published, type }] of compared.entries()) {
    const { name } = published;
    const [row] = await session.rows(`SELECT count(*) AS held FROM ${chain} WHERE ${changes[at]}`);
    const count = Number(row!["held"]);
    if (count === 0) continue;
    columns[name] = count;
    const room = Math.min(cellSamplesMax.ofColumn, cellSamplesMax.inAll - samples.length);
    const cells = await session.rows(
      `SELECT ${jsonOf(shown(spec, spec.key))} AS key, _leat_bf, _leat_f,
         CAST(json_object('before', ${showSql(`_leat_b${at}`, type)}, 'after', ${showSql(quoteName(name), type)}) AS VARCHAR) AS cell
       FROM ${chain} WHERE ${changes[at]} ORDER BY _leat_f, key LIMIT ${room}`,
    );
    for (const cell of cells) {
      const { before: old = null, after = null } = toObject(String(cell["cell"]));
      const place = { from: Number(cell["_leat_bf"]), to: Number(cell["_leat_f"]) };
      samples.push({ key: toObject(String(cell["key"])), column: name, before: old, after, ...place });
    }
  }
  return {
    byInput: new Map(
      byInput.map((row) => [
        Number(row["_leat_f"]),
        { restated: Number(row["restated"]), repeated: Number(row["repeated"]) },
      ]),
    ),
    columns,
    samples,
  };
}

/** A JSON object that the engine has made. */
export const toObject = (text: string): JsonObject => parseExactJson(text) as JsonObject;
