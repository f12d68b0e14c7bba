/** `leat share`: each customer's own rows into that customer's own warehouse. */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { ShareTurn } from "../share/choose-shares.ts";
import type { ReportedTable, ShareReport } from "../share/print-outcome.ts";
import type { ShareMode } from "../share/share-job.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { exitCodeOf, reportError } from "./report-error.ts";
import { printable, printCount, printSpan, type Terminal } from "./terminal.ts";

type ShareOptions = GlobalOptions &
  Readonly<{
    tenant?: readonly string[];
    full?: boolean;
    dryRun?: boolean;
    verify?: boolean;
    remove?: boolean;
    yes?: boolean;
    concurrency?: string;
  }>;

/** Failures told one by one; with thousands of customers the first ones tell the story. */
const failuresToldMax = 20;

/** Receipts printed; all of them are in --json. */
const receiptsToldMax = 12;

const after = `
Each tenant's turn is a process of its own that opens one customer's warehouse: one that is broken or slow delays
nobody else's. Run again, it goes on from what that warehouse's own ledger says is there.

Examples:
  leat share                          all shares, for all their tenants
  leat share customers --tenant 414   one
  leat share customers --dry-run      what would move; nothing does
  leat share customers --verify       counts what is there; tells of rows that somebody has changed
  leat share customers --tenant 414 --full
                                      everything again, aside, put in place at once
  leat share customers --tenant 414 --remove
                                      offboarding: takes away what the share has made there, and nothing else`;

export function addShare(program: Command, invocation: Invocation): void {
  const command = program
    .command("share")
    .summary("Bring each customer's own rows into that customer's own warehouse.")
    .description(
      "Loads what is landed of each tenant, and of that tenant alone, into the warehouse that the share names for it, and the tenant's rows of datasets. Asks no partner for anything.",
    )
    .argument("[share]", "A share of the project. Default: all.")
    .option("-t, --tenant <id...>", "Only these tenants, by id. Default: all that take part.")
    .option(
      "--full",
      "Load everything again aside, and put it in place at once. In BigQuery the tables are away meanwhile.",
    )
    .option("--dry-run", "Tell what would move, and move nothing.")
    .option(
      "--verify",
      "Count what is there, and compare it with the ledger and the last receipt. Moves nothing.",
    )
    .option("--remove", "Remove what the share has made there, and nothing else. Asks first on a terminal.")
    .option("-y, --yes", "Do not ask before removing.")
    .option("--concurrency <n>", "Tenants at once, each in a process of its own. Default 4.")
    .addHelpText("after", after)
    .action(async (name: string | undefined) => {
      invocation.finish(await runShare(invocation, name, command.optsWithGlobals<ShareOptions>()));
    });
}

async function runShare(
  invocation: Invocation,
  name: string | undefined,
  options: ShareOptions,
): Promise<ExitCode> {
  const mode = readMode(options);
  const atOnce = readConcurrency(options.concurrency);
  const [{ openProject }, { openProgress }, { systemClock }, { chooseShares }, { runShares }] =
    await Promise.all([
      import("./open-project.ts"),
      import("./progress.ts"),
      import("./system-world.ts"),
      import("../share/choose-shares.ts"),
      import("./run-shares.ts"),
    ]);
  const { terminal, signal, cwd } = invocation;
  const startedAtMs = systemClock.nowMs();
  const opened = await openProject(invocation, options);
  const names = name === undefined ? [] : [name];
  const turns = chooseShares(
    opened.project,
    opened.readTenants(),
    names,
    options.tenant ?? [],
    mode === "remove",
  );
  if (turns.length === 0) {
    if (options.json === true) terminal.out(`${JSON.stringify({ ok: true, results: [] }, null, 2)}\n`);
    else terminal.err("No share is declared for anybody; there is nothing to do.\n");
    return 0;
  }
  if (mode === "remove" && options.yes !== true && !(await askToRemove(invocation, turns))) {
    terminal.err("Nothing was removed.\n");
    return 1;
  }
  const view = openProgress(terminal, systemClock, { isQuiet: options.quiet === true });
  let reports: readonly ShareReport[];
  try {
    const { configPath } = opened;
    const { progress } = view;
    reports = await runShares({ configPath, cwd, turns, mode, atOnce, progress, signal });
  } finally {
    view.close();
  }
  const durationMs = systemClock.nowMs() - startedAtMs;
  if (options.json === true) {
    const ok = reports.every((report) => report.ok);
    terminal.out(`${JSON.stringify({ ok, duration_ms: durationMs, results: reports }, null, 2)}\n`);
  } else await printReports(terminal, reports, mode, durationMs);
  return await reportFailures(terminal, reports, signal);
}

function readMode({ full, dryRun, verify, remove }: ShareOptions): ShareMode {
  const chosen: ShareMode[] = [];
  if (full === true) chosen.push("full");
  if (dryRun === true) chosen.push("plan");
  if (verify === true) chosen.push("verify");
  if (remove === true) chosen.push("remove");
  if (chosen.length > 1)
    throw new LeatError("USAGE", {
      message: "--full, --dry-run, --verify and --remove are different wishes; name one.",
    });
  return chosen[0] ?? "deliver";
}

function readConcurrency(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 100) return count;
  throw new LeatError("USAGE", { message: `--concurrency "${text}" is not a whole number from 1 to 100.` });
}

/** A script has said what it wants; a person at a terminal is asked. */
async function askToRemove({ terminal, signal }: Invocation, turns: readonly ShareTurn[]): Promise<boolean> {
  if (!terminal.isLive || process.stdin.isTTY !== true) return true;
  const { confirm } = await import("@clack/prompts");
  const told = turns.slice(0, 5).map(({ share, tenant }) => `${share.name} of tenant ${tenant.id}`);
  const rest = turns.length > told.length ? ` and ${turns.length - told.length} more` : "";
  const answer = await confirm({
    message: printable(`Remove from the customers' warehouses: ${told.join(", ")}${rest}?`),
    initialValue: false,
    signal,
  });
  return answer === true;
}

async function printReports(
  terminal: Terminal,
  reports: readonly ShareReport[],
  mode: ShareMode,
  durationMs: number,
): Promise<void> {
  const { printTable } = await import("./print-table.ts");
  const all = reports.flatMap((report) => report.tables.map((table) => ({ report, table })));
  const rows = all.map(({ report, table }) => [
    report.share,
    report.tenant_id,
    table.table,
    report.target ?? "",
    printCount(table.packages),
    printCount(table.rows),
    printCount(table.rejected),
    printCount(table.seq),
    statusOf(table),
  ]);
  const moved = mode === "plan" ? "rows to move" : "rows moved";
  terminal.out(
    printTable(["share", "tenant", "table", "in", "packages", moved, "rejected", "package", ""], rows),
  );
  const receipts = all.flatMap(({ report, table }) => table.receipts.map((receipt) => ({ report, receipt })));
  if (receipts.length > 0) terminal.out("\nReceipts, each to be checked there by its query:\n");
  for (const { report, receipt } of receipts.slice(0, receiptsToldMax)) {
    const told = `${report.tenant_id}  ${receipt.table}  ${printCount(receipt.rows)} rows, checksum ${receipt.checksum}`;
    terminal.out(`${printable(told)}\n    ${printable(receipt.query)}\n`);
  }
  if (receipts.length > receiptsToldMax)
    terminal.out(`and ${printCount(receipts.length - receiptsToldMax)} more; --json tells all\n`);
  const sum = all.reduce((total, { table }) => total + table.rows, 0);
  const failed = reports.filter(({ ok }) => !ok).length;
  terminal.out(
    `\n${printCount(sum)} ${moved} for ${printCount(reports.length - failed)} of ${printCount(reports.length)} in ${printSpan(durationMs)}\n`,
  );
}

const statusOf = ({ status, error }: ReportedTable): string =>
  error === null ? (status === "empty" ? "nothing there" : status) : String(error["code"]);

async function reportFailures(
  terminal: Terminal,
  reports: readonly ShareReport[],
  signal: AbortSignal,
): Promise<ExitCode> {
  const { errorsOf } = await import("../share/print-outcome.ts");
  const failures = reports.flatMap(errorsOf);
  for (const failure of failures.slice(0, failuresToldMax)) reportError(terminal, failure);
  if (failures.length > failuresToldMax)
    terminal.err(`and ${printCount(failures.length - failuresToldMax)} more; --json tells all\n`);
  if (failures.length === 0) return 0;
  if (signal.aborted) return 130;
  // A wrong declaration that concerns all is told as such, by its exit code too.
  return failures.length === reports.length && failures.length === 1 ? exitCodeOf(failures[0]) : 1;
}
