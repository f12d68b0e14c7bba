/** `leat diff`: what differs between two versions of a dataset. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { JsonObject, JsonValue } from "../model/json-value.ts";
import type { RowChange } from "../ports/dataset-engine.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { openWorkFolder } from "./open-datasets.ts";
import { printable, printCount } from "./terminal.ts";

type DiffOptions = GlobalOptions & Readonly<{ rows?: string }>;

/** Rows told of each kind, unless told otherwise, and at most. */
const rowsDefault = 20;
const rowsMax = 100_000;

const after = `
Versions: latest, previous, the number of the entry, or the beginning of the version's name.

Examples:
  leat diff deaths                      what the newest version has changed
  leat diff deaths 3f2a1b               that version and the newest
  leat diff deaths 3f2a1b 9c04d7 --json`;

export function addDiff(program: Command, invocation: Invocation): void {
  const command = program
    .command("diff")
    .summary("Tell what differs between two versions of a dataset.")
    .description(
      "Compares two versions of a dataset by their key: rows added and removed, and changed cells with their values before and after.",
    )
    .argument("<dataset>", "Name of the dataset.")
    .argument("[before]", "The earlier version. Default: previous.")
    .argument("[after]", "The later version. Default: latest.")
    .option("--rows <n>", `Rows told of each kind; all are counted. Default ${rowsDefault}.`)
    .addHelpText("after", after)
    .action(async (name: string, one: string | undefined, other: string | undefined) => {
      const options = command.optsWithGlobals<DiffOptions>();
      invocation.finish(await diff(invocation, name, [one ?? "previous", other ?? "latest"], options));
    });
}

async function diff(
  invocation: Invocation,
  name: string,
  named: readonly [string, string],
  options: DiffOptions,
): Promise<ExitCode> {
  const [{ openProject }, { compareVersions }, { shortVersion }] = await Promise.all([
    import("./open-project.ts"),
    import("./compare-versions.ts"),
    import("../dataset/open-version.ts"),
  ]);
  const { terminal, signal } = invocation;
  const samplesMax = readRows(options);
  const opened = await openProject(invocation, options);
  const folder = await openWorkFolder(invocation, opened);
  const pair = { dataset: name, before: named[0], later: named[1], samplesMax, folder };
  const { before, later, schema, rows: found } = await compareVersions(opened, pair, signal);
  if (options.json) {
    const { samples, ...counts } = found;
    const version = (entry: typeof before) => ({
      version: entry.version,
      seq: entry.seq,
      rows: entry.rowCount,
      built_at: entry.builtAt,
    });
    const told = {
      dataset: name,
      before: version(before),
      after: version(later),
      schema,
      ...counts,
      rows: samples,
    };
    terminal.out(`${JSON.stringify(told, null, 2)}\n`);
    return 0;
  }
  const { printChanges } = await import("./print-build.ts");
  const title = `${name}: ${shortVersion(before.version)} (${printCount(before.rowCount)} rows) to ${shortVersion(later.version)} (${printCount(later.rowCount)} rows)`;
  const lines = [
    title,
    ...schema.map((line) => `  column ${line}`),
    `  rows ${printChanges(found)}, ${printCount(found.unchanged)} unchanged`,
  ];
  for (const change of ["changed", "added", "removed"] as const) {
    const rows = found.samples.filter((row) => row.change === change);
    if (rows.length === 0) continue;
    const isMore = found[change] > rows.length;
    lines.push(
      "",
      isMore ? `${change}, the first ${printCount(rows.length)}` : change,
      ...rows.map(printRow),
    );
  }
  terminal.out(printable(`${lines.join("\n")}\n`));
  return 0;
}

function readRows(options: DiffOptions): number {
  const rows = Number(options.rows ?? rowsDefault);
  if (Number.isInteger(rows) && rows >= 0 && rows <= rowsMax) return rows;
  throw new LeatError("USAGE", {
    message: `--rows "${options.rows}" is not a whole number from 0 to ${rowsMax}.`,
  });
}

const printValue = (value: JsonValue): string => (typeof value === "string" ? value : JSON.stringify(value));
const printKey = (key: JsonObject): string => Object.values(key).map(printValue).join(" ");

function printRow({ change, key, cells }: RowChange): string {
  const told = Object.entries(cells).map(([column, { before, after: now }]) =>
    change === "changed"
      ? `${column} ${printValue(before)} -> ${printValue(now)}`
      : `${column} ${printValue(change === "added" ? now : before)}`,
  );
  return `  ${printKey(key)}: ${told.join(", ")}`;
}
