/** `leat datasets`: what is published, and where it comes from. */
import type { Command } from "commander";
import type { DatasetManifest, PublishedColumn } from "../model/dataset-manifest.ts";
import type { DatasetSpec } from "../ports/dataset.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import { printable, printBytes, printCount } from "./terminal.ts";

/** Versions told of one dataset; --json tells as many. */
const versionsMax = 50;

/** Files told on a terminal; --json tells all. */
const filesToldMax = 50;

export function addDatasets(program: Command, invocation: Invocation): void {
  const command = program
    .command("datasets")
    .summary("Tell what datasets there are, or all about one.")
    .description(
      "Lists the project's datasets with their newest version, rows and freshness. Of one dataset: columns, key, rules, the files and streams it is made of with the layout found in each file, and its versions.",
    )
    .argument("[dataset]", "Name of one dataset. Default: a list of all.")
    .action(async (name: string | undefined) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      invocation.finish(
        await (name === undefined ? list(invocation, options) : tell(invocation, name, options)),
      );
    });
}

async function list(invocation: Invocation, options: GlobalOptions): Promise<ExitCode> {
  const [{ openProject }, { listVersions }, { shortVersion }] = await Promise.all([
    import("./open-project.ts"),
    import("../dataset/list-versions.ts"),
    import("../dataset/open-version.ts"),
  ]);
  const { terminal } = invocation;
  const { project, store } = await openProject(invocation, options);
  const told = [];
  for (const { name } of project.datasets) {
    const { versions, count } = await listVersions(store, name, 1);
    told.push({ name, count, newest: versions[0]?.entry });
  }
  if (options.json) {
    const datasets = told.map(({ name, count, newest }) => ({
      dataset: name,
      version: newest?.version ?? null,
      seq: newest?.seq ?? null,
      rows: newest?.rowCount ?? null,
      built_at: newest?.builtAt ?? null,
      versions: count,
      freshness: freshnessOf(newest),
    }));
    terminal.out(`${JSON.stringify(datasets, null, 2)}\n`);
    return 0;
  }
  if (told.length === 0) {
    terminal.out("The project has no datasets; declare them in `datasets` of leat.config.ts.\n");
    return 0;
  }
  const { printTable } = await import("./print-table.ts");
  const rows = told.map(({ name, count, newest }) => [
    name,
    newest === undefined ? "not built yet" : shortVersion(newest.version),
    newest === undefined ? "" : printCount(newest.rowCount),
    newest?.builtAt ?? "",
    printCount(count),
    freshnessOf(newest) ?? "",
  ]);
  terminal.out(printTable(["dataset", "version", "rows", "built", "versions", "freshness"], rows));
  return 0;
}

/** What its rules of freshness said when the version was built. */
function freshnessOf(entry: DatasetManifest | undefined): string | null {
  const notes = entry?.rules.filter(({ rule }) => rule === "freshness").map(({ note }) => note ?? "");
  return notes === undefined || notes.length === 0 ? null : notes.join("; ");
}

async function tell(invocation: Invocation, name: string, options: GlobalOptions): Promise<ExitCode> {
  const [{ openProject }, { chooseDataset }, { listVersions, readLayouts }] = await Promise.all([
    import("./open-project.ts"),
    import("../dataset/choose-datasets.ts"),
    import("../dataset/list-versions.ts"),
  ]);
  const { terminal } = invocation;
  const opened = await openProject(invocation, options);
  const spec = chooseDataset(opened.project.datasets, name);
  const { versions, count } = await listVersions(opened.store, name, versionsMax);
  const newest = versions[0]?.entry;
  const layouts = newest === undefined ? [] : await readLayouts(opened.store, newest);
  if (options.json) {
    const known = versions.map(({ entry, isCollected }) => ({
      version: entry.version,
      seq: entry.seq,
      rows: entry.rowCount,
      built_at: entry.builtAt,
      collected: isCollected,
    }));
    terminal.out(
      `${JSON.stringify({ dataset: name, newest: newest ?? null, layouts, versions: known, version_count: count }, null, 2)}\n`,
    );
    return 0;
  }
  const { printLayout } = await import("./print-layout.ts");
  terminal.out(printable(await describe(opened, spec, newest)));
  for (const layout of layouts.slice(0, filesToldMax)) {
    terminal.out(
      printable(`
layout of ${printLayout(layout)}`),
    );
  }
  if (layouts.length > filesToldMax)
    terminal.out(`\nand ${printCount(layouts.length - filesToldMax)} more files; --json tells all\n`);
  const { printTable } = await import("./print-table.ts");
  const { shortVersion } = await import("../dataset/open-version.ts");
  const rows = versions.map(({ entry, isCollected }) => [
    String(entry.seq),
    shortVersion(entry.version),
    printCount(entry.rowCount),
    entry.builtAt,
    isCollected ? "collected" : printBytes(entry.parts.reduce((sum, { bytes }) => sum + bytes, 0)),
  ]);
  terminal.out(`\nversions\n${printTable(["seq", "version", "rows", "built", "files"], rows)}`);
  if (count > versions.length) terminal.out(`and ${printCount(count - versions.length)} older ones\n`);
  return 0;
}

async function describe(
  { store }: OpenProject,
  spec: DatasetSpec,
  newest: DatasetManifest | undefined,
): Promise<string> {
  const { printTable } = await import("./print-table.ts");
  const columns: readonly PublishedColumn[] =
    newest?.schema.columns ?? spec.columns.map(({ published }) => published);
  const shown = columns.map(({ name, type, isNullable, unit, description }) => [
    name,
    isNullable ? `${type}, nullable` : type,
    unit ?? "",
    description ?? "",
  ]);
  const parts = [
    `${spec.name}: ${spec.description}\n`,
    ...(spec.licence === undefined ? [] : [`licence  ${spec.licence}\n`]),
    `key      ${spec.key.join(", ")}\nsort     ${spec.sort.join(", ")}\n\n`,
    printTable(["column", "type", "unit", "description"], shown),
  ];
  if (newest === undefined) return [...parts, `\nNot built yet; run \`leat build ${spec.name}\`.\n`].join("");
  const { files, streams, datasets, sql, code } = newest.lineage;
  parts.push(`\nmade of\n`);
  if (files.length > 0) {
    const rows = files
      .slice(0, filesToldMax)
      .map((file) => [file.name, file.stream, file.tenant, printCount(file.rows), file.sha256.slice(0, 12)]);
    parts.push(printTable(["file", "stream", "tenant", "rows", "sha256"], rows));
    if (files.length > filesToldMax)
      parts.push(`and ${printCount(files.length - filesToldMax)} more files\n`);
  }
  for (const { stream, tenant, seq } of streams)
    parts.push(`  ${stream}, tenant ${tenant}, up to package ${seq}\n`);
  for (const { dataset, version } of datasets)
    parts.push(`  compared with ${dataset}, version ${version.slice(0, 12)}\n`);
  if (sql !== null) parts.push(`  ${sql.trim().replaceAll("\n", "\n  ")}\n`);
  if (code !== null) parts.push(`  code ${code.version ?? ""} (sha256 ${code.sha256.slice(0, 12)})\n`);
  if (newest.rules.length > 0) {
    const { printRules } = await import("./print-build.ts");
    parts.push(`\n${printRules(newest.rules).join("\n").trimStart()}\n`);
  }
  parts.push(`\nfiles    ${newest.parts.map(({ key }) => `${store.url}/${key}`).join("\n         ")}\n`);
  return parts.join("");
}
