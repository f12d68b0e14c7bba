/** Sends to an emulator what a place's warehouse sent to our own BigQuery, and compares the shipped views. */
import { gunzipSync } from "node:zlib";
import type { BigQueryPlace } from "../../test/contract/bigquery-place.ts";
import type { Emulator } from "./emulator.ts";
import { type ShownKind, type ShownTable, streamTables } from "./own-scenarios.ts";

/** What was found. `views`: how many were compared, by what they show. */
export type Comparison = {
  readonly views: Map<ShownKind, number>;
  rows: number;
  refused: string[];
  different: string[];
};

type LoadJob = Readonly<{
  sourceUris: readonly string[];
  destinationTable: { datasetId: string; tableId: string };
  sourceFormat: string;
  schema: { fields: readonly { name: string }[] };
}>;
type Body = Readonly<{
  tableReference?: { tableId: string };
  schema?: { fields: readonly { name: string; type: string }[] };
  view?: unknown;
  configuration?: { dryRun?: boolean; load?: LoadJob; query?: { query: string; defaultDataset?: unknown } };
}>;

/** The emulator keeps what earlier places have sent: each has projects of its own there. */
let placeCount = 0;
let scriptCount = 0;

/**
 * Replays all of a place's exchanges, and compares what it shows.
 *
 * @param shown - default: the views of the contract's stream, as far as they are there.
 */
export async function replayPlace(
  emulator: Emulator,
  place: BigQueryPlace,
  found: Comparison,
  shown?: readonly ShownTable[],
): Promise<void> {
  placeCount += 1;
  const rename = (text: string) => text.replaceAll(/shop-(\d+)/g, `shop-$1-${placeCount}`);
  const asked = new Set<string>();
  const made = new Set<string>();
  const views = new Set<string>();
  for (const { method, path, body } of [...place.server.exchanges]) {
    const rest = rename(path.replace("/bigquery/v2", ""));
    const [, , project = ""] = rest.split("/");
    if (!made.has(project)) {
      made.add(project);
      const datasetReference = { projectId: project, datasetId: "warehouse" };
      await emulator.send("POST", `/projects/${project}/datasets`, { datasetReference, location: "EU" });
    }
    const { configuration, schema, view, tableReference } = (body ?? {}) as Body;
    if (view !== undefined) views.add(`${rest}/${tableReference?.tableId ?? ""}`.replace(/\/$/, ""));
    const sql = configuration?.query?.query;
    if (configuration?.dryRun === true && sql !== undefined) asked.add(sql);
    if (method === "GET" || configuration?.dryRun === true || (sql !== undefined && asked.has(sql))) continue;
    // What only reads changes nothing; the views are asked below.
    if (sql !== undefined && /^SELECT /.test(sql)) continue;
    // Descriptions of a view's columns, of which the emulator knows nothing.
    if (method === "PATCH" && schema !== undefined && views.has(rest)) continue;
    try {
      if (configuration?.load !== undefined) await insertLines(emulator, place, project, configuration.load);
      else if (method === "PATCH" && schema !== undefined) {
        // It forgets columns that are added this way, and knows the statement.
        const [, , , , dataset, , table] = rest.split("/");
        for (const { name, type } of schema.fields) {
          const add = `ALTER TABLE \`${project}\`.\`${dataset}\`.\`${table}\` ADD COLUMN IF NOT EXISTS \`${name}\` ${type}`;
          await runScript(emulator, project, add);
        }
      } else if (sql !== undefined) await runScript(emulator, project, rename(sql));
      else
        await emulator.send(
          method,
          rest,
          body === undefined ? undefined : JSON.parse(rename(JSON.stringify(body))),
        );
    } catch (error) {
      const isTwice = error instanceof Error && /^(409|404) /.test(error.message);
      if (!isTwice) found.refused.push(`${method} ${rest}: ${String(error)}\n${sql?.slice(0, 800) ?? ""}`);
    }
  }
  const there = place.server.tables.allNames();
  const known = streamTables.filter(({ dataset, name }) => there.includes(`${dataset}.${name}`));
  for (const table of shown ?? known) await compareView(emulator, place, table, found);
}

async function runScript(emulator: Emulator, project: string, sql: string): Promise<void> {
  scriptCount += 1;
  // The emulator knows no ASSERT (what it guards against does not happen in a replay), and keeps temporary tables.
  const query = sql
    .replace(/^ASSERT .*;\n/gm, "")
    .replaceAll(/\bleat_(packages|cells|loaded)\b/g, `$&_${scriptCount}`);
  const body = { query, useLegacySql: false, location: "EU", timeoutMs: 60_000 };
  const { errors } = await emulator.send("POST", `/projects/${project}/queries`, body);
  if (errors !== undefined) throw new Error(JSON.stringify(errors)); // It answers 200 to a script that failed.
}

async function insertLines(
  emulator: Emulator,
  { loaded }: BigQueryPlace,
  project: string,
  load: LoadJob,
): Promise<void> {
  const rows: unknown[] = [];
  for (const uri of load.sourceUris) {
    const key = uri.replace(/^gs:\/\/[^/]+\//, "");
    const bytes = loaded.get(key);
    if (bytes === undefined) continue; // The load of it failed.
    const [, tenant, seq, run] = /tenant=([^/]*)\/seq=([^/]*)\/run=([^/]*)/.exec(uri) ?? [];
    const text = (uri.endsWith(".gz") ? gunzipSync(bytes) : Buffer.from(bytes)).toString("utf8");
    for (const line of text.split("\n").filter((one) => one !== "")) {
      const isJson = load.sourceFormat === "NEWLINE_DELIMITED_JSON";
      rows.push({ json: isJson ? pick(line, load.schema.fields) : { line, tenant, seq, run } });
    }
  }
  const { datasetId, tableId } = load.destinationTable;
  await emulator.send("POST", `/projects/${project}/datasets/${datasetId}/tables/${tableId}/insertAll`, {
    rows,
  });
}

/** The fields of a schema out of a line. */
function pick(line: string, fields: LoadJob["schema"]["fields"]): Readonly<Record<string, unknown>> {
  const row = JSON.parse(line) as Readonly<Record<string, unknown>>; // Lines that leat has written.
  return Object.fromEntries(fields.map(({ name }) => [name, row[name] ?? null]));
}

async function compareView(
  emulator: Emulator,
  place: BigQueryPlace,
  { kind, dataset, name: view, order: keys }: ShownTable,
  found: Comparison,
): Promise<void> {
  const order = `ORDER BY ${keys.join(", ")}`;
  const ours = await place.own.query(`SELECT * FROM ${dataset}.${view} ${order}`);
  const project = `shop-1-${placeCount}`;
  const names = ours.columns.map(({ name }) => `CAST(\`${name}\` AS STRING)`).join(", ");
  const text = `SELECT ${names} FROM \`${project}\`.\`${dataset}\`.\`${view}\` ${order}`;
  const mine = await place.own.query(text.replace(`\`${project}\``, "`shop-1`"));
  try {
    const answer = await emulator.send("POST", `/projects/${project}/queries`, {
      query: text,
      useLegacySql: false,
      location: "EU",
    });
    const theirs = ((answer["rows"] ?? []) as readonly { f: readonly { v: unknown }[] }[]).map(({ f }) =>
      f.map(({ v }) => v ?? null),
    );
    found.views.set(kind, (found.views.get(kind) ?? 0) + 1);
    found.rows += theirs.length;
    const print = (rows: readonly (readonly unknown[])[]) =>
      JSON.stringify(rows.map((row) => row.map(plain)));
    if (print(theirs) !== print(mine.rows))
      found.different.push(
        `${kind} ${dataset}.${view}\nours:   ${print(mine.rows)}\ntheirs: ${print(theirs)}`,
      );
  } catch (error) {
    found.refused.push(`${text}: ${String(error)}`);
  }
}

/** The engines print times and fractions in their own ways; the values are compared. */
function plain(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:/.test(value))
    return value
      .replace("T", " ")
      .replace(/\+00(:00)?$|Z$/, "")
      .replace(/\.?0+$/, "")
      .padEnd(19, "0");
  return /^-?\d+\.\d+$/.test(value) ? value.replace(/\.?0+$/, "") : value;
}
