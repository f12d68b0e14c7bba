/** `leat verify`: do landing, warehouse and, where it can count, the partner agree? */
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import { printErrorJson } from "../errors/print-error.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import { reportError } from "./report-error.ts";
import { addTenantOption } from "./run-sync.ts";
import { printBytes, printCount } from "./terminal.ts";

type VerifyOptions = GlobalOptions &
  Readonly<{ tenant?: readonly string[]; quick?: boolean; source?: boolean }>;

/** Faults told one by one on a terminal; --json tells all. */
const faultsToldMax = 50;

const after = `
Looked at: that each log is dense and each landed file has its size and checksum; that each loaded package has the
rows and the manifest that the ledger says; for how many keys the newest by cursor and the newest by arrival differ
(which is told, and is no failure); with --source, whether the partner counts as many records as the current view.`;

export function addVerify(program: Command, invocation: Invocation): void {
  const command = program
    .command("verify")
    .summary("Compare landing, warehouse and source.")
    .description(
      "Compares landing and warehouse, and with --source also the partner's own counts. Changes nothing.",
    )
    .argument("[stream...]", "A source, or one of its streams as source.stream. Default: all.");
  addTenantOption(command)
    .option("--quick", "Do not read the landed files, only the logs and the warehouse.")
    .option("--source", "Also ask each partner that can count how many records there are.")
    .addHelpText("after", after)
    .action(async (names: string[]) => {
      invocation.finish(await verify(invocation, names, command.optsWithGlobals<VerifyOptions>()));
    });
}

async function verify(
  invocation: Invocation,
  names: readonly string[],
  options: VerifyOptions,
): Promise<ExitCode> {
  const [
    { openProject },
    { chooseStreams, streamName },
    { choosePairs },
    { readLandedTenants },
    { verifyStream },
  ] = await Promise.all([
    import("./open-project.ts"),
    import("../sync/choose.ts"),
    import("../sync/choose-pairs.ts"),
    import("../sync/landed-tenants.ts"),
    import("./verify-stream.ts"),
  ]);
  const { terminal, signal } = invocation;
  const opened = await openProject(invocation, options);
  const { project, store } = opened;
  const tenants = opened.readTenants();
  const landed = await readLandedTenants(store, chooseStreams(project, names), tenants);
  const work = { project, tenants, landed };
  const streams = choosePairs(work, { streams: names, tenants: options.tenant ?? [] });
  const verified = [];
  for (const stream of streams) {
    const tenants = options.tenant === undefined ? landed.get(streamName(stream))! : stream.tenants; // Of all was asked.
    verified.push(
      await verifyStream(
        opened,
        { ...stream, tenants },
        { readsParts: options.quick !== true, asksSource: options.source === true },
        signal,
      ),
    );
  }
  const faults = verified.flatMap((stream) => stream.faults);
  if (options.json) {
    const told = verified.map((stream) => ({
      ...stream,
      faults: stream.faults.map((fault) => printErrorJson(fault, terminal.redact)),
    }));
    terminal.out(`${JSON.stringify({ ok: faults.length === 0, streams: told }, null, 2)}\n`);
  } else {
    const { printTable } = await import("./print-table.ts");
    const headings = [
      "stream",
      "tenants",
      "packages",
      "landed",
      "loaded",
      "rejected",
      "by arrival differs",
      "faults",
    ];
    const rows = verified.map((stream) => [
      stream.stream,
      printCount(stream.tenants),
      `${printCount(stream.packages)} (${printBytes(stream.bytes)})`,
      printCount(stream.landed),
      printCount(stream.loaded),
      printCount(stream.rejected),
      stream.disagreements === null ? "" : printCount(stream.disagreements.count),
      printCount(stream.faults.length),
    ]);
    terminal.out(printTable(headings, rows));
    for (const { stream, waiting } of verified) {
      if (waiting > 0)
        terminal.out(
          `${stream}: ${waiting} tenants have packages that are not loaded yet; run \`leat load\`.\n`,
        );
    }
  }
  for (const fault of faults.slice(0, faultsToldMax)) reportError(terminal, fault);
  if (faults.length === 0) return 0;
  if (faults.length > faultsToldMax)
    terminal.err(`and ${faults.length - faultsToldMax} more; --json tells all\n`);
  reportError(terminal, new LeatError("VERIFY_FAILED", { message: `${faults.length} faults were found.` }));
  return 1;
}
