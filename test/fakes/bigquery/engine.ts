/** The fake's engine: one DuckDB in memory, with GoogleSQL's functions as macros. */
import {
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBScalarFunction,
  type DuckDBType,
  VARCHAR,
} from "@duckdb/node-api";
import { jsonQuery, jsonValue } from "./json-text.ts";

const macros = [
  "CREATE MACRO bq_regexp_extract(t, p) AS CASE WHEN regexp_matches(t, p) THEN regexp_extract(t, p, 1) END",
  "CREATE MACRO bq_regexp_replace(t, p, r) AS regexp_replace(t, p, r, 'g')",
  "CREATE MACRO bq_timestamp(t) AS CAST(t AS TIMESTAMPTZ), (t, zone) AS timezone(zone, CAST(t AS TIMESTAMP))",
  "CREATE MACRO bq_datetime(t) AS CAST(t AS TIMESTAMP), (t, zone) AS timezone(zone, CAST(t AS TIMESTAMPTZ))",
  "CREATE MACRO bq_fingerprint(t) AS (hash(t) >> 1)::BIGINT",
  "CREATE MACRO bq_to_json_string(v) AS CAST(to_json(v) AS VARCHAR)",
];

/** Opens an engine: empty, or as another one was when it was saved in a file. */
export async function openEngine(savedAt?: string): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    default_null_order: "nulls_first_on_asc_last_on_desc",
  });
  const connection = await instance.connect();
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  register(connection, "bq_json_query", jsonQuery);
  register(connection, "bq_json_value", jsonValue);
  if (savedAt === undefined) for (const macro of macros) await connection.run(macro);
  else {
    await connection.run(`ATTACH '${savedAt}' AS saved (READ_ONLY)`);
    await connection.run("COPY FROM DATABASE saved TO memory");
    await connection.run("DETACH saved");
  }
  connection.closeSync();
  return instance;
}

/** Writes all that an engine holds into a new file. */
export async function saveEngine(instance: DuckDBInstance, path: string): Promise<void> {
  const connection = await instance.connect();
  await connection.run(`ATTACH '${path}' AS saved`);
  await connection.run("COPY FROM DATABASE memory TO saved");
  await connection.run("DETACH saved");
  connection.closeSync();
}

function register(
  connection: DuckDBConnection,
  name: string,
  call: (a: string | null, b: string | null) => string | null,
): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      parameterTypes: [VARCHAR, VARCHAR],
      returnType: VARCHAR,
      specialHandling: true,
      mainFunction: (_info, input, output) => {
        const [left, right] = [input.getColumnVector(0), input.getColumnVector(1)];
        for (let row = 0; row < input.rowCount; row += 1)
          output.setItem(row, call(left.getItem(row) as string | null, right.getItem(row) as string | null));
        output.flush();
      },
    }),
  );
}

/** A field as the REST interface tells it. */
export type RestField = Readonly<{
  name: string;
  type: string;
  mode?: string;
  precision?: string;
  scale?: string;
}>;

const restTypes: Readonly<Record<string, string>> = {
  BIGINT: "INTEGER",
  HUGEINT: "INTEGER",
  INTEGER: "INTEGER",
  UBIGINT: "INTEGER",
  DOUBLE: "FLOAT",
  BOOLEAN: "BOOLEAN",
  VARCHAR: "STRING",
  DATE: "DATE",
  TIMESTAMP: "DATETIME",
  "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
  JSON: "JSON",
};

/** The field of an engine's column. */
export function restField(name: string, type: DuckDBType): RestField {
  const text = String(type);
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(text);
  if (decimal === null) return { name, type: restTypes[text] ?? "STRING", mode: "NULLABLE" };
  const [, precision, scale] = decimal;
  const isNumeric = Number(scale) <= 9 && Number(precision) - Number(scale) <= 29;
  return {
    name,
    type: isNumeric ? "NUMERIC" : "BIGNUMERIC",
    mode: "NULLABLE",
    precision: precision!,
    scale: scale!,
  };
}

const engineTypes: Readonly<Record<string, string>> = {
  STRING: "VARCHAR",
  INT64: "BIGINT",
  INTEGER: "BIGINT",
  FLOAT64: "DOUBLE",
  FLOAT: "DOUBLE",
  BOOL: "BOOLEAN",
  BOOLEAN: "BOOLEAN",
  DATE: "DATE",
  DATETIME: "TIMESTAMP",
  TIMESTAMP: "TIMESTAMPTZ",
  JSON: "JSON",
};

/** The engine's type of a field; `undefined`: there is none of that name. */
export function engineType(field: RestField): string | undefined {
  if (field.type === "NUMERIC" || field.type === "BIGNUMERIC")
    return `DECIMAL(${field.precision ?? 38},${field.scale ?? (field.precision === undefined ? 9 : 0)})`;
  return engineTypes[field.type];
}

/** A cell as the interface writes it: text. */
export function restCell(value: unknown, field: RestField): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "object" && "micros" in value) {
    const micros = value.micros as bigint;
    if (field.type === "TIMESTAMP") return micros.toString();
    const text = new Date(Number(micros / 1000n - (micros % 1000n < 0n ? 1n : 0n)))
      .toISOString()
      .slice(0, 19);
    const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    return fraction === 0n ? text : `${text}.${fraction.toString().padStart(6, "0")}`;
  }
  const text = String(value);
  if (!/NUMERIC$/.test(field.type) || !text.includes(".")) return text;
  return text.replace(/\.?0+$/, "");
}
