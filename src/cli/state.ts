/** `leat state`: where each stream stands, and how a person sets it. Loads no warehouse engine. */
import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import { LeatError } from "../errors/leat-error.ts";
import type { CursorValue } from "../model/cursor.ts";
import type { TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json-value.ts";
import type { StreamTenants } from "../sync/sync-job.ts";
import type { ExitCode, GlobalOptions, Invocation } from "./invocation.ts";
import type { OpenProject } from "./open-project.ts";
import { exitCodeOf, reportError } from "./report-error.ts";
import { printable } from "./terminal.ts";

type StateOptions = GlobalOptions & Readonly<{ tenant?: readonly string[] }>;
type EditOptions = StateOptions & Readonly<{ to?: string; why?: string; landedBefore?: string }>;

const setAfter = `
Examples:
  leat state set shop.orders --tenant 414 --to 2026-01-01 --why "partner restated January"
  leat state set shop.orders --to 2026-01-01 --landed-before again

What was landed from that value on is by default taken as missing: it is fetched again, and what is equal to the
newest landed version is dropped. With --landed-before again everything is landed a second time.`;

export function addState(program: Command, invocation: Invocation): void {
  const state = program
    .command("state")
    .summary("Show, set, reset or export where each stream stands.")
    .description(
      "Shows, sets, resets or exports where each stream stands. The state is the newest manifest of each log; setting it adds a manifest with who, when and why, and changes none.",
    );
  const tenantOption = ["-t, --tenant <id...>", "Only these tenants, by id. Default: all."] as const;
  const show = state
    .command("show")
    .description("Shows cursor and next range of each stream and tenant.")
    .argument("[stream...]", "A source, or one of its streams as source.stream. Default: all.")
    .option(...tenantOption)
    .action(async (names: string[]) => {
      invocation.finish(await showState(invocation, names, show.optsWithGlobals<StateOptions>()));
    });
  const set = state
    .command("set")
    .description("Sets where the next extract begins.")
    .argument("<stream>", "The stream, as source.stream.")
    .requiredOption(
      "--to <value>",
      "The cursor from which on to read, such as 2026-01-31 or 2026-01-31T09:30:00Z.",
    )
    .option(...tenantOption)
    .option("--why <text>", "Why, for the log.")
    .option(
      "--landed-before <missing|again>",
      "What to do with records landed before. Default: missing.",
      "missing",
    )
    .addHelpText("after", setAfter)
    .action(async (name: string) => {
      invocation.finish(await editStates(invocation, name, set.optsWithGlobals<EditOptions>()));
    });
  const reset = state
    .command("reset")
    .description(
      "Sets a stream back to its beginning, as if it had never been read. Landed files and rows stay.",
    )
    .argument("<stream>", "The stream, as source.stream.")
    .option(...tenantOption)
    .option("--why <text>", "Why, for the log.")
    .option(
      "--landed-before <missing|again>",
      "What to do with records landed before. Default: missing.",
      "missing",
    )
    .action(async (name: string) => {
      invocation.finish(await editStates(invocation, name, reset.optsWithGlobals<EditOptions>()));
    });
  const exported = state
    .command("export")
    .description('Prints {"latest_updates": {"<tenant>": {"<stream>": "<cursor>"}}} as JSON.')
    .option(...tenantOption)
    .action(async () => {
      invocation.finish(await exportState(invocation, exported.optsWithGlobals<StateOptions>()));
    });
}

/** Streams and tenants named that are not read any more. */
const leftToldMax = 20;

type Standing = Readonly<{ stream: StreamTenants; tenant: TenantId; isRead: boolean; printed: JsonObject }>;

/** What could be read, and what could not: one damaged log hides no other. */
type Standings = Readonly<{ standings: readonly Standing[]; failures: readonly LeatError[] }>;

/** Reads the newest state of streams and tenants, in their order. Tenants without a log are left out. */
async function readStandings(opened: OpenProject, streams: readonly StreamTenants[]): Promise<Standings> {
  const known = opened.readTenants();
  const [{ readHead }, { printState }, { tenantsOf }] = await Promise.all([
    import("../landing/log.ts"),
    import("../sync/print-item.ts"),
    import("../model/source-tenants.ts"),
  ]);
  const standings: Standing[] = [];
  const failures: LeatError[] = [];
  for (const stream of streams) {
    const read = new Set(tenantsOf(stream.source, known).map(({ id }) => id));
    for (const tenant of stream.tenants) {
      const place = { source: stream.source.name, stream: stream.spec.name, tenant: tenant.id };
      const head = await readHead(opened.store, place).catch((error: unknown) => {
        if (!(error instanceof LeatError)) throw error;
        failures.push(error.at(place));
        return undefined;
      });
      if (head === undefined) continue;
      const { manifest } = head;
      const printed = {
        source: place.source,
        stream: place.stream,
        tenant_id: place.tenant,
        ...printState(stream.spec, manifest.state.main),
        seq: manifest.seq,
        partitions: manifest.state.partitionCount,
        ...(manifest.state.fileCount !== undefined && { files: manifest.state.fileCount }),
        ordered: manifest.isOrdered,
        generation: manifest.visible.number,
        committed_at: manifest.committedAt,
        is_read: read.has(tenant.id),
      };
      standings.push({ stream, tenant: tenant.id, isRead: read.has(tenant.id), printed });
    }
  }
  return { standings, failures };
}

/** Tells what could not be read. */
function endWith(invocation: Invocation, failures: readonly LeatError[]): ExitCode {
  for (const failure of failures) reportError(invocation.terminal, failure);
  return failures.length === 0 ? 0 : exitCodeOf(failures[0]);
}

/** @param isLanded - whether tenants count that have a log and are not read any more. */
async function openChosen(
  invocation: Invocation,
  names: readonly string[],
  options: StateOptions,
  isLanded: boolean,
) {
  const [{ openProject }, { chooseStreams }, { choosePairs }, { readLandedTenants }] = await Promise.all([
    import("./open-project.ts"),
    import("../sync/choose.ts"),
    import("../sync/choose-pairs.ts"),
    import("../sync/landed-tenants.ts"),
  ]);
  const opened = await openProject(invocation, options);
  const { project, store } = opened;
  const tenants = opened.readTenants();
  const landed = isLanded
    ? await readLandedTenants(store, chooseStreams(project, names), tenants)
    : undefined;
  const streams = choosePairs(
    { project, tenants, landed },
    { streams: names, tenants: options.tenant ?? [] },
  );
  return { opened, streams };
}

async function showState(
  invocation: Invocation,
  names: readonly string[],
  options: StateOptions,
): Promise<ExitCode> {
  const { opened, streams } = await openChosen(invocation, names, options, true);
  const { standings, failures } = await readStandings(opened, streams);
  const { terminal } = invocation;
  if (options.json) {
    terminal.out(
      `${JSON.stringify(
        standings.map(({ printed }) => printed),
        null,
        2,
      )}\n`,
    );
    return endWith(invocation, failures);
  }
  if (standings.length === 0 && failures.length === 0) {
    terminal.out("Nothing has been extracted yet; `leat sync` begins.\n");
    return endWith(invocation, failures);
  }
  const { printTable } = await import("./print-table.ts");
  const headings = ["stream", "tenant", "cursor", "next", "package", "committed"];
  const rows = standings.map(({ printed }) => [
    `${printed["source"]}.${printed["stream"]}`,
    printed["tenant_id"],
    printed["files"] === undefined ? printed["cursor"] : `${printed["files"]} files`,
    printed["next"],
    printed["seq"],
    printed["committed_at"],
  ]);
  terminal.out(printTable(headings, rows));
  const left = standings.filter(({ isRead }) => !isRead);
  if (left.length > 0) {
    const told = left
      .slice(0, leftToldMax)
      .map(({ stream, tenant }) => `${stream.source.name}.${stream.spec.name} ${tenant}`);
    const more = left.length > told.length ? ` and ${left.length - told.length} more` : "";
    terminal.out(`${printable(`Not read any more, what is landed stays: ${told.join(", ")}${more}.`)}\n`);
  }
  return endWith(invocation, failures);
}

async function exportState(invocation: Invocation, options: StateOptions): Promise<ExitCode> {
  const { opened, streams } = await openChosen(invocation, [], options, false);
  const { standings, failures } = await readStandings(opened, streams);
  const bare = streams.map((stream) => stream.spec.name);
  // `Map`s, since a tenant may be called `__proto__`, and a plain object would put `7` before `10`, whatever the file says.
  const byTenant = new Map<string, string[]>();
  for (const { stream, tenant, printed } of standings) {
    if (printed["cursor"] === null) continue;
    const isShared = bare.filter((name) => name === stream.spec.name).length > 1;
    const name = isShared ? `${stream.source.name}.${stream.spec.name}` : stream.spec.name;
    const lines = byTenant.get(tenant) ?? [];
    lines.push(`${JSON.stringify(name)}: ${JSON.stringify(printed["cursor"])}`);
    byTenant.set(tenant, lines);
  }
  const entries = [...byTenant].map(
    ([tenant, lines]) => `\n    ${JSON.stringify(tenant)}: {${lines.join(", ")}}`,
  );
  const body = entries.length === 0 ? "{}" : `{${entries.join(",")}\n  }`;
  invocation.terminal.out(`{\n  "latest_updates": ${body}\n}\n`);
  return endWith(invocation, failures);
}

async function editStates(invocation: Invocation, name: string, options: EditOptions): Promise<ExitCode> {
  const { landedBefore } = options;
  if (landedBefore !== "missing" && landedBefore !== "again") {
    throw new LeatError("USAGE", {
      message: `--landed-before "${landedBefore}" is neither missing nor again.`,
    });
  }
  const [
    { openProject },
    { chooseStream, streamName },
    { choosePairs },
    { readCursor },
    { editState },
    { systemClock, systemRandom },
    { openScanner },
    { refuseFuture },
  ] = await Promise.all([
    import("./open-project.ts"),
    import("../sync/choose.ts"),
    import("../sync/choose-pairs.ts"),
    import("../sync/choose-mode.ts"),
    import("../extract/edit-state.ts"),
    import("./system-world.ts"),
    import("../scan/open-scanner.ts"),
    import("../sync/refuse-future.ts"),
  ]);
  const opened = await openProject(invocation, options);
  const stream = chooseStream(opened.project, name);
  const [pair] = choosePairs(
    { project: opened.project, tenants: opened.readTenants() },
    { streams: [streamName(stream)], tenants: options.tenant ?? [] },
  );
  const { tenants } = pair!; // A named stream has a tenant, or was refused.
  const to: CursorValue | undefined =
    options.to === undefined ? undefined : readCursor(stream.spec, options.to, "--to");
  if (to !== undefined) refuseFuture(stream.spec, to, { nowMs: systemClock.nowMs(), option: "--to" });
  const { terminal, signal } = invocation;
  const edited: JsonObject[] = [];
  const { printState } = await import("../sync/print-item.ts");
  for (const tenant of tenants) {
    signal.throwIfAborted();
    const ports = { store: opened.store, clock: systemClock, random: systemRandom, openScanner };
    const manifest = await editState(
      ports,
      { spec: stream.spec, tenant: tenant.id, tenantColumn: opened.project.tenantColumn },
      { to, landedBefore, who: whoami(), why: options.why ?? "" },
    );
    edited.push({
      source: stream.source.name,
      stream: stream.spec.name,
      tenant_id: tenant.id,
      seq: manifest.seq,
      before: printState(stream.spec, manifest.before),
      after: printState(stream.spec, manifest.state.main),
    });
  }
  if (options.json) terminal.out(`${JSON.stringify(edited, null, 2)}\n`);
  else {
    for (const { tenant_id, seq, after } of edited) {
      const next = (after as JsonObject)["next"] ?? "the beginning"; // Made a few lines above.
      terminal.out(
        printable(`${streamName(stream)} ${tenant_id}: next range begins at ${next} (seq ${seq})`),
      );
      terminal.out("\n");
    }
  }
  return 0;
}

/** Who edits, as the log will say. */
function whoami(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `unknown@${hostname()}`; // In a container a user may have no name.
  }
}
