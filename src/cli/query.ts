/** `leat query`: one SQL statement, its rows as a table, JSON or CSV. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { QueryResult, Warehouse } from "../ports/warehouse.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";

type QueryOptions = GlobalOptions & Readonly<{ csv?: boolean; rowsMax?: string; dryRun?: boolean }>;

/** Rows held in memory at most, unless told otherwise: a forgotten WHERE must not fill the machine. */
const rowsMaxDefault = 100_000;

const after = `
Each source is a schema: <source>.<stream> is the newest version of each record, and
<source>.<stream>_history every version that was received.

Examples:
  leat query "select count(*) from shop.orders"
  leat query "select * from shop.orders where tenant_id = '414' limit 10" --json
  leat query "select * from shop.orders" --csv > orders.csv`;

export function addQuery(program: Command, invocation: Invocation): void {
  const command = program
    .command("query")
    .summary("Ask the warehouse in SQL.")
    .description(
      "Runs one SQL statement in the warehouse and prints its rows: a table, with --json one array of objects.",
    )
    .argument("<sql>", "The statement.")
    .option("--csv", "Print CSV with a line of headings.")
    .option("--dry-run", "Tell what the statement would read and cost, where the warehouse bills for it.")
    .option(
      "--rows-max <n>",
      `Rows at most; more are an error, never silently cut. Default ${rowsMaxDefault}.`,
    )
    .addHelpText("after", after)
    .action(async (sql: string) => {
      invocation.finish(await query(invocation, sql, command.optsWithGlobals<QueryOptions>()));
    });
}

async function query(invocation: Invocation, sql: string, options: QueryOptions): Promise<ExitCode> {
  const { openProject } = await import("./open-project.ts");
  const { terminal, signal } = invocation;
  const rowsMax = readRowsMax(options);
  if (options.csv && options.json) {
    throw new LeatError("USAGE", { message: "--csv and --json cannot both be had." });
  }
  const opened = await openProject(invocation, options);
  const warehouse = await opened.openWarehouse();
  if (options.dryRun) {
    terminal.out(await printEstimate(warehouse, sql, options.json === true));
    return 0;
  }
  const result = await warehouse.query(sql, { signal, rowsMax: rowsMax + 1 });
  if (result.rows.length > rowsMax) {
    throw new LeatError("QUERY_FAILED", {
      message: `The statement has more than ${rowsMax} rows.`,
      hint: "Add a LIMIT, or raise --rows-max.",
    });
  }
  const headings = result.columns.map((column) => column.name);
  if (options.json) terminal.out(printObjects(result));
  else {
    const { printCsv, printTable } = await import("./print-table.ts");
    terminal.out(options.csv ? printCsv(headings, result.rows) : printTable(headings, result.rows));
  }
  return 0;
}

async function printEstimate(warehouse: Warehouse, sql: string, isJson: boolean): Promise<string> {
  if (warehouse.estimate === undefined)
    throw new LeatError("NOT_SUPPORTED", {
      message: "This warehouse bills for nothing.",
      hint: "Run the statement without --dry-run.",
    });
  const { bytes, dollars } = await warehouse.estimate(sql);
  if (isJson) return `${JSON.stringify({ bytes, dollars })}\n`;
  const mebibytes = (bytes / 1024 ** 2).toFixed(1);
  return `It would read ${mebibytes} MiB, some $${dollars.toFixed(4)} on demand. Nothing was run.\n`;
}

function readRowsMax(options: QueryOptions): number {
  const rowsMax = Number(options.rowsMax ?? rowsMaxDefault);
  if (Number.isInteger(rowsMax) && rowsMax >= 1 && rowsMax <= 100_000_000) return rowsMax;
  throw new LeatError("USAGE", {
    message: `--rows-max "${options.rowsMax}" is not a whole number from 1 to 100000000.`,
  });
}

/** One array of objects, a row a line. A heading that comes twice gets a number, so that no value is lost. */
function printObjects({ columns, rows }: QueryResult): string {
  const names: string[] = [];
  for (const { name } of columns) {
    let distinct = name;
    for (let copy = 1; names.includes(distinct); copy++) distinct = `${name}_${copy}`;
    names.push(distinct);
  }
  // Not `Object.fromEntries`: a column called `__proto__` or `7` would vanish or change its place.
  const lines = rows.map(
    (row) =>
      `{${names.map((name, index) => `${JSON.stringify(name)}:${JSON.stringify(row[index] ?? null)}`).join(",")}}`,
  );
  return lines.length === 0 ? "[]\n" : `[\n${lines.join(",\n")}\n]\n`;
}
